"""What each kind of step writes and how it is judged, on a server that knows no order."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.engine.events import CaseResult
from fsm_smtp.check.engine.session import Settings
from fsm_smtp.testing.scripted import Taken
from fsm_smtp.testing.server.certificate import server_context
from tests.check.playing import SETTINGS, answering, play, suite_from

EHLO = "250-mx.example.test|250-PIPELINING|250-AUTH LOGIN PLAIN|250-SIZE 4000|250 CHUNKING"
REPLIES = {"EHLO": EHLO, "NOOP": "250 fine", "QUIT": "221 bye", "BDAT": "250 taken"}
SIGNED = replace(SETTINGS, timeout=0.5, user="user", password="open sesame")


def played(
    folder: Path,
    steps: str,
    *,
    start: str = "ehlo",
    settings: Settings = SIGNED,
    replies: Mapping[str, str] = REPLIES,
    extra: str = "",
    tls: ssl.SSLContext | None = None,
) -> tuple[CaseResult, list[Taken]]:
    """The only result, and what the server heard, the first look's session left out."""
    suite = suite_from(folder, steps, start=start, extra=extra)
    with answering(replies, tls=tls) as server:
        (result,) = asyncio.run(play(suite, server.port, settings)).values()
    return result, server.taken


def case_session(heard: list[Taken]) -> bytes:
    return heard[-1].octets


NOOP = "- send: NOOP\n  expect: 250"


@pytest.mark.parametrize(
    ("step", "octets"),
    [
        ('chunk: "a\\r\\nb"', b"BDAT 4\r\na\r\nb"),
        ('chunk: "a\\r\\nb"\n  last: true', b"BDAT 4 LAST\r\na\r\nb"),
        ('chunk: "abcd"\n  declared: 3', b"BDAT 3\r\nabcd"),
        ('chunk: ""\n  last: true', b"BDAT 0 LAST\r\n"),
        ('chunk: "{lines:130}"', b"BDAT 130\r\n" + (b"x" * 62 + b"\r\n") * 2 + b"\r\n"),
        ("send: '{b64:8}'", b"QUJDQUJD\r\n"),
        ("send: 'MAIL SIZE={size}'", b"MAIL SIZE=4000\r\n"),
        ("send: 'MAIL SIZE={oversize}'", b"MAIL SIZE=4001\r\n"),
        ("send: 'AUTH PLAIN {plain}'", b"AUTH PLAIN AHVzZXIAb3BlbiBzZXNhbWU=\r\n"),
        ("send: '{user64}'", b"dXNlcg==\r\n"),
        ("send: '{password64}'", b"b3BlbiBzZXNhbWU=\r\n"),
    ],
)
def test_what_is_written(tmp_path: Path, step: str, octets: bytes) -> None:
    _, heard = played(tmp_path, f"- {step}\n  expect: any", start="raw")
    assert octets in case_session(heard)


def test_the_wrong_credentials_are_not_the_right_ones(tmp_path: Path) -> None:
    steps = "- send: '{wrong_plain}'\n  expect: any\n- send: '{wrong_password64}'\n  expect: any"
    for settings in (SIGNED, SETTINGS):
        result, heard = played(tmp_path, steps, start="plain", settings=settings)
        assert result.verdict is Verdict.PASS
        assert b"open sesame" not in case_session(heard)
        assert b"AHVzZXIAb3BlbiBzZXNhbWU=" not in case_session(heard)


