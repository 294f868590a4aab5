"""Every reachable configuration × every trigger: all readings of the YAML agree.

Four readings: the `transitions` library on its own events, the memo in front of it, the verifier's
interpreter of the loaded rows, and the tests' interpreter of the raw file.
"""

from itertools import combinations

import pytest
from transitions import MachineError

from fsm_smtp.machine import Model, ProtocolMachine, Step, stock_machine
from fsm_smtp.table import Table, load_table
from fsm_smtp.verify.explore import Graph, explore
from fsm_smtp.verify.interpreter import Edge
from tests.core.yaml_interpreter import Place, Reading

SHIPPED = ("auth_wanted", "no_auth_retry", "require_tls")
#: The overlays differ in what they touch: each alone, and all at once, go through every pair.
WALKED = [*((one,) for one in SHIPPED), SHIPPED]
COMBINATIONS = [some for n in range(len(SHIPPED) + 1) for some in combinations(SHIPPED, n)]

#: What a reading says of a trigger: the row and the place afterwards, or None when it is refused.
Verdict = tuple[str, Place] | None


def verdict(step: Step) -> Verdict:
    """A step of the machine as a verdict."""
    return None if step.row is None else (step.row.id, (step.target.state, step.target.memory))


def driven(machine: ProtocolMachine, place: Place, trigger: str) -> Verdict:
    """What an event of the library makes of a model that stands in *place*."""
    before = machine.space.intern(*place)
    model = Model(before, machine.space)
    try:
        moved = machine.events[trigger].trigger(model)
    except MachineError:
        moved = False
    if not moved:
        assert model.configuration is before, "a refusal must change nothing"
        assert model.step.row is None
        return None
    assert model.step.target is model.configuration
    return verdict(model.step)


def by_trigger(graph: Graph, place: Place) -> dict[str, list[Edge]]:
    """The verifier's edges of *place*."""
    found: dict[str, list[Edge]] = {}
    for edge in graph.edges[place]:
        found.setdefault(edge.trigger, []).append(edge)
    return found


def only(found: list[tuple[str, Place]]) -> Verdict:
    """The single verdict of a reading that could give several."""
    assert len(found) <= 1, found
    return found[0] if found else None


def walked(machine: ProtocolMachine, table: Table) -> set[Place]:
    """Every place that the machine itself can be driven to."""
    known = {machine.space.start}
    todo = list(known)
    while todo:
        configuration = todo.pop()
        for trigger in table.triggers:
            target = machine.step(configuration, trigger).target
            if target not in known:
                known.add(target)
                todo.append(target)
    return {(configuration.state, configuration.memory) for configuration in known}


def test_the_shipped_table_on_every_pair() -> None:
    table = load_table()
    reading, graph = Reading(), explore(table)
    stock, memo = stock_machine(table), ProtocolMachine(table)
    places = reading.reachable()

    assert places == set(graph.places) == walked(memo, table)
    assert len(graph.places) == len(places)
    assert reading.triggers == list(table.triggers)
    accepted = 0
    for place in places:
        edges = by_trigger(graph, place)
        for trigger in table.triggers:
            expected = only(reading.after(place, trigger))
            accepted += expected is not None
            assert driven(stock, place, trigger) == expected, (place, trigger)
            # The first time the memo asks the library; the second time it remembers.
            assert verdict(memo.step(memo.space.intern(*place), trigger)) == expected
            assert driven(memo, place, trigger) == expected, (place, trigger)
            found = [(edge.row.id, edge.target) for edge in edges.get(trigger, [])]
            assert only(found) == expected, (place, trigger)
    assert accepted == graph.edge_count


@pytest.mark.parametrize("overlays", WALKED, ids="+".join)
def test_the_shipped_overlays_on_every_pair(overlays: tuple[str, ...]) -> None:
    table = load_table(overlays=overlays)
    reading, graph, memo = Reading(*overlays), explore(table), ProtocolMachine(table)
    places = reading.reachable()

    assert places == set(graph.places) == walked(memo, table)
    assert reading.triggers == list(table.triggers)
    for place in places:
        edges = by_trigger(graph, place)
        for trigger in table.triggers:
            expected = only(reading.after(place, trigger))
            assert verdict(memo.step(memo.space.intern(*place), trigger)) == expected, (
                place,
                trigger,
            )
            found = [(edge.row.id, edge.target) for edge in edges.get(trigger, [])]
            assert only(found) == expected, (place, trigger)


def test_running_ahead_on_every_pair() -> None:
    table = load_table().whole
    reading, memo = Reading(ahead=True), ProtocolMachine(table)
    places = reading.reachable()
    assert places == walked(memo, table)
    assert sorted(reading.triggers) == sorted(table.triggers)
    for place in places:
        configuration = memo.space.intern(*place)
        for trigger in table.triggers:
            expected = only(reading.after(place, trigger))
            assert verdict(memo.step(configuration, trigger)) == expected, (place, trigger)


def test_no_reading_knows_a_place_that_another_does_not() -> None:
    """The same question asked of places that no run reaches: the guards alone decide there."""
    table = load_table()
    reading, memo = Reading(), ProtocolMachine(table)
    _, start = reading.start
    for state in table.states:
        for name, variable in table.variables.items():
            for value in variable.domain:
                memory = list(start)
                memory[memo.space.place("link")] = "up"
                memory[memo.space.place(name)] = value
                place = (state, tuple(memory))
                for trigger in table.triggers:
                    assert driven(memo, place, trigger) == only(reading.after(place, trigger))
