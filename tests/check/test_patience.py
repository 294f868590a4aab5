"""The cases that wait for minutes, on real servers that are set to wait for a second."""

import asyncio

import pytest

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.engine.connection import Target
from fsm_smtp.check.engine.events import CaseFinished, CaseResult
from fsm_smtp.check.engine.runner import run_suite
from fsm_smtp.check.engine.session import Settings
from tests.check.playing import SUITE
from tests.servers.base import RECIPIENTS, SENDER, UNKNOWN, Server
from tests.servers.fixtures import ServerPark

CASES = SUITE.select(["5321-4.5.3.2.7-*"])


def played_on(server: Server) -> dict[str, CaseResult]:
    settings = Settings(
        sender=SENDER, recipient=RECIPIENTS[0], unknown_recipient=UNKNOWN, slow=True, jobs=2
    )

    async def run() -> dict[str, CaseResult]:
        events = run_suite(CASES, Target(server.host, server.port), settings)
        results = [event.result async for event in events if isinstance(event, CaseFinished)]
        return {result.case.id: result for result in results}

    return asyncio.run(run())


@pytest.mark.parametrize("name", ["exim", "postfix"])
def test_a_server_that_gives_up_says_so(servers: ServerPark, name: str) -> None:
    results = played_on(servers.start(name, impatient=True))
    patience = results["5321-4.5.3.2.7-patience"]
    assert patience.verdict is Verdict.WARN
    assert patience.actual.startswith("421")
    assert results["5321-4.5.3.2.7-end-of-patience"].verdict is Verdict.PASS
