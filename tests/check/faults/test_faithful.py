"""On a faithful server nothing fails, and every case gets to its point on one of them."""

from collections.abc import Container

import pytest

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.cases.suite import Suite
from fsm_smtp.testing.server.faults import faulty
from fsm_smtp.testing.server.session import Session
from tests.check.fast_clock import run_fast
from tests.check.faults.playing import Played, Way, play, usual
from tests.check.faults.ways import SPECIAL, SUBMISSION, WAYS
from tests.check.playing import SUITE

#: Recommended, and not there without extensions (RFC 5321 §2.4, RFC 2034).
RECOMMENDED = frozenset({"R009"})
BLAMED = (Verdict.FAIL, Verdict.TIMEOUT, Verdict.WARN, Verdict.ERROR)
WRONG = (*BLAMED, Verdict.INCONCLUSIVE)


def played_on(way: Way, suite: Suite = SUITE, session: type[Session] = Session) -> Played:
    return run_fast(play(suite, way, session))


def told(played: Played, *verdicts: Verdict) -> dict[str, tuple[str, str, str]]:
    return {
        name: (one.verdict.value, one.expected, one.actual)
        for name, one in played.of(*verdicts).items()
        if not RECOMMENDED.intersection(one.requirements)
    }


@pytest.mark.parametrize("name", WAYS)
def test_a_faithful_server_keeps_everything(name: str) -> None:
    played = played_on(WAYS[name])
    assert played.unreachable is None
    assert told(played, *WRONG) == {}
    assert len(played.of(Verdict.PASS)) > 80
    assert played.exit_codes[0] == 0


@pytest.mark.parametrize("name", SUBMISSION)
def test_a_submission_server_refuses_nothing_but_by_policy(name: str) -> None:
    way, globs = SUBMISSION[name]
    played = played_on(way, SUITE.select(globs))
    assert told(played, *BLAMED) == {}
    assert all("530" in one.actual for one in played.of(Verdict.INCONCLUSIVE).values())


@pytest.mark.parametrize("name", SPECIAL)
def test_a_server_of_its_own_kind_keeps_what_it_owes(name: str) -> None:
    way, globs = SPECIAL[name]
    played = played_on(way, SUITE.select(globs))
    assert told(played, *WRONG) == {}
    assert played.of(Verdict.PASS)


#: Only a server that does what it should not comes to the point of these.
BEHIND_A_FAULT = {
    "2920-3.2-empty-message-for-nobody": "says 354 for nobody, and refuses the message",
}


def test_no_case_is_idle() -> None:
    """Each case comes to its point on one of the servers above."""
    idle = [case for case in SUITE.cases if case.id not in BEHIND_A_FAULT]
    chosen = {name: (way, ("*",)) for name, way in WAYS.items()}
    for way, globs in (*chosen.values(), *SUBMISSION.values(), *SPECIAL.values()):
        played = {case.id for case in SUITE.select(globs).cases}
        suite = Suite(tuple(case for case in idle if case.id in played))
        decided: Container[str] = played_on(way, suite).of(Verdict.PASS, Verdict.INFO)
        idle = [case for case in idle if case.id not in decided]
    assert [case.id for case in idle] == []


@pytest.mark.parametrize("name", BEHIND_A_FAULT)
def test_a_case_behind_a_fault_is_not_idle(name: str) -> None:
    played = played_on(Way(usual()), SUITE.select([name]), faulty(BEHIND_A_FAULT[name]))
    assert set(played.of(Verdict.PASS)) == {name}
