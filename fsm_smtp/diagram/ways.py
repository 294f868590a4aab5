"""Ways out of a state, with only those conditions that decide something there.

A row's guard is written for all its sources; in one of them much of it is always true. The ways
are worked out on the reachable configurations, so that a condition that always holds in a state is
left out, and a row that never fires there is no way.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from fsm_smtp.diagram.words import guard_words
from fsm_smtp.table import Row, Table, Trigger
from fsm_smtp.table.guard import Guard
from fsm_smtp.verify.explore import Graph, explore
from fsm_smtp.verify.interpreter import Edge, Place


@dataclass(frozen=True, slots=True)
class Way:
    """One row, as it fires in one state.

    Attributes:
        row: the row.
        state: where it fires.
        triggers: on what, in the row's order.
        when: the conditions that decide there.
        domains: the values that each variable can have there.
        dests: the states that it leads to.
    """

    row: Row
    state: str
    triggers: tuple[Trigger, ...]
    when: Guard
    domains: Mapping[str, Collection[str]]
    dests: tuple[str, ...]


class Ways:
    """The ways of one table, from its reachable configurations."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.graph: Graph = explore(table)
        self._number = {name: number for number, name in enumerate(table.variables)}
        self._places: dict[str, list[Place]] = {name: [] for name in table.states}
        for place in self.graph.places:
            self._places[place[0]].append(place)
        self._out: dict[str, tuple[Way, ...]] = {}

    def out_of(self, state: str) -> tuple[Way, ...]:
        """The ways out of *state* that some run takes, in the table's order."""
        if state not in self._out:
            edges = (edge for place in self._places[state] for edge in self.graph.edges[place])
            self._out[state] = tuple(self._ways(state, edges))
        return self._out[state]

    def on(self, trigger: str) -> Iterator[Way]:
        """The ways that *trigger* takes; the conditions are those that decide in all its states."""
        fired: dict[str, dict[str, list[Edge]]] = {}
        for edges in self.graph.edges.values():
            for edge in edges:
                if edge.trigger == trigger:
                    by_state = fired.setdefault(edge.row.id, {})
                    by_state.setdefault(edge.source[0], []).append(edge)
        for row in self.table.rows:
            by_state = fired.get(row.id, {})
            among = [place for state in by_state for place in self._places[state]]
            for state in self.table.states:
                if state in by_state:
                    yield from self._ways(state, by_state[state], among)

    def after(self, trigger: str) -> Iterator[tuple[Way, ...]]:
        """What may come right after client trigger *trigger*, per state that it leads to."""
        targets: dict[str, dict[Place, None]] = {}
        for edges in self.graph.edges.values():
            for edge in edges:
                if edge.trigger == trigger:
                    targets.setdefault(edge.target[0], {})[edge.target] = None
        for state, places in targets.items():
            edges = [edge for place in places for edge in self.graph.edges[place]]
            server = (e for e in edges if self.table.triggers[e.trigger].by != "client")
            yield tuple(self._ways(state, server, among=list(places)))

    def shortest(self, state: str, triggers: Collection[str]) -> tuple[Edge, ...]:
        """The shortest run without a violation from *state* to where one of *triggers* is legal.

        It begins in the configuration that a session first reaches the state in; empty when
        there is no such run.
        """
        begin = self._places[state][:1]
        first: dict[Place, Edge | None] = dict.fromkeys(begin)
        for place in (todo := list(begin)):  # grows while it is walked
            edges = [edge for edge in self.graph.edges[place] if not edge.row.violation]
            edges.sort(key=self._odd)
            if any(edge.trigger in triggers for edge in edges):
                return self._run(first, place)
            for edge in edges:
                if edge.target not in first:
                    first[edge.target] = edge
                    todo.append(edge.target)
        return ()

    def _odd(self, edge: Edge) -> bool:
        """Whether the trigger is one code, of a row that takes a class: no usual answer."""
        return len(edge.row.triggers) > 1 and bool(self.table.triggers[edge.trigger].codes)

    @staticmethod
    def _run(first: Mapping[Place, Edge | None], place: Place) -> tuple[Edge, ...]:
        run: list[Edge] = []
        while (edge := first[place]) is not None:
            run.append(edge)
            place = edge.source
        return tuple(reversed(run))

    def describe(self, way: Way) -> list[str]:
        """The conditions of a way in words."""
        return guard_words(self.table, way.when, way.domains)

    def _ways(
        self, state: str, edges: Iterable[Edge], among: list[Place] | None = None
    ) -> Iterator[Way]:
        places = self._places[state] if among is None else among
        domains = {name: {p[1][n] for p in places} for name, n in self._number.items()}
        rows: dict[str, list[Edge]] = {}
        for edge in edges:
            rows.setdefault(edge.row.id, []).append(edge)
        for row in self.table.rows:
            if fired := rows.get(row.id):
                names = {edge.trigger for edge in fired}
                dests = {edge.target[0] for edge in fired}
                yield Way(
                    row=row,
                    state=state,
                    triggers=tuple(self.table.triggers[n] for n in row.triggers if n in names),
                    when=self._deciding(row.when, places),
                    domains=domains,
                    dests=tuple(name for name in self.table.states if name in dests),
                )

    def _deciding(self, guard: Guard, places: list[Place]) -> Guard:
        """The conditions of *guard* that the others do not imply in these places.

        The last written go first: the table writes the weightiest first.
        """
        kept = list(guard)
        for condition in reversed(guard):
            others = [one for one in kept if one != condition]
            if all(self._holds(p, (condition,)) for p in places if self._holds(p, others)):
                kept = others
        return tuple(kept)

    def _holds(self, place: Place, guard: Iterable[tuple[str, tuple[str, ...]]]) -> bool:
        return all(place[1][self._number[name]] in values for name, values in guard)
