"""The checker examined: on a faithful server nothing fails, on each single fault the right case.

``python -m tests.check.faults.coverage`` plays every fault against the whole suite and prints what
is missing on either side.
"""

import asyncio

import pytest

from fsm_smtp.check.cases.case import Case, Level, Verdict
from fsm_smtp.check.cases.suite import Suite
from fsm_smtp.check.engine.connection import TLSMode
from fsm_smtp.testing.server.certificate import server_context
from fsm_smtp.testing.server.faults import FAULTS, Fault
from fsm_smtp.testing.server.options import Options
from tests.check.faults.playing import (
    SETTINGS,
    WITH_CREDENTIALS,
    Played,
    found,
    naming,
    play,
    play_fault,
)
from tests.check.faults.suspects import CANNOT_FAIL_YET, NOT_CAUGHT_YET
from tests.check.playing import SUITE

NOTHING_OFFERED = frozenset({"HELP"})
#: Recommended, and not there without extensions (RFC 5321 §2.4, RFC 2034).
RECOMMENDED = frozenset({"R009"})
WRONG = (Verdict.FAIL, Verdict.TIMEOUT, Verdict.WARN, Verdict.ERROR, Verdict.INCONCLUSIVE)

FAITHFUL = {
    "all offers": (Options(context=server_context()), TLSMode.NONE, SETTINGS),
    "no offers": (Options(extensions=NOTHING_OFFERED), TLSMode.NONE, SETTINGS),
    "bare CR and LF kept": (Options(keeps_bare=True), TLSMode.NONE, SETTINGS),
    "STARTTLS and AUTH": (Options(context=server_context()), TLSMode.STARTTLS, WITH_CREDENTIALS),
    "implicit TLS and AUTH": (
        Options(context=server_context(), implicit_tls=True),
        TLSMode.IMPLICIT,
        WITH_CREDENTIALS,
    ),
}


def told(played: Played, *verdicts: Verdict) -> dict[str, tuple[str, str, str]]:
    return {
        name: (one.verdict.value, one.expected, one.actual)
        for name, one in played.of(*verdicts).items()
        if not RECOMMENDED.intersection(one.requirements)
    }


@pytest.mark.parametrize("name", FAITHFUL)
def test_a_faithful_server_keeps_everything(name: str) -> None:
    options, mode, settings = FAITHFUL[name]
    played = asyncio.run(play(SUITE, options, mode=mode, settings=settings))
    assert played.unreachable is None
    assert told(played, *WRONG) == {}
    assert len(played.of(Verdict.PASS)) > 80


def test_a_submission_server_refuses_nothing_but_by_policy() -> None:
    options = Options(context=server_context(), submission=True)
    played = asyncio.run(play(SUITE, options, mode=TLSMode.STARTTLS, settings=WITH_CREDENTIALS))
    assert told(played, Verdict.FAIL, Verdict.TIMEOUT, Verdict.WARN, Verdict.ERROR) == {}
    assert all("530" in one.actual for one in played.of(Verdict.INCONCLUSIVE).values())


def caught(fault: Fault) -> bool:
    """Whether a case that names what the fault breaks finds it."""
    suite = naming(SUITE.cases, fault.breaks)
    if not suite.cases:
        return False
    played = asyncio.run(play_fault(fault, suite))
    return played.unreachable is not None if fault.unreachable else bool(found(fault, played))


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found(fault: Fault) -> None:
    if fault.name in NOT_CAUGHT_YET:
        assert not caught(fault), "it is caught now: strike it off tests/check/faults/suspects.py"
    else:
        assert caught(fault)


def test_a_finding_says_what_was_expected_and_what_came() -> None:
    [(_, one)] = asyncio.run(
        play_fault(FAULTS["takes RCPT without MAIL"], SUITE.select(["5321-3.3-rcpt-before-mail"]))
    ).results.items()
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
    assert set(asyncio.run(play_fault(FAULTS[fault], order)).of(Verdict.FAIL)) == expected


def fails_on(case: Case) -> str | None:
    """A fault that makes the case fail, of those that break what the case names."""
    for fault in FAULTS.values():
        if fault.breaks in case.requirements:
            played = asyncio.run(play_fault(fault, Suite((case,))))
            if played.of(Verdict.FAIL):
                return fault.name
    return None


MUST = [case for case in SUITE.cases if case.level is Level.MUST]


@pytest.mark.parametrize("case", MUST, ids=[case.id for case in MUST])
def test_every_requirement_can_be_found_broken(case: Case) -> None:
    """No case of level MUST is one that nothing could make fail."""
    if case.id in CANNOT_FAIL_YET:
        assert fails_on(case) is None, "it fails now: strike it off tests/check/faults/suspects.py"
    else:
        assert fails_on(case) is not None


def test_the_lists_name_what_is_there() -> None:
    assert set(NOT_CAUGHT_YET) <= set(FAULTS)
    assert set(CANNOT_FAIL_YET) <= {case.id for case in SUITE.cases}
