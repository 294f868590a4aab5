"""Visits every configuration that any run can reach, and keeps the shortest run to each."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from fsm_smtp.table import Table
from fsm_smtp.verify.interpreter import Edge, Interpreter, Place


@dataclass(slots=True)
class Graph:
    """What exploration found.

    Attributes:
        places: every reachable configuration, breadth first.
        edges: every step from each of them.
        first: the edge by which each was first reached; none for the start.
    """

    interpreter: Interpreter
    places: list[Place] = field(default_factory=list[Place])
    edges: dict[Place, list[Edge]] = field(default_factory=dict[Place, list[Edge]])
    first: dict[Place, Edge] = field(default_factory=dict[Place, Edge])

    @property
    def edge_count(self) -> int:
        """The number of steps."""
        return sum(len(edges) for edges in self.edges.values())

    def run_to(self, place: Place) -> tuple[Edge, ...]:
        """The shortest run from the start to *place*."""
        run: list[Edge] = []
        while place in self.first:
            edge = self.first[place]
            run.append(edge)
            place = edge.source
        return tuple(reversed(run))

    def can_reach(self, goal: Callable[[Edge], bool], without: Collection[str]) -> set[Place]:
        """The places from which a step that satisfies *goal* can be reached.

        Args:
            goal: which steps count.
            without: triggers that may not be used on the way, nor for the step itself.
        """
        before: dict[Place, list[Place]] = {}
        able: set[Place] = set()
        for edge in self._all_edges():
            if edge.trigger not in without:
                before.setdefault(edge.target, []).append(edge.source)
                if goal(edge):
                    able.add(edge.source)
        todo = list(able)
        while todo:
            for source in before.get(todo.pop(), ()):
                if source not in able:
                    able.add(source)
                    todo.append(source)
        return able

    def _all_edges(self) -> Iterable[Edge]:
        for edges in self.edges.values():
            yield from edges


def explore(table: Table) -> Graph:
    """Visit every reachable configuration of *table*, breadth first."""
    interpreter = Interpreter(table)
    graph = Graph(interpreter)
    start = interpreter.start
    graph.places.append(start)
    known = {start}
    for place in graph.places:  # grows while it is walked
        edges = graph.edges[place] = list(interpreter.edges(place))
        for edge in edges:
            if edge.target not in known:
                known.add(edge.target)
                graph.first[edge.target] = edge
                graph.places.append(edge.target)
    return graph
