"""The checker behind TLS: from the first octet, and after STARTTLS."""

import asyncio
from pathlib import Path

import pytest

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.engine.connection import Target, TLSMode
from fsm_smtp.check.engine.events import CaseFinished, SuiteStarted
from fsm_smtp.check.engine.runner import run_suite
from fsm_smtp.errors import TargetUnreachable
from fsm_smtp.testing.server.certificate import authority, server_context
from tests.check.playing import SETTINGS, SUITE
from tests.check.strict_server import HOST, strict_server


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The authority stands among those that the system trusts."""
    path = tmp_path / "authority.pem"
    authority().cert_pem.write_to_path(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))


async def judged(mode: TLSMode, *, verify: bool) -> dict[str, Verdict]:
    found: dict[str, Verdict] = {}
    context, implicit = server_context(), mode is TLSMode.IMPLICIT
    async with strict_server(
        tls=context if implicit else None, starttls=None if implicit else context
    ) as port:
        target = Target(HOST, port, mode, verify=verify)
        async for event in run_suite(SUITE.select(["5321-4.1.[14]*"]), target, SETTINGS):
            if isinstance(event, SuiteStarted):
                assert "STARTTLS" not in event.server.extensions
                assert event.server.ehlo[0] == "mx.example.test"
            if isinstance(event, CaseFinished):
                found[event.result.case.id] = event.result.verdict
    return found


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("mode", [TLSMode.IMPLICIT, TLSMode.STARTTLS])
def test_a_strict_server_is_as_strict_behind_tls(mode: TLSMode) -> None:
    found = asyncio.run(judged(mode, verify=True))
    assert len(found) > 40
    assert set(found.values()) <= {Verdict.PASS, Verdict.SKIP}


@pytest.mark.parametrize("mode", [TLSMode.IMPLICIT, TLSMode.STARTTLS])
def test_an_unknown_authority_is_refused(mode: TLSMode) -> None:
    with pytest.raises(TargetUnreachable, match="the certificate is refused"):
        asyncio.run(judged(mode, verify=True))


def test_unless_the_caller_does_not_care() -> None:
    found = asyncio.run(judged(TLSMode.STARTTLS, verify=False))
    assert Verdict.PASS in found.values()


def test_starttls_that_is_not_offered() -> None:
    async def run() -> None:
        async with strict_server() as port:
            target = Target(HOST, port, TLSMode.STARTTLS)
            async for _ in run_suite(SUITE, target, SETTINGS):
                pass

    with pytest.raises(TargetUnreachable, match="220 to STARTTLS"):
        asyncio.run(run())
