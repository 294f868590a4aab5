"""Claims about the rows of running ahead: dead in lock-step, alive and complete outside of it.

Here every command that is doomed may take its turn wherever the table lets it: more than any real
client runs into. What clients of ours can run into is explored with the rules of `fsm_smtp.ahead`.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from fsm_smtp.table import Table
from fsm_smtp.verify.check import Check
from fsm_smtp.verify.explore import Graph, explore
from fsm_smtp.verify.interpreter import Interpreter


def check_ahead(table: Table, lockstep: Graph) -> Iterator[Check]:
    """The claims; *lockstep* is what can be reached without running ahead."""
    graph = explore(table.whole)
    yield _dead_in_lockstep(table, lockstep)
    yield _fires(table, graph)
    yield _deterministic(graph)
    yield _judged(table, graph)


def _dead_in_lockstep(table: Table, lockstep: Graph) -> Check:
    says = "what says ahead: true is out of reach in lock-step"
    ahead = Interpreter(replace(table, rows=table.ahead_rows))
    for place in lockstep.places:
        for edge in ahead.edges(place):
            if edge.trigger not in table.ahead_triggers:
                problem = f"row {edge.row.id} ({edge.row.place}) fires on {edge.trigger}"
                run = (*lockstep.run_to(place), edge)
                return Check("ahead-dead", "absence", says, None, False, problem, run)
    return Check("ahead-dead", "absence", says, None, True)


def _fires(table: Table, graph: Graph) -> Check:
    says = "running ahead, every row of it fires, from each of its sources and on each trigger"
    fired = {(e.row.id, e.trigger, e.source[0]) for edges in graph.edges.values() for e in edges}
    dead = [
        f"row {row.id} ({row.place}) on {trigger} from {source}"
        for row in table.ahead_rows
        for trigger in row.triggers
        for source in row.sources
        if (row.id, trigger, source) not in fired
    ]
    problem = f"never fires: {'; '.join(dead)}" if dead else None
    return Check("ahead-fires", "existence", says, None, not dead, problem)


def _deterministic(graph: Graph) -> Check:
    says = "running ahead, a trigger has at most one row in every configuration"
    for place in graph.places:
        counted = Counter(edge.trigger for edge in graph.edges[place])
        twice = [trigger for trigger, count in counted.items() if count > 1]
        if twice:
            problem = f"{', '.join(twice)} in {place[0]}"
            run = graph.run_to(place)
            return Check("ahead-determinism", "absence", says, None, False, problem, run)
    return Check("ahead-determinism", "absence", says, None, True)


def _judged(table: Table, graph: Graph) -> Check:
    """Every `always` entry holds there, too: whatever the server says has a row."""
    says = "running ahead, whatever the server sends and whenever it closes has a row"
    for place in graph.places:
        enabled = {edge.trigger for edge in graph.edges[place]}
        for entry in table.always:
            if graph.interpreter.holds(place, entry.when):
                missing = [trigger for trigger in entry.triggers if trigger not in enabled]
                if missing:
                    problem = f"no row for {', '.join(missing)} in {place[0]}"
                    run = graph.run_to(place)
                    return Check("ahead-judged", "universality", says, None, False, problem, run)
    return Check("ahead-judged", "universality", says, None, True)
