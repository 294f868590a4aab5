"""Visits every run of a composition, breadth first, so that what breaks a claim is the shortest."""

from dataclasses import dataclass

from fsm_smtp.ahead import Pipeline, shared_pipeline
from fsm_smtp.composition.bounds import Bounds
from fsm_smtp.composition.deviations import Deviation
from fsm_smtp.composition.server import Server
from fsm_smtp.composition.step import Claim, Node, Stepper, Trace
from fsm_smtp.configuration import Configuration
from fsm_smtp.table import Table


@dataclass(frozen=True)
class Composition:
    """What came of an exploration.

    Attributes:
        nodes: how many configurations of client and server were visited.
        edges: how many steps lead from one to another.
        broken: the first claim that was found not to hold.
        run: the shortest run that breaks it.
    """

    bounds: Bounds
    deviation: Deviation | None
    nodes: int
    edges: int
    broken: Claim | None = None
    run: tuple[Trace, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every claim holds."""
        return self.broken is None


def compose(
    pipeline: Pipeline | None = None,
    bounds: Bounds | None = None,
    deviation: Deviation | None = None,
    table: Table | None = None,
) -> Composition:
    """Visit every run of a client with a server, within *bounds*.

    Args:
        pipeline: the client's rules; those of the shipped table when ``None``.
        bounds: how far.
        deviation: what the server may do beside what it owes.
        table: the table that says what it owes; the client's own when ``None``.

    Raises:
        ValueError: the table does not say what a server owes.
    """
    bounds = bounds or Bounds()
    pipeline = pipeline or shared_pipeline()
    server = Server(table or pipeline.machine.table, deviation)
    stepper = Stepper(pipeline, server, bounds, deviation)
    start = stepper.begin(_greeted(pipeline), server.at(greeted="ehlo"))
    before: dict[Node, tuple[Node, Trace] | None] = {start: None}
    todo = [start]
    edges = 0
    for node in todo:  # grows while it is walked
        for step in stepper.steps(node):
            edges += 1
            if step.broken is not None:
                run = (*_run(before, node), step.trace)
                return Composition(bounds, deviation, len(before), edges, step.broken, run)
            if step.node is not None and step.node not in before:
                before[step.node] = node, step.trace
                todo.append(step.node)
    return Composition(bounds, deviation, len(before), edges)


def _greeted(pipeline: Pipeline) -> Configuration:
    """The client once EHLO was accepted, and offered what running ahead needs."""
    machine = pipeline.machine
    configuration = machine.space.start
    for trigger in (*_OPENING, *_OFFERS):
        configuration = machine.step(configuration, trigger).target
    return configuration


_OPENING = ("connect", "reply_220", "send_ehlo", "reply_2yz")
_OFFERS = ("offer_pipelining", "offer_chunking", "offers_end")


def _run(before: dict[Node, tuple[Node, Trace] | None], node: Node) -> tuple[Trace, ...]:
    run: list[Trace] = []
    while (step := before[node]) is not None:
        node, trace = step
        run.append(trace)
    return tuple(reversed(run))
