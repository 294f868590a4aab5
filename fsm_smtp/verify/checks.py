"""The claims about a table, each with its verdict and, when it fails, the shortest run to it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from fsm_smtp.table import Always, Goal, Table
from fsm_smtp.verify.ahead import check_ahead
from fsm_smtp.verify.check import Check
from fsm_smtp.verify.explore import Graph, explore
from fsm_smtp.verify.interpreter import Edge, Place
from fsm_smtp.verify.properties import check_properties


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome of verifying one table.

    Attributes:
        table: the table.
        configurations: how many can be reached.
        edges: how many steps lead from them.
        checks: every claim and its verdict: first those about the table's form, then its
            ``always`` and ``goals``, then its ``properties`` in the order written.
        histories: how many pairs of configuration and history the properties were decided on.
    """

    table: Table
    configurations: int
    edges: int
    checks: tuple[Check, ...]
    histories: int = 0

    @property
    def holds(self) -> bool:
        """Whether every check holds, and none vacuously."""
        return all(check.passed for check in self.checks)


def verify(table: Table) -> Verification:
    """Visit every reachable configuration of *table* and check every claim."""
    graph = explore(table)
    product, properties = check_properties(table, graph)
    checks = (
        _every_state_reached(table, graph),
        _deterministic(graph),
        _no_dead_row(table, graph),
        *(check_ahead(table, graph) if table.ahead_rows else ()),
        *(_always(entry, graph) for entry in table.always),
        *(_goal(goal, graph) for goal in table.goals),
        *properties,
    )
    return Verification(table, len(graph.places), graph.edge_count, checks, len(product.nodes))


def _every_state_reached(table: Table, graph: Graph) -> Check:
    reached = {state for state, _ in graph.places}
    missing = [state for state in table.states if state not in reached]
    if table.overlays:  # a policy may take away every row that leads to a state
        led_to = {row.dest for row in table.rows}
        missing = [state for state in missing if state in led_to]
    problem = f"never reached: {', '.join(missing)}" if missing else None
    says = "every state can be reached"
    return Check("states-reached", "existence", says, None, not missing, problem)


def _deterministic(graph: Graph) -> Check:
    says = "in every configuration a trigger has at most one row"
    for place in graph.places:
        counted = Counter(edge.trigger for edge in graph.edges[place])
        for trigger, count in counted.items():
            if count > 1:
                rows = [edge.row.id for edge in graph.edges[place] if edge.trigger == trigger]
                found = f"{trigger} in {place[0]} has the rows {', '.join(rows)}"
                run = graph.run_to(place)
                return Check("determinism", "absence", says, None, False, found, run)
    return Check("determinism", "absence", says, None, True)


def _no_dead_row(table: Table, graph: Graph) -> Check:
    fired = {(e.row.id, e.trigger, e.source[0]) for edges in graph.edges.values() for e in edges}
    dead = list(_dead(table, fired))
    problem = f"never fires: {'; '.join(dead)}" if dead else None
    says = "every row fires, from each of its sources and on each of its triggers"
    return Check("no-dead-row", "existence", says, None, not dead, problem)


def _dead(table: Table, fired: set[tuple[str, str, str]]) -> Iterator[str]:
    fired_rows = {row_id for row_id, _, _ in fired}
    for row in table.rows:
        if row.place.startswith(f"{table.path}:") and table.overlays:
            # A policy may leave a row of the table it is laid over fewer places to fire from.
            if row.id not in fired_rows:
                yield f"row {row.id} ({row.place})"
            continue
        for trigger in row.triggers:
            sources = [s for s in row.sources if (row.id, trigger, s) not in fired]
            if sources:
                yield f"row {row.id} ({row.place}) on {trigger} from {', '.join(sources)}"


def _always(entry: Always, graph: Graph) -> Check:
    holds = graph.interpreter.holds
    visited = False
    for place in graph.places:
        if holds(place, entry.when):
            visited = True
            enabled = {edge.trigger for edge in graph.edges[place]}
            missing = [trigger for trigger in entry.triggers if trigger not in enabled]
            if missing:
                found = f"no row for {', '.join(missing)} in {_described(place, graph)}"
                run = graph.run_to(place)
                return Check(entry.id, "universality", entry.says, entry.rfc, False, found, run)
    problem = None if visited else "no reachable configuration is meant by it"
    return Check(entry.id, "universality", entry.says, entry.rfc, visited, problem)


def _goal(goal: Goal, graph: Graph) -> Check:
    def reaches(edge: Edge) -> bool:
        return edge.trigger == goal.trigger and goal.source in (None, edge.source[0])

    able = graph.can_reach(reaches, goal.without)
    visited = False
    for place in graph.places:
        if graph.interpreter.holds(place, goal.start):
            visited = True
            if place not in able:
                what = f"{goal.trigger} cannot be reached from {_described(place, graph)}"
                run = graph.run_to(place)
                return Check(goal.id, "reachability", goal.says, goal.rfc, False, what, run)
    problem = None if visited else "no reachable configuration is meant by it"
    return Check(goal.id, "reachability", goal.says, goal.rfc, visited, problem)


def _described(place: Place, graph: Graph) -> str:
    """The state, and the variables that differ from their start values."""
    table = graph.interpreter.table
    values = [
        f"{variable.name}={value}"
        for variable, value in zip(table.variables.values(), place[1], strict=True)
        if value != variable.start
    ]
    return f"{place[0]} ({', '.join(values) or 'at the start'})"
