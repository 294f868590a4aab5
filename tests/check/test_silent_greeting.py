"""A server that does not greet in time once is asked again; one that never does is found out."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from fsm_smtp.check.cases.case import Verdict
from tests.check.playing import SETTINGS, SUITE, play

HOST = "127.0.0.1"
CASES = SUITE.select(["5321-4.1.1.9-noop-*"])


async def played(greets: Callable[[int], bool]) -> dict[str, Verdict]:
    """The verdicts on a server that greets a connection or not, by its number (from 1)."""
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        if greets(connections):
            writer.write(b"220 mx.example.test\r\n")
        while line := await reader.readline():
            verb = line.split()[0].upper()
            writer.write(
                {b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}.get(verb, b"250 ok\r\n")
            )
        writer.close()

    async with await asyncio.start_server(serve, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        settings = replace(SETTINGS, timeout=0.3, jobs=1)
        return {name: one.verdict for name, one in (await play(CASES, port, settings)).items()}


@pytest.mark.parametrize("silent", [2, 3])
def test_one_greeting_that_does_not_come_decides_nothing(silent: int) -> None:
    found = asyncio.run(played(lambda number: number != silent))
    assert set(found.values()) == {Verdict.PASS}


def test_a_server_that_no_longer_greets_is_no_failure() -> None:
    # The first connection is the survey's.
    found = asyncio.run(played(lambda number: number == 1))
    assert set(found.values()) <= {Verdict.TIMEOUT, Verdict.INCONCLUSIVE}
