"""A server that does not greet in time once is asked again; one that never does is found out."""

import asyncio
from dataclasses import replace

import pytest

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.testing.scripted import GREETING, Answer, Script, ScriptedServer
from tests.check.playing import SETTINGS, SUITE, play

CASES = SUITE.select(["5321-4.1.1.9-noop-*"])
GREETS, SILENT = (*GREETING, Answer()), (Answer(),)


def played(*connections: Script) -> set[Verdict]:
    """The verdicts where the first connections are these, and all further ones as the last."""
    settings = replace(SETTINGS, timeout=0.3, jobs=1)
    with ScriptedServer(*connections, always=connections[-1]) as server:
        return {one.verdict for one in asyncio.run(play(CASES, server.port, settings)).values()}


@pytest.mark.parametrize("greeted", [1, 2])
def test_one_greeting_that_does_not_come_decides_nothing(greeted: int) -> None:
    assert played(*[GREETS] * greeted, SILENT, GREETS) == {Verdict.PASS}


def test_a_server_that_no_longer_greets_is_no_failure() -> None:
    # The first connection is the survey's.
    assert played(GREETS, SILENT) <= {Verdict.TIMEOUT, Verdict.INCONCLUSIVE}