def test_secrets_are_hidden_also_where_the_server_repeats_them(tmp_path: Path) -> None:
    replies = {**REPLIES, "b3BlbiBzZXNhbWU=": "535 b3BlbiBzZXNhbWU= and open sesame are wrong"}
    steps = "- send: '{password64}'\n  expect: 235"
    result, heard = played(tmp_path, steps, start="plain", replies=replies)
    assert b"b3BlbiBzZXNhbWU=" in case_session(heard)
    shown = "\n".join((result.expected, result.actual, *result.transcript))
    assert result.actual == "535 [redacted] and [redacted] are wrong"
    assert "b3BlbiBzZXNhbWU=" not in shown
    assert "sesame" not in shown


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("AUTH {plain}", "a user and a password to try (--user, --password)"),
        ("MAIL SIZE={size}", "SIZE limit offered in EHLO"),
    ],
)
def test_what_the_run_or_the_server_does_not_have_is_skipped(
    tmp_path: Path, what: str, expected: str
) -> None:
    replies = {**REPLIES, "EHLO": "250-mx.example.test|250 SIZE 0"}
    steps = f"- send: '{what}'\n  expect: 250"
    result, _ = played(tmp_path, steps, settings=SETTINGS, replies=replies)
    assert (result.verdict, result.expected) == (Verdict.SKIP, expected)


class TestConditions:
    @pytest.mark.parametrize(
        ("condition", "holds"),
        [
            ("PIPELINING", True),
            ("DSN", False),
            ("AUTH PLAIN", True),
            ("AUTH CRAM-MD5", False),
            ("SIZE limit", True),
            ("credentials", True),
            ("tls", False),
            ("clear", True),
        ],
    )
    def test_of_a_case_and_of_a_step(self, tmp_path: Path, condition: str, *, holds: bool) -> None:
        for word, wanted in (("needs", holds), ("lacks", not holds)):
            extra = f"{word}: '{condition}'"
            result, _ = played(tmp_path, NOOP, start="plain", extra=extra)
            assert (result.verdict is Verdict.PASS) is wanted, (word, result.actual)
            assert (result.verdict is Verdict.SKIP) is not wanted
        for word, wanted in (("when", holds), ("unless", not holds)):
            steps = f"- send: NOOP extra\n  {word}: '{condition}'\n  expect: 250\n{NOOP}"
            _, heard = played(tmp_path, steps, start="plain")
            assert (b"NOOP extra" in case_session(heard)) is wanted, word

    def test_a_group_shares_one(self, tmp_path: Path) -> None:
        steps = "- group:\n    - send: NOOP {n}\n      expect: 250\n  repeat: 2\n  when: "
        _, heard = played(tmp_path, steps + "CHUNKING", start="plain")
        assert b"NOOP 1\r\nNOOP 2\r\n" in case_session(heard)
        result, _ = played(tmp_path, steps + "DSN", start="plain")
        assert (result.verdict, result.actual) == (Verdict.SKIP, "none does")

    def test_a_later_ehlo_counts(self, tmp_path: Path) -> None:
        steps = "- send: EHLO again\n  expect: 250\n  when: PIPELINING\n"
        _, heard = played(tmp_path, steps, start="raw")
        assert b"EHLO again" in case_session(heard)


def test_plain_is_in_front_of_auth(tmp_path: Path) -> None:
    replies = {**REPLIES, "AUTH": "235 welcome"}
    _, behind = played(tmp_path, NOOP, start="ehlo", replies=replies)
    _, before = played(tmp_path, NOOP, start="plain", replies=replies)
    assert b"AUTH PLAIN" in case_session(behind)
    assert b"AUTH" not in case_session(before)
    assert b"EHLO" in case_session(before)


def test_a_slow_case_is_played_if_there_is_time(tmp_path: Path) -> None:
    result, _ = played(tmp_path, NOOP, start="plain", extra="slow: 90")
    assert (result.verdict, result.actual) == (Verdict.SKIP, "the case takes 90 s")
    result, _ = played(tmp_path, NOOP, start="plain", extra="slow: 90",
                       settings=replace(SIGNED, slow=True))  # fmt: skip
    assert result.verdict is Verdict.PASS


def test_a_slow_case_has_more_time(tmp_path: Path) -> None:
    settings = replace(SETTINGS, slow=True, case_timeout=0.1)
    result, _ = played(tmp_path, f"- pause: 0.2\n{NOOP}", extra="slow: 5", settings=settings)
    assert result.verdict is Verdict.PASS
    result, _ = played(tmp_path, f"- pause: 0.2\n{NOOP}", settings=settings)
    assert result.verdict is Verdict.TIMEOUT


