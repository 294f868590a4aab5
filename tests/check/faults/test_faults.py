"""The checker examined: each fault of a server is found, and each case finds one.

The faults are in `fsm_smtp.testing.server.faults`. Here each meets the cases that name what it
breaks; ``python -m tests.exam.checker`` plays each against the whole suite (docs/checker.md).
"""

import pytest

from fsm_smtp.check.cases.case import Case, Level, Verdict
from fsm_smtp.check.cases.suite import Suite
from fsm_smtp.register import load_register
from fsm_smtp.testing.server.faults import FAULTS, LIBERTIES
from tests.check.fast_clock import run_fast
from tests.check.faults.playing import is_found, owed_codes, play_all, play_fault
from tests.check.playing import SUITE

RFC_OF = {one.id: one.rfc.split()[0] for one in load_register()}
RFCS = sorted({RFC_OF[fault.breaks] for fault in FAULTS.values()}, key=int)
#: What a case must say of some fault, by its level; MAY blames nobody.
FINDS = {Level.MUST: (Verdict.FAIL,), Level.SHOULD: (Verdict.FAIL, Verdict.WARN)}


def about(case: Case) -> str:
    """The RFC of what a case is about first."""
    return RFC_OF[case.requirements[0]]


@pytest.mark.parametrize("rfc", RFCS)
def test_each_fault_is_found_and_each_case_finds_one(rfc: str) -> None:
    """A fault that no case finds, or a case that no fault makes fail, is suspect."""
    faults = [fault for fault in FAULTS.values() if RFC_OF[fault.breaks] == rfc]
    played = play_all(faults, SUITE, about=True)
    missed = [fault.name for fault in faults if not is_found(fault, played[fault.name])]
    suspects = [
        case.id
        for case in SUITE.cases
        if case.level in FINDS
        and about(case) == rfc
        and not any(case.id in one.of(*FINDS[case.level]) for one in played.values())
    ]
    assert (missed, suspects) == ([], [])
    codes = {fault.name: played[fault.name].exit_codes for fault in faults}
    assert codes == {fault.name: owed_codes(fault) for fault in faults}


def test_every_rfc_of_the_cases_has_faults() -> None:
    assert {about(case) for case in SUITE.cases if case.level in FINDS} <= set(RFCS)


def test_nobody_is_blamed_for_a_liberty() -> None:
    """What only looks like a fault: a remark at most, and at least one case that got there."""
    played = play_all(LIBERTIES.values(), SUITE, about=True)
    blamed = {
        name: one.of(Verdict.FAIL, Verdict.WARN, Verdict.TIMEOUT, Verdict.ERROR)
        for name, one in played.items()
    }
    assert blamed == {name: {} for name in LIBERTIES}
    assert {one.exit_codes for one in played.values()} == {(0, 0)}
    for name, one in played.items():
        assert one.of(Verdict.PASS, Verdict.LATITUDE, Verdict.INFO), name


def test_a_finding_says_what_was_expected_and_what_came() -> None:
    case = SUITE.select(["5321-3.3-rcpt-before-mail"])
    [one] = run_fast(play_fault(FAULTS["takes RCPT without MAIL"], case)).results.values()
    assert one.verdict is Verdict.FAIL
    assert one.transcript
    assert one.expected
    assert one.actual


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (
            "refuses a second EHLO",
            {"5321-4.1.4-second-ehlo", "5321-4.1.1.1-ehlo-after-helo"},
        ),
        ("takes 50 recipients", {"5321-4.5.3.1.8-100-recipients"}),
        ("greets without a name", {"5321-3.1-greeting"}),
    ],
)
def test_a_fault_fails_nothing_else(fault: str, expected: set[str]) -> None:
    order = Suite(tuple(case for case in SUITE.cases if case.id.startswith("5321-")))
    assert set(run_fast(play_fault(FAULTS[fault], order)).of(Verdict.FAIL)) == expected
