"""The guarantee, on the wire: a server that is another machine is found out, and where."""

import asyncio
import random

import pytest

from fsm_smtp.automata.equivalence import difference
from fsm_smtp.automata.mealy import Mealy
from fsm_smtp.check.derived.examination import Examination
from fsm_smtp.check.derived.findings import case_id
from fsm_smtp.check.engine.events import CaseResult
from tests.check.derived.machine_server import STRICT, changed, machine_server, with_hidden_state
from tests.check.derived.running import SETTINGS

STATES = range(STRICT.machine.size)
CLOSED = next(s for s in STATES if set(STRICT.machine.outputs[s]) == {"closed"})


def examined(machine: Mealy[str, str], extra: int = 0) -> tuple[Examination, list[CaseResult]]:
    async def run() -> tuple[Examination, list[CaseResult]]:
        async with machine_server(machine, SETTINGS) as site:
            examination = Examination(site)
            words = site.reference.suite(extra).words()
            found = [result async for result in examination.examine(words)]
            return examination, [result for result in found if result is not None]

    return asyncio.run(run())


def ids(state: int, name: str) -> set[str]:
    """The ids that a transition of the minimal machine may have: one for each standing in it."""
    return {
        case_id(STRICT, standing, name)
        for standing, its_class in STRICT.classes.items()
        if its_class == state
    }


def test_the_machine_itself_passes() -> None:
    examination, results = examined(STRICT.machine)
    assert results == []
    assert (examination.failed, examination.unexplained, examination.cut) == (0, 0, {})
    assert examination.played == len(STRICT.suite(0))


def mutants(count: int) -> list[tuple[int, str, str | None, int | None]]:
    """Transitions with a wrong output or a wrong next state, drawn once and for all."""
    drawn = random.Random(5321)
    found: list[tuple[int, str, str | None, int | None]] = []
    while len(found) < count:
        state = drawn.choice([each for each in STATES if each != CLOSED])
        name = drawn.choice([each for each in STRICT.machine.inputs if each != "quit"])
        output = STRICT.machine.run((name,), state)[0]
        if output not in ("2yz", "5yz", "354"):
            continue
        if drawn.random() < 0.4:
            found.append((state, name, "5yz" if output == "2yz" else "2yz", None))
        else:
            found.append((state, name, None, drawn.choice([s for s in STATES if s != CLOSED])))
    return found


@pytest.mark.parametrize(("state", "name", "output", "following"), mutants(14))
def test_one_changed_transition_is_found_and_named(
    state: int, name: str, output: str | None, following: int | None
) -> None:
    machine = changed(state, name, output=output, following=following)
    examination, results = examined(machine)
    if difference(STRICT.machine, machine) is None:
        assert results == []
        return
    assert len(results) == 1
    assert results[0].case.id in ids(state, name)
    assert examination.failed >= 1
    assert examination.unexplained == 0


def test_two_changed_transitions_are_told_apart() -> None:
    ready = STRICT.machine.after(("ehlo",))
    once = changed(ready, "noop", output="5yz")
    rows = [list(row) for row in once.outputs]
    rows[0][once.inputs.index("rcpt")] = "2yz"
    both = Mealy(once.inputs, tuple(map(tuple, rows)), once.successors)
    _, results = examined(both)
    found = {result.case.id for result in results}
    assert len(found) == 2
    assert found & ids(ready, "noop")
    assert found & ids(0, "rcpt")


def test_a_state_too_many_is_found_with_one_extra() -> None:
    """Two NOOPs before EHLO open a door, which no single transition shows."""
    machine = with_hidden_state(2)
    assert difference(STRICT.machine, machine) == ("noop", "noop", "mail")
    assert examined(machine)[1] == []
    _, [result] = examined(machine, extra=1)
    assert result.case.id in ids(0, "noop")
