"""How a run ends that cannot go on, what comes late, and that two runs say the same."""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.embedded import embedded_server
from fsm_smtp.check.engine.connection import Target, TLSMode
from fsm_smtp.check.engine.events import CaseFinished, SuiteFinished
from fsm_smtp.check.engine.policy import Policy
from fsm_smtp.check.engine.presence import Presence
from fsm_smtp.check.engine.runner import run_suite
from fsm_smtp.check.engine.session import Settings
from fsm_smtp.errors import TargetUnreachable
from fsm_smtp.testing import SMTPServer
from fsm_smtp.testing.scripted import Line, Say, ScriptedServer
from tests.check.playing import SETTINGS, SUITE, play, play_strict, suite_from
from tests.check.strict_server import HOST, strict_server
from tests.listening import lead, listening


def refused(target: Target, settings: Settings = SETTINGS) -> str:
    async def run() -> None:
        async for _ in run_suite(SUITE, target, settings):
            pass

    with pytest.raises(TargetUnreachable) as caught:
        asyncio.run(run())
    assert "\n" not in str(caught.value)
    return caught.value.why


def test_an_unknown_host() -> None:
    assert refused(Target("256.256.256.256", 25))


def test_a_web_server() -> None:
    answer = (Line(), Say(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    with (
        ScriptedServer(always=answer) as server,
        pytest.raises(TargetUnreachable, match="a web server answers"),
    ):
        asyncio.run(play(SUITE, server.port, replace(SETTINGS, timeout=0.2)))


def test_tls_on_a_plaintext_port() -> None:
    async def run() -> None:
        async with strict_server() as port:
            async for _ in run_suite(SUITE, Target(HOST, port, TLSMode.IMPLICIT), SETTINGS):
                pass

    with pytest.raises(
        TargetUnreachable,
        match="TLS failed: what answers is no TLS; does this port want --starttls",
    ):
        asyncio.run(run())


@pytest.mark.parametrize("jobs", [1, 4])
def test_a_server_that_goes_away_in_the_middle_keeps_what_is_known(
    monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    monkeypatch.setattr("fsm_smtp.check.engine.presence.RETRY_AFTER", 0.01)

    async def run() -> tuple[int, SuiteFinished]:
        known = 0
        finished = None
        # The strict server stands behind a door that falls shut, and cuts who is inside.
        async with (
            asyncio.timeout(20),
            strict_server() as port,
            listening(partial(lead, port)) as door,
        ):
            target = Target(HOST, door.port)
            async for event in run_suite(SUITE, target, replace(SETTINGS, jobs=jobs)):
                if isinstance(event, CaseFinished):
                    known += 1
                    if known == 20:
                        await door.shut()
                if isinstance(event, SuiteFinished):
                    finished = event
        assert finished is not None
        return known, finished

    known, finished = asyncio.run(run())
    assert known == len(finished.results) == len(SUITE.cases)
    verdicts = [result.verdict for result in finished.results]
    assert verdicts.count(Verdict.PASS) >= 15
    assert verdicts.count(Verdict.INCONCLUSIVE) > 60
    assert Verdict.FAIL not in verdicts
    (note,) = [note for note in finished.notes if "is gone" in note]
    assert "the cases that were left were not played" in note


def test_two_runs_against_one_server_say_the_same() -> None:
    def said(port: int) -> dict[str, tuple[Verdict, str]]:
        results = asyncio.run(play(SUITE, port, replace(SETTINGS, quiet=None)))
        return {name: (result.verdict, result.actual) for name, result in results.items()}

    with embedded_server() as port:
        assert said(port) == said(port)


def test_two_runs_against_strict_servers_say_the_same() -> None:
    first, second = play_strict(SUITE), play_strict(SUITE)
    assert {name: (one.verdict, one.actual) for name, one in first.items()} == {
        name: (one.verdict, one.actual) for name, one in second.items()
    }


def test_strict_makes_a_warning_a_failure(tmp_path: Path) -> None:
    suite = suite_from(tmp_path, "- send: NOOP\n  expect: 251", level="SHOULD")
    for strict, verdict in ((False, Verdict.WARN), (True, Verdict.FAIL)):
        (result,) = play_strict(suite, settings=replace(SETTINGS, strict=strict)).values()
        assert result.verdict is verdict


@pytest.mark.parametrize(
    ("expect", "verdict"),
    [
        ("{pass: [silence], fail: [2yz]}", Verdict.FAIL),
        ("{pass: [silence], latitude: [2yz]}", Verdict.LATITUDE),
    ],
)
def test_a_reply_that_comes_after_the_silence_is_judged(
    tmp_path: Path, expect: str, verdict: Verdict
) -> None:
    suite = suite_from(tmp_path, f'- raw: "SLOW\\r\\n"\n  expect: {expect}')
    with SMTPServer() as server:
        server.order("SLOW", delay=0.25, reply="250 fine")
        played = play(suite, server.port, replace(SETTINGS, quiet=0.1))
        (result,) = asyncio.run(played).values()
    assert (result.verdict, result.actual) == (verdict, "250 fine (late)")


class TestPresence:
    def test_too_many_connections_lower_the_number_of_sessions(self) -> None:
        presence = Presence(4)
        presence.turned_away("421 too many connections", Policy.CONNECTIONS)
        assert presence.limit == 3
        for _ in range(5):
            presence.turned_away("421 too many connections", Policy.CONNECTIONS)
        assert presence.limit == 1
        (note,) = presence.notes
        assert "fewer sessions than 4 at a time were taken" in note

    def test_pauses_grow_up_to_a_limit(self) -> None:
        presence = Presence(1)
        pauses = [presence.pause(attempt) for attempt in (1, 2, 3, 9)]
        assert pauses == sorted(pauses)
        assert pauses[-1] == 5.0

    def test_one_session_that_is_let_in_is_enough(self) -> None:
        presence = Presence(1)
        for _ in range(30):
            presence.unreached("connection refused")
            presence.met()
        assert not presence.gone

    def test_none_is_the_end(self) -> None:
        presence = Presence(1)
        for _ in range(5):
            presence.unreached("connection refused")
        assert presence.gone == "the server is gone (connection refused)"
