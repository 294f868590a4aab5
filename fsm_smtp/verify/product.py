"""Every reachable configuration with every history that leads to it: where properties are decided.

One breadth-first walk over the pairs of configuration and history. The first event that breaks a
property therefore ends a shortest run that does.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from fsm_smtp.table import Table
from fsm_smtp.verify.explore import Graph
from fsm_smtp.verify.history import History
from fsm_smtp.verify.interpreter import Edge, Place
from fsm_smtp.verify.judge import Judge, Lead


@dataclass(frozen=True, slots=True)
class Finding:
    """A property that does not hold: what was found, and the shortest run that shows it."""

    what: str
    run: tuple[Edge, ...]


class Step(NamedTuple):
    """An edge of the graph, with everything by number."""

    edge: Edge
    trigger: int
    target: int
    state: int


@dataclass(slots=True)
class Product:
    """What the walk found.

    Attributes:
        nodes: number of the configuration, and its history; breadth first.
        steps: for each configuration, its steps.
        next: for each node, the node that each step leads to.
        parents: for each node, the node before it and the step taken; none for the start.
        depths: for each node, the length of the shortest run to it.
        findings: by number of the property, what breaks it.
        asked: for each response property, the node and the number of the step of each event
            that wants a response.
        happened: bits of the properties whose event happened, or whose scope was entered.
    """

    history: History
    judge: Judge
    nodes: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    steps: list[list[Step]] = field(default_factory=list[list[Step]])
    next: list[list[int]] = field(default_factory=list[list[int]])
    parents: list[tuple[int, Edge] | None] = field(default_factory=list[tuple[int, Edge] | None])
    depths: list[int] = field(default_factory=list[int])
    findings: dict[int, Finding] = field(default_factory=dict[int, Finding])
    asked: dict[int, list[tuple[int, int]]] = field(
        default_factory=dict[int, list[tuple[int, int]]]
    )
    happened: int = 0

    def run_to(self, node: int) -> tuple[Edge, ...]:
        """The shortest run from the start to *node*."""
        run: list[Edge] = []
        parent = self.parents[node]
        while parent is not None:
            run.append(parent[1])
            parent = self.parents[parent[0]]
        return tuple(reversed(run))


def walk(table: Table, graph: Graph, *, until_broken: bool = False) -> Product:
    """Visit every pair of configuration and history, and judge every event.

    Args:
        table: the table.
        graph: its configurations.
        until_broken: stop at the first that breaks a property; the product is then not complete.
    """
    history = History(table)
    product = Product(history, Judge(table, history))
    product.steps, enabled, states = _numbered(graph, history)
    judge, nodes, parents = product.judge, product.nodes, product.parents
    known: dict[tuple[int, int], int] = {(0, history.start): 0}
    nodes.append((0, history.start))
    parents.append(None)
    product.depths.append(0)
    for number, (place, before) in enumerate(nodes):  # grows while it is walked
        scopes, wanted = judge.place(before)
        product.happened |= scopes
        for one, triggers in wanted:
            if triggers & ~enabled[place] and one not in product.findings:
                _forbidden(product, one, number, triggers & ~enabled[place])
        state = states[place]
        following: list[int] = []
        for step in product.steps[place]:
            demands = judge.event(step.trigger, before)
            product.happened |= demands.happens
            for one in demands.asks:
                product.asked.setdefault(one, []).append((number, len(following)))
            if demands.broken:
                for one in demands.broken:
                    _found(product, one, number, step, "happened")
            for one, culprit in demands.culprits:
                if (step.edge.row.violation or "nobody") != culprit:
                    what = f"is the violation of {step.edge.row.violation or 'nobody'}"
                    _found(product, one, number, step, what)
            if demands.leads:
                _check_leads(product, demands.leads, number, step, state)
            node = (step.target, history.after(before, step.trigger, state))
            at = known.get(node)
            if at is None:
                at = known[node] = len(nodes)
                nodes.append(node)
                parents.append((number, step.edge))
                product.depths.append(product.depths[number] + 1)
            following.append(at)
        product.next.append(following)
        if until_broken and product.findings:
            break
    return product


def _check_leads(
    product: Product, leads: tuple[Lead, ...], number: int, step: Step, state: int
) -> None:
    """Whether the step leads to a state that it may lead to."""
    _, before = product.nodes[number]
    for lead in leads:
        if (
            step.state not in lead.states
            and not (lead.same and step.state == state)
            and not (lead.sent_from and step.state == product.history.sent_from(before))
        ):
            _found(product, lead.number, number, step, "led")


def _numbered(graph: Graph, history: History) -> tuple[list[list[Step]], list[int], list[int]]:
    """The graph's steps, the bits of the enabled triggers and the state, by configuration."""
    numbers: dict[Place, int] = {place: n for n, place in enumerate(graph.places)}
    # Of several shortest runs, the one with ordinary replies is easier to read: 2yz before 235.
    special = [bool(trigger.codes) for trigger in graph.interpreter.table.triggers.values()]
    steps: list[list[Step]] = []
    enabled: list[int] = []
    for place in graph.places:
        found = [
            Step(
                edge,
                history.number[edge.trigger],
                numbers[edge.target],
                history.states[edge.target[0]],
            )
            for edge in graph.edges[place]
        ]
        found.sort(key=lambda step: special[step.trigger])
        steps.append(found)
        bits = 0
        for step in found:
            bits |= 1 << step.trigger
        enabled.append(bits)
    return steps, enabled, [history.states[place[0]] for place in graph.places]


def _found(product: Product, one: int, node: int, step: Step, what: str) -> None:
    if one not in product.findings:
        after = product.history.described(product.nodes[node][1])
        edge = step.edge
        verb = f"led from {edge.source[0]} to {edge.target[0]}" if what == "led" else what
        found = f"{edge.trigger} {verb} after: {after}"
        product.findings[one] = Finding(found, (*product.run_to(node), edge))


def _forbidden(product: Product, one: int, node: int, missing: int) -> None:
    names = [name for number, name in enumerate(product.history.triggers) if missing >> number & 1]
    after = product.history.described(product.nodes[node][1])
    found = f"{', '.join(names)} cannot happen after: {after}"
    product.findings[one] = Finding(found, product.run_to(node))
