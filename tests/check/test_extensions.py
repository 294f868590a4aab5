"""The cases of the extensions on a server that does everything right, set up in several ways."""

import asyncio
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.cases.suite import load_suite
from fsm_smtp.check.engine.connection import Target, TLSMode
from fsm_smtp.check.engine.events import CaseFinished, CaseResult
from fsm_smtp.check.engine.runner import run_suite
from fsm_smtp.check.engine.session import Settings
from fsm_smtp.register import load_register
from fsm_smtp.specs import spec_path
from fsm_smtp.testing.server.certificate import authority, server_context
from fsm_smtp.testing.server.listening import model_server
from fsm_smtp.testing.server.options import HOST, PASSWORD, USER, Options

RFCS = ("2033", "3207", "3461", "4954", "6409", "6531", "8314", "8689", "9422")
SUITE = load_suite(spec_path("conformance", f"rfc{rfc}.yaml") for rfc in RFCS)
STRANGER = Settings(timeout=5.0, quiet=0.15, jobs=8)
SIGNED = replace(STRANGER, user=USER, password=PASSWORD)

#: How the server is set up, how the run comes under TLS, who it is, and the least that passes.
SETUPS: dict[str, tuple[Options, TLSMode, Settings, int]] = {
    "in clear": (Options(context=server_context()), TLSMode.NONE, STRANGER, 80),
    "AUTH in clear": (
        Options(context=server_context(), auth_in_clear=True),
        TLSMode.NONE,
        SIGNED,
        130,
    ),
    "STARTTLS": (Options(context=server_context()), TLSMode.STARTTLS, SIGNED, 130),
    "implicit TLS": (
        Options(context=server_context(), implicit_tls=True),
        TLSMode.IMPLICIT,
        SIGNED,
        110,
    ),
    "submission": (
        Options(context=server_context(), submission=True),
        TLSMode.STARTTLS,
        SIGNED,
        130,
    ),
    "submission in clear": (
        Options(context=server_context(), submission=True, auth_in_clear=True),
        TLSMode.NONE,
        SIGNED,
        130,
    ),
    "TLS required": (
        Options(context=server_context(), requires_tls=True),
        TLSMode.NONE,
        STRANGER,
        25,
    ),
    "nothing offered": (Options(extensions=frozenset()), TLSMode.NONE, STRANGER, 2),
}
#: What only a server of another kind can pass: LMTP, CRAM-MD5, a view of ciphers.
ELSEWHERE = {
    "3207-4.1-too-weak",
    "4954-4-server-first-challenge",
    "4954-4-initial-response-to-server-first",
    "4954-4-initial-response-to-server-first-enhanced",
    "4954-4-passwords-in-clear",
    "6531-3.1-expn-parameter",
}


@cache
def results(setup: str) -> tuple[CaseResult, ...]:
    """Those of one run for all tests: none of them changes anything."""
    options, tls, settings, _ = SETUPS[setup]

    async def run() -> list[CaseResult]:
        async with model_server(options) as server:
            events = run_suite(SUITE, Target(HOST, server.port, tls), settings)
            return [event.result async for event in events if isinstance(event, CaseFinished)]

    return tuple(asyncio.run(run()))


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The run trusts the server's certificate."""
    authority().cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


@pytest.mark.parametrize("setup", SETUPS)
def test_a_faithful_server_is_never_blamed(setup: str) -> None:
    blamed = {
        result.case.id: result.actual
        for result in results(setup)
        if result.verdict in (Verdict.FAIL, Verdict.WARN, Verdict.TIMEOUT, Verdict.ERROR)
    }
    assert blamed == {}
    passed = sum(result.verdict is Verdict.PASS for result in results(setup))
    assert passed >= SETUPS[setup][3]


def test_no_case_is_idle() -> None:
    passed = {
        result.case.id
        for setup in SETUPS
        for result in results(setup)
        if result.verdict is Verdict.PASS
    }
    idle = {case.id for case in SUITE.cases if case.id not in passed}
    assert {name for name in idle if not name.startswith("2033-")} == ELSEWHERE


def test_no_password_is_in_a_report() -> None:
    for result in results("AUTH in clear"):
        told = "\n".join((result.expected, result.actual, *result.transcript))
        assert PASSWORD not in told
        for secret in ("plain", "password64", "user64"):
            assert SIGNED.values()[secret] not in told, result.case.id


def test_every_requirement_has_a_case_or_a_reason() -> None:
    cited = {name for case in SUITE.cases for name in case.requirements}
    files = [spec_path("register", f"rfc{rfc}.yaml") for rfc in RFCS]
    for one in load_register(files):
        assert (one.id in cited) != (one.untestable is not None), one.id