class TestSessions:
    def test_another_session_is_another_connection(self, tmp_path: Path) -> None:
        steps = (
            f"{NOOP}\n- send: NOOP b\n  session: b\n  expect: 250\n- send: NOOP a\n  expect: 250"
        )
        result, heard = played(tmp_path, steps, start="plain")
        assert result.verdict is Verdict.PASS
        first, second = heard[-2:]
        assert b"NOOP\r\nNOOP a\r\n" in first.octets
        assert b"NOOP b\r\n" in second.octets
        assert any(" b C: NOOP b" in line for line in result.transcript)
        times = [float(line.split()[0]) for line in result.transcript]
        assert times == sorted(times)

    def test_it_is_judged_like_any_other(self, tmp_path: Path) -> None:
        steps = f"{NOOP}\n- send: FSMX\n  session: b\n  expect: 250"
        result, _ = played(tmp_path, steps, start="plain")
        assert (result.verdict, result.actual) == (Verdict.FAIL, "500 what?")

    @pytest.mark.parametrize("how", ["close", "reset"])
    def test_our_side_ends_it(self, tmp_path: Path, how: str) -> None:
        steps = f"{NOOP}\n- drop: {how}\n- send: NOOP anew\n  expect: 250"
        result, heard = played(tmp_path, steps, start="plain")
        assert result.verdict is Verdict.PASS
        assert heard[-2].octets.endswith(b"NOOP\r\n")
        assert b"NOOP anew" in heard[-1].octets
        assert heard[-2].ended == ("reset" if how == "reset" else "closed")


STARTTLS = {**REPLIES, "STARTTLS": "220 go on"}


class TestHandshake:
    STEPS = "- send: STARTTLS\n  expect: 220\n- tls: handshake\n  expect: {wanted}\n"
    BEHIND = "- send: EHLO again\n  when: tls\n  expect: 250\n  form: lacks STARTTLS"

    def test_secured(self, tmp_path: Path) -> None:
        steps = self.STEPS.replace("{wanted}", "secured") + self.BEHIND
        result, heard = played(
            tmp_path, steps, start="plain", replies=STARTTLS, tls=server_context()
        )
        assert (result.verdict, result.actual[:19]) == (Verdict.PASS, "250-mx.example.test")
        assert b"EHLO again" in case_session(heard)

    def test_unsecured(self, tmp_path: Path) -> None:
        steps = self.STEPS.replace("{wanted}", "{pass: [unsecured], latitude: [closed]}")
        result, _ = played(tmp_path, steps, start="plain", replies=STARTTLS)
        assert result.verdict in (Verdict.PASS, Verdict.LATITUDE), result.actual

    def test_what_is_not_expected_fails(self, tmp_path: Path) -> None:
        steps = self.STEPS.replace("{wanted}", "unsecured")
        result, _ = played(tmp_path, steps, start="plain", replies=STARTTLS, tls=server_context())
        assert result.verdict is Verdict.FAIL
        assert result.actual.startswith("TLS is up (TLSv1.")


LIMITED = "250-mx.example.test|250 LIMITS RCPTMAX=3 MAILMAX=1001"


@pytest.mark.parametrize(
    ("limit", "offers", "verdict", "rounds"),
    [
        ("RCPTMAX", LIMITED, Verdict.PASS, 3),
        ("MAILMAX", LIMITED, Verdict.SKIP, 0),
        ("RCPTMAX", EHLO, Verdict.SKIP, 0),
    ],
)
def test_a_limit_of_the_server_says_how_often(
    tmp_path: Path, limit: str, offers: str, verdict: Verdict, rounds: int
) -> None:
    steps = f"- send: 'NOOP {{n}}'\n  expect: 250\n  repeat: {limit}"
    replies = {**REPLIES, "EHLO": offers}
    result, heard = played(tmp_path, steps, replies=replies, settings=SETTINGS)
    assert result.verdict is verdict
    assert case_session(heard).count(b"NOOP") == rounds
