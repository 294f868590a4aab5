"""Policies are known by their words, mask what they must, and the notes say what to do."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.engine.connection import Target
from fsm_smtp.check.engine.events import SuiteFinished, SuiteStarted
from fsm_smtp.check.engine.policy import ADVICE, Findings, Policy, recognised, wait_asked
from fsm_smtp.check.engine.runner import run_suite
from fsm_smtp.check.engine.session import Settings
from fsm_smtp.testing import Deviation, SMTPServer
from fsm_smtp.wire.replies import Reply, ReplyParser
from tests.check.playing import SETTINGS, suite_from


@pytest.mark.parametrize(
    ("command", "reply", "policy"),
    [
        ("RCPT TO:<a@b>", "450 4.2.0 <a@b>: Recipient address rejected: Greylisted", "greylisting"),
        ("RCPT TO:<a@b>", "451 4.7.1 Please try again later", "greylisting"),
        ("MAIL FROM:<a@b>", "451 Graylisting in action, come back in 300 seconds", "greylisting"),
        (".", "451 greylist, try again in 05:00", "greylisting"),
        ("NOOP", "451 4.7.1 greylisted", None),
        ("RCPT TO:<a@b>", "451 4.3.0 local error", None),
        ("MAIL FROM:<a@b>", "452 4.3.1 insufficient system storage", None),
        ("RCPT TO:<a@b>", "452 4.5.3 too many recipients", None),
        ("RCPT TO:<a@b>", "450 4.7.1 rate limit exceeded", "throttling"),
        ("MAIL FROM:<a@b>", "421 4.7.0 too many messages in this session", "throttling"),
        ("", "421 4.7.0 Too many concurrent SMTP connections", "too many connections"),
        ("", "554 too many connections from your host", "too many connections"),
        ("", "421 mx.example.test busy", None),
        ("MAIL FROM:<a@b>", "530 5.7.0 Authentication required", "authentication demanded"),
        ("MAIL FROM:<a@b>", "530 5.7.0 Must issue a STARTTLS command first", "TLS demanded"),
        ("MAIL FROM:<a@b>", "550 5.7.1 authentication is required", "authentication demanded"),
        ("MAIL FROM:<a@b>", "554 5.7.1 TLS required", "TLS demanded"),
        ("AUTH PLAIN", "530 5.7.0 Must issue a STARTTLS command first", None),
        ("RCPT TO:<a@b>", "554 5.7.1 <a@b>: Relay access denied", None),
        ("RCPT TO:<a@b>", "550 5.1.1 no such user", None),
        ("RCPT TO:<a@b>", "503 5.5.1 need MAIL before RCPT", None),
    ],
)
def test_words(command: str, reply: str, policy: str | None) -> None:
    assert recognised(command.encode(), parsed(reply), Findings()) == policy


def parsed(text: str) -> Reply:
    parser = ReplyParser()
    parser.feed(f"{text}\r\n".encode())
    reply = parser.next_reply()
    assert reply is not None
    return reply


def test_what_is_about_addresses_needs_the_survey() -> None:
    reply = parsed("550 5.7.1 not here")
    found = Findings(Policy.SENDER, Policy.RELAY, "rcpt@example.test")
    assert recognised(b"MAIL FROM:<a@b>", reply, found) is Policy.SENDER
    assert recognised(b"RCPT TO:<RCPT@example.test>", reply, found) is Policy.RELAY
    assert recognised(b"RCPT TO:<other@example.test>", reply, found) is None
    assert recognised(b"RCPT TO:<rcpt@example.test>", reply, Findings()) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("451 greylisted, try again in 300 seconds", 300),
        ("451 come back in 5 minutes", 300),
        ("451 retry after 7s", 7),
        ("451 greylisted for 02:30", 150),
        ("451 greylisted", None),
    ],
)
def test_the_wait_that_is_asked_for(text: str, seconds: float | None) -> None:
    assert wait_asked(text) == seconds


MAIL_AND_RCPT = (
    "- send: 'MAIL FROM:<{sender}>'\n  expect: 250\n- send: 'RCPT TO:<{recipient}>'\n  expect: 250"
)


def surveyed(
    folder: Path, *orders: Deviation, settings: Settings = SETTINGS
) -> tuple[SuiteStarted, SuiteFinished]:
    """A case that sends MAIL and RCPT, on a server that takes everybody and does as ordered."""

    async def run(target: Target) -> list[object]:
        suite = suite_from(folder, MAIL_AND_RCPT)
        return [event async for event in run_suite(suite, target, settings)]

    with SMTPServer(orders=orders) as server:
        events = asyncio.run(run(Target(*server.address)))
    kinds = [type(event).__name__ for event in events]
    assert kinds == ["SuiteStarted", "CaseStarted", "CaseFinished", "SuiteFinished"]
    first, last = events[0], events[-1]
    assert isinstance(first, SuiteStarted)
    assert isinstance(last, SuiteFinished)
    return first, last


@pytest.mark.parametrize(
    ("on", "reply", "policy"),
    [
        ("MAIL", "550 5.1.8 unknown domain", Policy.SENDER),
        ("MAIL", "530 5.7.0 Authentication required", Policy.AUTHENTICATION),
        ("MAIL", "530 5.7.0 Must issue a STARTTLS command first", Policy.TLS),
        ("RCPT", "554 5.7.1 Relay access denied", Policy.RELAY),
        ("RCPT", "550 5.1.1 no such user", Policy.RECIPIENT),
    ],
)
def test_the_survey_finds_it_and_the_case_is_inconclusive(
    tmp_path: Path, on: str, reply: str, policy: Policy
) -> None:
    started, finished = surveyed(tmp_path, Deviation(on, reply=reply))
    assert any(ADVICE[policy] in note for note in started.notes), started.notes
    (result,) = finished.results
    assert (result.verdict, result.policy) == (Verdict.INCONCLUSIVE, policy)
    assert result.actual.endswith(f"(policy: {policy})")
    assert finished.notes[: len(started.notes)] == started.notes


def test_a_server_that_takes_everybody_is_noted(tmp_path: Path) -> None:
    started, finished = surveyed(tmp_path)
    assert finished.results[0].verdict is Verdict.PASS
    (note,) = started.notes
    assert "--unknown-recipient" in note


def test_refused_credentials_are_noted_and_not_shown(tmp_path: Path) -> None:
    settings = replace(SETTINGS, user="user", password="open sesame")
    refused = Deviation("AUTH", reply="535 open sesame is wrong")
    started, finished = surveyed(tmp_path, refused, settings=settings)
    (note,) = started.notes
    assert "AUTH is refused: 535 [redacted] is wrong" in note
    assert finished.results[0].verdict is Verdict.INCONCLUSIVE


def test_a_server_that_says_nothing_to_mail_is_noted(tmp_path: Path) -> None:
    started, finished = surveyed(
        tmp_path, Deviation("MAIL", delay=1.0), settings=replace(SETTINGS, timeout=0.2)
    )
    assert finished.results[0].verdict is Verdict.TIMEOUT
    assert "no reply to MAIL FROM within 0.2 s" in started.notes[0]


class TestGreylisting:
    def played(
        self, folder: Path, *, asked: str, times: int, patience: float
    ) -> tuple[SuiteFinished, float]:
        """With a server that greylists RCPT so many *times*; the seconds that were slept."""
        # The survey meets the first two: it asks for the known and for the unknown recipient.
        reply = f"450 4.7.1 greylisted, try again in {asked}"
        greylists = Deviation("RCPT", reply=reply, times=times)
        began = time.monotonic()
        _, finished = surveyed(folder, greylists, settings=replace(SETTINGS, patience=patience))
        return finished, time.monotonic() - began

    def test_masked_cases_are_played_again(self, tmp_path: Path) -> None:
        finished, took = self.played(tmp_path, asked="1 s", times=3, patience=5)
        assert finished.results[0].verdict is Verdict.PASS
        assert took >= 1
        assert "1 cases were played again 1 s later" in finished.notes[-1]

    def test_once(self, tmp_path: Path) -> None:
        finished, _ = self.played(tmp_path, asked="1 s", times=100, patience=5)
        (result,) = finished.results
        assert (result.verdict, result.policy) == (Verdict.INCONCLUSIVE, "greylisting")

    def test_unless_the_server_asks_for_more_than_our_patience(self, tmp_path: Path) -> None:
        finished, took = self.played(tmp_path, asked="5 min", times=3, patience=5)
        assert finished.results[0].verdict is Verdict.INCONCLUSIVE
        assert took < 4
        assert "asks for 300 s, more than our patience of 5 s" in finished.notes[-1]
