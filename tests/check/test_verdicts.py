"""Each verdict can be reached, and nothing that a server does escapes as an exception."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from fsm_smtp.check.cases.case import Action, Case, Expectation, Pattern, Step, Verdict
from fsm_smtp.check.cases.suite import Suite
from fsm_smtp.check.engine.connection import Connection, Target, TLSMode
from fsm_smtp.check.engine.events import (
    CaseFinished,
    CaseResult,
    CaseStarted,
    Event,
    SuiteFinished,
    SuiteStarted,
)
from fsm_smtp.check.engine.runner import run_suite
from fsm_smtp.errors import TargetUnreachable
from fsm_smtp.testing.scripted import Hold, Say, ScriptedServer
from tests.check.playing import SETTINGS, SUITE, play, play_strict, suite_from, suite_of
from tests.check.strict_server import HOST, PASSWORD, USER, strict_server
from tests.listening import lead, listening

NOOP = "- send: NOOP\n  expect: 250"


def only(results: dict[str, CaseResult]) -> CaseResult:
    (result,) = results.values()
    return result


@pytest.mark.parametrize(
    ("steps", "level", "fault", "verdict", "actual"),
    [
        (NOOP, "MUST", "", Verdict.PASS, "250 fine"),
        ("- send: NOOP\n  expect: 251", "MUST", "", Verdict.FAIL, "250 fine"),
        ("- send: NOOP\n  expect: 251", "SHOULD", "", Verdict.WARN, "250 fine"),
        ("- send: NOOP\n  expect: 251", "MAY", "", Verdict.INFO, "250 fine"),
        ("- send: NOOP\n  expect: {pass: [251], latitude: [2yz]}", "MUST", "",
         Verdict.LATITUDE, "250 fine"),
        ("- setup: 'RCPT TO:<{recipient}>'\n" + NOOP, "MUST", "", Verdict.INCONCLUSIVE,
         "503 RCPT with no MAIL before it is answered 503"),
        ("- setup: 'RCPT TO:<{recipient}>'\n  otherwise: skip\n" + NOOP, "MUST", "", Verdict.SKIP,
         "503 RCPT with no MAIL before it is answered 503"),
        (NOOP, "MUST", "never answers NOOP", Verdict.TIMEOUT, "silence for 0.3 s"),
        ("- send: 'MAIL FROM:<{sender}>'\n  expect: 250", "MUST", "shuts down at MAIL",
         Verdict.INCONCLUSIVE, "421 mx.example.test busy (policy)"),
        ("- send: 'MAIL FROM:<{sender}>'\n  expect: 421\n- await: close\n  expect: closed", "MUST",
         "shuts down at MAIL", Verdict.PASS, "the server closed the connection"),
        ("- send: 'MAIL FROM:<{sender}>'\n  expect: [503, 5yz]", "MUST", "demands authentication",
         Verdict.INCONCLUSIVE, "530 authentication required (policy: authentication demanded)"),
        ("- send: QUIT\n  expect: 221", "MUST", "QUIT is not answered", Verdict.FAIL,
         "the server closed the connection (RFC 5321 §3.8)"),
        ("- setup: FSMX\n" + NOOP, "MUST", "closes on an unknown command", Verdict.INCONCLUSIVE,
         "the server closed the connection before the point"),
        (NOOP, "MAY", "four digits", Verdict.FAIL,
         "no readable reply: a reply code followed by neither space, hyphen nor CRLF "
         "(RFC 5321 §4.2)"),
        (NOOP, "MUST", "answers NOOP twice", Verdict.FAIL, "one more: 250 and again"),
        ("- raw: 'NO'\n  expect: silence", "MUST", "", Verdict.PASS, "silence for 0.12 s"),
        ("- raw: \"NOOP\\r\\n\"\n  expect: silence", "MUST", "", Verdict.FAIL, "250 fine"),
        ("- pipeline: [NOOP, FSMX]\n  expect: [250, 500]", "MUST", "", Verdict.PASS,
         "500 not recognised"),
        ("- send: NOOP\n  repeat: 3\n  expect: 250", "MUST", "", Verdict.PASS, "250 fine"),
        ("- send: NOOP\n  expect: 250\n  on: {250: [{send: RSET, expect: 251}]}", "MUST", "",
         Verdict.FAIL, "250 reset"),
        ("- send: NOOP\n  expect: 250\n  on: {5yz: [{send: RSET, expect: 251}]}", "MUST", "",
         Verdict.PASS, "250 fine"),
    ],
)  # fmt: skip
def test_verdicts(
    tmp_path: Path, *, steps: str, level: str, fault: str, verdict: Verdict, actual: str
) -> None:
    suite = suite_from(tmp_path, steps, level=level)
    result = only(play_strict(suite, fault, settings=replace(SETTINGS, timeout=0.3)))
    assert (result.verdict, result.actual) == (verdict, actual)
    assert result.expected


def test_requirements_that_were_broken_on_the_way_are_named(tmp_path: Path) -> None:
    suite = suite_from(tmp_path, NOOP)
    assert only(play_strict(suite)).requirements == ("R070",)
    assert only(play_strict(suite, "four digits")).requirements == ("R070", "R124")
    assert only(play_strict(suite, "answers NOOP twice")).requirements == ("R070", "R101")
    quits = suite_from(tmp_path, "- send: QUIT\n  expect: 221")
    broken = only(play_strict(quits, "QUIT is not answered"))
    assert broken.requirements == ("R070", "R032", "R073")


def test_the_heaviest_verdict_counts(tmp_path: Path) -> None:
    latitude = "- send: FSMX\n  expect: {pass: [502], latitude: [500]}\n"
    warned = "- send: FSMX\n  expect: {pass: [502], warn: [500]}\n"
    suite = suite_from(tmp_path, latitude + warned + latitude + NOOP)
    result = only(play_strict(suite))
    assert (result.verdict, result.actual) == (Verdict.WARN, "500 not recognised")


def test_a_mistake_of_ours_is_an_error_with_its_traceback() -> None:
    case = next(case for case in SUITE.cases if case.rfc == "5321")
    step = Step(
        Action.SEND, ("{no_such_value}",), (Expectation(((Verdict.PASS, (Pattern("250"),)),),
                                                        Verdict.FAIL),)
    )  # fmt: skip
    broken = replace(case, id="5321-2.3.8-broken", steps=(step,))
    results = play_strict(suite_of(broken, case))
    assert results["5321-2.3.8-broken"].verdict is Verdict.ERROR
    assert "KeyError" in results["5321-2.3.8-broken"].actual
    assert any("no_such_value" in line for line in results["5321-2.3.8-broken"].transcript)
    assert results[case.id].verdict is Verdict.PASS


def test_a_case_has_an_end(tmp_path: Path) -> None:
    suite = suite_from(tmp_path, "- raw: NO\n  wait: 60\n  expect: silence")
    result = only(play_strict(suite, settings=replace(SETTINGS, case_timeout=0.3)))
    assert (result.verdict, result.actual) == (Verdict.TIMEOUT, "none in 0.3 s")
    assert any("C: NO" in line for line in result.transcript)


def test_the_transcript_shows_octets_and_time(tmp_path: Path) -> None:
    suite = suite_from(tmp_path, '- raw: "N\\x00\\xffP\\\\\\n"\n  expect: silence')
    lines = only(play_strict(suite)).transcript
    assert lines[-1].endswith(" C: N\\x00\\xffP\\\\\\n (no CRLF)")
    assert lines[0].endswith(" S: 220 mx.example.test ready")
    times = [float(line.split()[0]) for line in lines]
    assert times == sorted(times)


def test_events_come_in_order() -> None:
    async def collect() -> list[Event]:
        async with strict_server() as port:
            run = run_suite(SUITE.select(["5321-4.1.1.9-*"]), Target(HOST, port), SETTINGS)
            return [event async for event in run]

    events = asyncio.run(collect())
    assert isinstance(events[0], SuiteStarted)
    assert events[0].cases == 2
    assert events[0].server.greeting == "220 mx.example.test ready"
    assert events[0].server.extensions == {"HELP", "PIPELINING"}
    assert isinstance(events[-1], SuiteFinished)
    assert [result.case.id for result in events[-1].results] == [
        "5321-4.1.1.9-noop-keeps-the-transaction",
        "5321-4.1.1.9-noop-with-argument",
    ]
    started = [event.case.id for event in events if isinstance(event, CaseStarted)]
    finished = [event.result.case.id for event in events if isinstance(event, CaseFinished)]
    assert sorted(started) == sorted(finished)


def test_no_more_sessions_than_jobs() -> None:
    async def most(jobs: int) -> int:
        running = most = 0
        async with strict_server() as port:
            settings = replace(SETTINGS, jobs=jobs)
            async for event in run_suite(
                SUITE.select(["5321-4.1.1*"]), Target(HOST, port), settings
            ):
                running += isinstance(event, CaseStarted)
                running -= isinstance(event, CaseFinished)
                most = max(most, running)
        return most

    assert asyncio.run(most(3)) == 3
    assert asyncio.run(most(1)) == 1


def test_leaving_early_ends_the_sessions() -> None:
    async def leave() -> set[str]:
        async with strict_server("never answers NOOP") as port:
            run = run_suite(SUITE, Target(HOST, port), replace(SETTINGS, timeout=30))
            async for event in run:
                if isinstance(event, CaseFinished):
                    break
            await run.aclose()
            return {str(task.get_coro()) for task in asyncio.all_tasks()}

    left = asyncio.run(asyncio.wait_for(leave(), 5))
    assert not any(" play " in coroutine for coroutine in left), left


class TestNoServerToJudge:
    @pytest.mark.parametrize(
        ("greeting", "why"),
        [
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", "this is no SMTP server"),
            (b"SSH-2.0-OpenSSH_9.2\r\n", "this is no SMTP server"),
            (b"", "closed the connection without a greeting"),
        ],
    )
    def test_something_else_answers(self, greeting: bytes, why: str) -> None:
        answer = (Say(greeting), Hold()) if greeting else ()
        with (
            ScriptedServer(always=answer) as server,
            pytest.raises(TargetUnreachable, match=why),
        ):
            asyncio.run(play(SUITE, server.port))

    def test_nothing_is_said(self) -> None:
        async def run() -> None:
            async with strict_server("is silent at first") as port:
                await play(SUITE, port, replace(SETTINGS, timeout=0.2))

        with pytest.raises(TargetUnreachable, match="does this port want --tls"):
            asyncio.run(run())

    def test_nobody_listens(self) -> None:
        async def run() -> None:
            async with strict_server() as port:
                pass
            await play(SUITE, port)

        with pytest.raises(TargetUnreachable, match="connection refused"):
            asyncio.run(run())

    def test_tls_on_a_plaintext_port(self) -> None:
        async def run() -> None:
            async with strict_server() as port:
                await Connection(Target(HOST, port, TLSMode.IMPLICIT), 2).open()

        with pytest.raises(TargetUnreachable, match="TLS failed"):
            asyncio.run(run())


def test_a_server_that_refuses_the_session_is_judged_all_the_same() -> None:
    results = play_strict(Suite(SUITE.cases), "refuses the session and closes")
    assert results["5321-3.1-greeting"].verdict is Verdict.LATITUDE
    assert results["5321-3.1-refused-session-stays-open"].verdict is Verdict.FAIL
    assert results["5321-3.3-full-transaction"].verdict is Verdict.INCONCLUSIVE


def signed_in(case: Case, *faults: str, mechanisms: str = "AUTH PLAIN") -> CaseResult:
    async def run() -> CaseResult:
        settings = replace(SETTINGS, user=USER, password=PASSWORD)
        async with strict_server(
            "demands authentication", *faults, offers=(mechanisms, "HELP")
        ) as port:
            return only(await play(suite_of(case), port, settings))

    return asyncio.run(run())


@pytest.mark.parametrize("mechanisms", ["AUTH PLAIN LOGIN", "AUTH LOGIN"])
def test_credentials_are_used_and_never_recorded(mechanisms: str) -> None:
    (case,) = SUITE.select(["5321-3.3-full-transaction"]).cases
    result = signed_in(case, mechanisms=mechanisms)
    assert result.verdict is Verdict.PASS
    recorded = "\n".join(result.transcript)
    assert "[redacted]" in recorded
    for secret in (PASSWORD, "AHVzZXIAb3BlbiBzZXNhbWU=", "b3BlbiBzZXNhbWU=", "dXNlcg=="):
        assert secret not in recorded
    assert PASSWORD not in repr(replace(SETTINGS, user=USER, password=PASSWORD))


class TestTurnedAway:
    """A server that will not talk to us for a moment is asked again, and is no failure."""

    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("fsm_smtp.check.engine.presence.RETRY_AFTER", 0.01)

    async def results(self, away: int, how: bytes) -> dict[str, CaseResult]:
        count = 0

        async with strict_server() as port:

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                nonlocal count
                count += 1
                # The first look is let in.
                if 1 < count <= 1 + away:
                    writer.write(how)
                else:
                    await lead(port, reader, writer)

            async with listening(serve) as door:
                suite = SUITE.select(["5321-3.1-greeting", "5321-4.1.1.1-helo"])
                return await play(suite, door.port, replace(SETTINGS, jobs=1))

    @pytest.mark.parametrize("how", [b"", b"421 mx.example.test too many connections\r\n"])
    def test_twice_is_borne(self, how: bytes) -> None:
        results = asyncio.run(self.results(2, how))
        assert {result.verdict for result in results.values()} == {Verdict.PASS}

    @pytest.mark.parametrize("how", [b"", b"421 mx.example.test too many connections\r\n"])
    def test_for_ever_is_inconclusive(self, how: bytes) -> None:
        results = asyncio.run(self.results(100, how))
        assert {result.verdict for result in results.values()} == {Verdict.INCONCLUSIVE}
        assert not any(result.also for result in results.values())
