"""RSET in the place of a new connection: what is shown first, what follows, and when it is not."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from fsm_smtp.automata.equivalence import difference
from fsm_smtp.automata.mealy import Mealy
from fsm_smtp.check.derived import plan
from fsm_smtp.check.derived.examination import Examination
from fsm_smtp.check.derived.plan import Plan, planned
from fsm_smtp.check.derived.reference import Word
from fsm_smtp.check.derived.resetting import RSET, Reset, Resets
from fsm_smtp.check.engine.connection import Target
from fsm_smtp.check.engine.events import CaseResult, ServerInfo
from fsm_smtp.check.engine.pace import Pace
from fsm_smtp.check.engine.survey import Look
from fsm_smtp.owed import UNSENT
from tests.check.derived.machine_server import (
    HOST,
    STRICT,
    changed,
    machine_server,
    with_another_ready,
)
from tests.check.derived.running import SETTINGS, examine_strict

MACHINE = STRICT.machine
READY = MACHINE.after(("ehlo",))
LOOK = Look(ServerInfo("220 mx.example.test"), Pace())
Result = tuple[Plan, Examination, list[CaseResult]]


async def plan_for(extra: int = 0, asked: Reset = Reset.RSET) -> Plan:
    return await planned(STRICT, STRICT.suite(extra), asked, Target(HOST, 0), SETTINGS, LOOK)


def examined(machine: Mealy[str, str], *, extra: int = 0, bears: int | None = None) -> Result:
    async def run() -> Result:
        its_plan = await plan_for(extra)
        async with machine_server(machine, SETTINGS, bears=bears) as site:
            examination = Examination(site, its_plan.resets)
            steps = examination.examine(its_plan.alone, its_plan.chained)
            found = [result async for result in steps]
        return its_plan, examination, [result for result in found if result is not None]

    return asyncio.run(run())


# -- what is proven --------------------------------------------------------------------------------


def mutants(count: int) -> Iterator[Mealy[str, str]]:
    """Machines of no more states than the strict one, with one to three transitions changed."""
    drawn = random.Random(5321)
    closed = {state for state in range(MACHINE.size) if set(MACHINE.outputs[state]) == {"closed"}}
    states = [state for state in range(MACHINE.size) if state not in closed]
    for _ in range(count):
        outputs, successors = [*map(list, MACHINE.outputs)], [*map(list, MACHINE.successors)]
        for _ in range(drawn.randint(1, 3)):
            state, number = drawn.choice(states), drawn.randrange(len(MACHINE.inputs))
            if drawn.random() < 0.3:
                outputs[state][number] = drawn.choice(["2yz", "5yz", "354"])
            successors[state][number] = drawn.choice(states)
        yield Mealy(MACHINE.inputs, tuple(map(tuple, outputs)), tuple(map(tuple, successors)))


def passes(machine: Mealy[str, str], word: Word) -> bool:
    """Whether *machine* answers *word* as the strict one does, as far as that is sent."""
    answers = zip(machine.run(word), MACHINE.run(word), strict=True)
    return all(one == other for one, other in answers if other != UNSENT)


def test_what_passes_the_proof_is_reset_from_every_state_or_found_out() -> None:
    """The claim itself, on machines of at most n states: from whatever state, if RSET, check and
    RSET are answered as they should be, they lead to where the opening has led."""
    resets = Resets(STRICT)
    assert resets.checks == {0: ("mail",), READY: ("mail",)}
    proven = refuted = 0
    for machine in mutants(3000):
        if not all(passes(machine, word) for word in resets.proof):
            refuted += 1
            continue
        proven += 1
        for state, check in resets.checks.items():
            between = (RSET, *check, RSET)
            expected = ("2yz", *MACHINE.run(check, state), "2yz")
            opened = machine.after(STRICT.cover[state])
            ends = {
                machine.after(between, start)
                for start in range(machine.size)
                if machine.run(between, start) == expected
            }
            for end in ends - {opened}:
                assert difference(from_state(machine, end), from_state(machine, opened)) is None
    assert proven > 300
    assert refuted > 300


def from_state(machine: Mealy[str, str], state: int) -> Mealy[str, str]:
    """*machine*, begun in another state."""
    names = [state, *(each for each in range(machine.size) if each != state)]
    return Mealy(
        machine.inputs,
        tuple(machine.outputs[each] for each in names),
        tuple(tuple(map(names.index, machine.successors[each])) for each in names),
    )


def test_chains_find_out_whatever_single_sequences_do() -> None:
    """Of machines of at most n states those that pass behind RSET are those that pass anyhow."""
    made = asyncio.run(plan_for())
    assert made.resets is not None
    chains = list(made.resets.chains(made.chained))
    assert {word for chain in chains for word in chain.words} == set(made.chained)
    suite = list(STRICT.suite(0).words())
    wrong = 0
    for machine in mutants(1500):
        alone = all(passes(machine, word) for word in suite)
        behind = all(passes(machine, word) for word in made.alone) and all(
            passes(machine, chain.whole) for chain in chains
        )
        assert behind <= alone
        wrong += not alone
    assert wrong > 300


@pytest.mark.parametrize("extra", [0, 1])
def test_a_chain_is_what_the_machine_says(extra: int) -> None:
    """Each sequence behind RSET is answered in the chain as it is behind its own opening."""
    made = asyncio.run(plan_for(extra))
    assert made.resets is not None
    chained = 0
    for chain in made.resets.chains(made.chained):
        outputs = MACHINE.run(chain.whole)
        assert len(chain.whole) <= made.resets.inputs or len(chain.words) == 1
        for word, following, end in zip(
            chain.words[:-1], chain.words[1:], chain.ends[1:], strict=True
        ):
            link = made.resets.link(word, following)
            assert link is not None
            rest = MACHINE.run(following)[-len(link.rest) :]
            assert outputs[end - len(link.rest) : end] == rest
            chained += 1
    assert chained > len(made.chained) / 2


def test_a_group_is_rset_check_and_rset() -> None:
    resets = Resets(STRICT, pipelining=True)
    one, other = ("ehlo", "noop", "rcpt"), ("ehlo", "vrfy", "rcpt")
    [chain] = resets.chains([one, other])
    assert chain.whole == (*one, RSET, "mail", RSET, *other[1:])
    assert chain.grouped == {4, 5}
    [chain] = resets.chains([one, ("ehlo", "mail", "rcpt")])  # it is a check itself
    assert chain.whole == (*one, RSET, "mail", "rcpt")
    assert chain.grouped == frozenset()
    [chain] = resets.chains([("ehlo", "mail", "rcpt", "data"), ("ehlo", "mail", "rcpt")])
    assert chain.whole[4:] == ("end_of_data", RSET, "mail", "rcpt")


# -- on the wire -----------------------------------------------------------------------------------


def test_the_machine_itself_passes_behind_rset() -> None:
    its_plan, examination, results = examined(MACHINE)
    assert results == []
    assert (examination.failed, examination.cut, examination.course.doubts) == (0, {}, [])
    assert examination.played == len(its_plan.alone) + len(its_plan.chained)
    assert examination.course.behind_rset > len(its_plan.chained) / 2


def test_a_state_that_rset_makes_is_a_doubt_and_nothing_else() -> None:
    """One state more than m: no sequence shows it, so only RSET may not be relied upon."""
    machine = with_another_ready("noop", "5yz", behind_rset=True)
    its_plan, examination, results = examined(machine)
    assert results == []
    assert examination.failed == 0
    [doubt, *_] = examination.course.doubts
    assert "behind RSET in the state “command, greeted ehlo" in doubt
    assert examination.course.behind_rset == 0
    assert examination.played == len(its_plan.alone) + len(its_plan.chained)
    # With one more state allowed it is a finding, whatever the reset.
    _, _, [found, *_] = examined(machine, extra=1)
    assert found.case.id.endswith("-rset")


def test_a_fault_that_rset_mends_is_found_all_the_same() -> None:
    """Behind RSET the server is right: each transition has a connection of its own."""
    machine = with_another_ready("vrfy", "5yz", behind_rset=False)
    _, examination, [found] = examined(machine)
    assert found.case.id == "model-command-greeted-ehlo-vrfy"
    assert examination.failed > 0


def test_a_session_that_is_too_long_is_policy() -> None:
    its_plan, examination, results = examined(MACHINE, bears=9)
    assert results == []
    assert (examination.failed, examination.cut, examination.course.doubts) == (0, {}, [])
    assert examination.course.cut_off > 0
    assert its_plan.resets is not None
    assert its_plan.resets.inputs <= 9 or its_plan.resets.refusals < 8
    assert examination.course.behind_rset > 0


@pytest.mark.parametrize(
    "change",
    [
        {"name": "rset", "following": MACHINE.after(("ehlo", "mail"))},
        {"name": "noop", "following": 0},
        {"name": "vrfy", "output": "5yz"},
    ],
    ids=lambda change: change["name"],
)
def test_a_changed_transition_is_found_and_named_as_with_connections(
    change: dict[str, str | int],
) -> None:
    state = MACHINE.after(("ehlo", "mail"))
    output, following = change.get("output"), change.get("following")
    assert isinstance(output, str | None)
    assert isinstance(following, int | None)
    machine = changed(state, str(change["name"]), output=output, following=following)

    async def single() -> set[str]:
        async with machine_server(machine, SETTINGS) as site:
            steps = Examination(site).examine(STRICT.suite(0).words())
            return {result.case.id async for result in steps if result is not None}

    _, _, results = examined(machine)
    assert {result.case.id for result in results} == asyncio.run(single()) != set()


@pytest.mark.parametrize(
    ("fault", "relied_upon"),
    [
        ("RSET forgets nothing", False),
        ("RSET keeps the sender", False),
        ("RSET forgets EHLO", False),
        ("RSET closes", False),
        ("a third RSET closes", True),
        ("takes RCPT without MAIL", False),
        ("the end of data clears nothing", True),
    ],
)
def test_a_faulty_server_is_judged_alike_with_both_resets(fault: str, relied_upon: bool) -> None:
    settings = replace(SETTINGS, timeout=0.5)
    single = examine_strict(fault, settings=settings, reset=Reset.CONNECTION)
    behind = examine_strict(fault, settings=settings, reset=Reset.RSET)
    for name, result in single.results.items():
        assert behind.results[name].verdict is result.verdict
    # What shows that RSET resets is more than the suite has, and may find the fault elsewhere too.
    surplus = behind.results.keys() - single.results.keys()
    assert all(name.endswith("-rset") for name in surplus)
    reset = behind.finished.document["reset"]
    assert (reset["used"] == "rset") == relied_upon
    assert bool(reset["doubts"]) != relied_upon
    assert (reset["cut_off"] > 0) == (fault == "a third RSET closes")


# -- what the run chooses --------------------------------------------------------------------------


def test_auto_uses_rset_where_that_saves_time(monkeypatch: pytest.MonkeyPatch) -> None:
    told = examine_strict().finished.document["reset"]
    assert told["used"] == "connection"
    assert "next to no time" in told["said"]
    monkeypatch.setattr(plan, "WORTH", -1.0)
    report = examine_strict()
    told = report.finished.document["reset"]
    assert told["used"] == "rset"
    assert told["said"].endswith("which is a proof for a server of at most m = 6 states.")
    assert report.finished.guarantee.startswith("All ")


def test_auto_guarantees_no_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """For extra states RSET is not proven: only who asks for it has it, and is told."""
    monkeypatch.setattr(plan, "WORTH", -1.0)
    auto = asyncio.run(plan_for(1, Reset.AUTO))
    assert auto.resets is None
    assert auto.alone == tuple(STRICT.suite(1).words())
    report = examine_strict(extra=1, reset=Reset.RSET)
    assert report.finished.guarantee.endswith(
        "would have failed, if RSET resets it also where it has states of its own."
    )
    assert (
        "of the 1 more that it may have that is assumed."
        in report.finished.document["reset"]["said"]
    )
