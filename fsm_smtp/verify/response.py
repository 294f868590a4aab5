"""Response properties: what follows an event on every run, before anything that must wait."""

from collections.abc import Mapping
from heapq import heappop, heappush

from fsm_smtp.table.properties import Atom, Property
from fsm_smtp.verify.history import History, Match
from fsm_smtp.verify.interpreter import Edge
from fsm_smtp.verify.product import Finding, Product, Step

#: For each trigger, by number, what must hold for an event to be meant.
_Events = Mapping[int, list[Match]]


def unanswered(one: Property, number: int, product: Product) -> Finding | None:
    """The shortest run on which the response *one* fails to come, or ``None``.

    It fails when, after the event and before the response, an event of `before` happens, there
    is a dead end, or there is a cycle without a trigger of `bounded`.
    """
    search = _Search(one, number, product)
    while search.waiting:
        found = search.visit()
        if found is not None:
            return found
    endless = _endless(search.steps)
    if endless is None:
        return None
    node, way, length = endless
    what = f"the last {length} of these steps can go on for ever without it"
    return Finding(what, (*search.run(node), *way))


class _Search:
    """From every event that wants a response, in the order of the length of the whole run."""

    def __init__(self, one: Property, number: int, product: Product) -> None:
        self.product = product
        self.follows = _events(one.follows, product.history)
        self.before = _events(one.before, product.history)
        self.bounded = {product.history.number[name] for name in one.bounded}
        #: A heap of lengths of runs, and the nodes they end in.
        self.waiting: list[tuple[int, int]] = []
        #: For each node, the step to it, and whether the run was waiting before that step too.
        self.back: dict[int, tuple[int, Edge, bool]] = {}
        self.lengths: dict[int, int] = {}
        #: For each node visited, the unbounded steps after which it still waits, and whereto.
        self.steps: dict[int, list[tuple[int, Edge]]] = {}
        for node, step_number in product.asked[number]:
            step = product.steps[product.nodes[node][0]][step_number]
            target = product.next[node][step_number]
            self._reach(target, product.depths[node] + 1, node, step.edge, False)

    def _reach(self, target: int, length: int, node: int, edge: Edge, waiting: bool) -> None:
        if length < self.lengths.get(target, length + 1):
            self.lengths[target] = length
            self.back[target] = (node, edge, waiting)
            heappush(self.waiting, (length, target))

    def visit(self) -> Finding | None:
        """Look at the steps from the nearest node; what fails there."""
        length, node = heappop(self.waiting)
        place, seen = self.product.nodes[node]
        steps = self.product.steps[place]
        self.steps[node] = []
        if not steps:
            return Finding("nothing can follow", self.run(node))
        for step, target in zip(steps, self.product.next[node], strict=True):
            if self._meant(self.follows, step, seen):
                continue
            if self._meant(self.before, step, seen):
                what = f"{step.edge.trigger} came first"
                return Finding(what, (*self.run(node), step.edge))
            if step.trigger not in self.bounded:
                self.steps[node].append((target, step.edge))
            self._reach(target, length + 1, node, step.edge, True)
        return None

    def run(self, node: int) -> tuple[Edge, ...]:
        """The shortest run that waits in *node*."""
        path: list[Edge] = []
        waiting = True
        while waiting:
            node, edge, waiting = self.back[node]
            path.append(edge)
        return (*self.product.run_to(node), *reversed(path))

    def _meant(self, events: _Events, step: Step, seen: int) -> bool:
        return any(self.product.history.holds(match, seen) for match in events[step.trigger])


def _events(atoms: tuple[Atom, ...], history: History) -> _Events:
    return {n: history.matches(atoms, name) for name, n in history.number.items()}


def _endless(
    steps: Mapping[int, list[tuple[int, Edge]]],
) -> tuple[int, list[Edge], int] | None:
    """The first node, in the order of *steps*, from which a run need never end.

    Returns:
        The node, a way from it into a cycle and once around, and the length of the cycle.
    """
    ways = {node: len(targets) for node, targets in steps.items()}
    before: dict[int, list[int]] = {}
    for node, targets in steps.items():
        for target, _ in targets:
            before.setdefault(target, []).append(node)
    ending = [node for node, count in ways.items() if count == 0]
    for node in ending:  # grows while it is walked
        for source in before.get(node, ()):
            ways[source] -= 1
            if ways[source] == 0:
                ending.append(source)
    done = set(ending)
    first = next((node for node in steps if node not in done), None)
    if first is None:
        return None
    way: list[Edge] = []
    visited: dict[int, int] = {}
    node = first
    while node not in visited:
        visited[node] = len(way)
        node, edge = next(step for step in steps[node] if step[0] not in done)
        way.append(edge)
    return first, way, len(way) - visited[node]
