"""The connection of a check: however a server writes, an outcome comes, in time and bounded."""

import asyncio
import os
import socket
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from fsm_smtp.check.engine.connection import Connection, Target, TLSMode
from fsm_smtp.check.engine.outcome import Outcome
from fsm_smtp.check.engine.transcript import MAX_LINES, Transcript, printable, redacted
from fsm_smtp.testing.server.certificate import server_context
from tests.listening import listening

HOST = "127.0.0.1"


@asynccontextmanager
async def connected(
    *chunks: bytes, gap: float = 0.0, endless: bool = False
) -> AsyncGenerator[Connection]:
    """A connection to a server that writes *chunks*, then closes; or goes on with the last."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(gap)
        while endless:
            writer.write(chunks[-1] * 500)
            await writer.drain()

    async with listening(serve) as door:
        connection = Connection(Target(HOST, door.port), timeout=1.0)
        await connection.open()
        try:
            yield connection
        finally:
            await connection.close()


def outcomes(
    *chunks: bytes, count: int = 1, gap: float = 0.0, endless: bool = False
) -> list[Outcome]:
    async def read() -> list[Outcome]:
        async with connected(*chunks, gap=gap, endless=endless) as connection:
            return [await connection.outcome() for _ in range(count)]

    return asyncio.run(asyncio.wait_for(read(), 10))


def test_one_octet_at_a_time_is_the_same_reply() -> None:
    text = b"250-mx.example.test\r\n250 HELP\r\n"
    (whole,) = outcomes(text)
    (drip,) = outcomes(*(text[number : number + 1] for number in range(len(text))), gap=0.001)
    assert whole == drip
    assert whole.word == "250"
    assert whole.raw == (b"250-mx.example.test\r\n", b"250 HELP\r\n")
    assert str(whole) == "250-mx.example.test (and 1 more lines)"


def test_replies_in_one_segment_are_read_one_by_one() -> None:
    words = [outcome.word for outcome in outcomes(b"250 a\r\n500 b\r\n", count=3)]
    assert words == ["250", "500", "closed"]


def test_a_reply_that_drips_does_not_keep_the_timeout_alive() -> None:
    (outcome,) = outcomes(b"250-", *[b"x"] * 30, gap=0.1)
    assert (outcome.word, outcome.waited) == ("silence", 1.0)


@pytest.mark.parametrize(
    "octets", [b"x" * 4096, b"250-again\r\n", b"250 no end", b"\0" * 100, b"\r\n"]
)
def test_what_never_ends_is_malformed(octets: bytes) -> None:
    (outcome,) = outcomes(octets, endless=True)
    assert outcome.word == "malformed"
    assert "RFC 5321" in outcome.detail


def test_a_flood_of_replies_is_read_as_far_as_it_is_asked_for() -> None:
    words = {outcome.word for outcome in outcomes(b"250 x\r\n" * 1000, count=50, endless=True)}
    assert words == {"250"}


def test_what_nobody_asked_for_is_surplus() -> None:
    async def read() -> tuple[str, str | None, str | None]:
        async with connected(b"220 a\r\n250 b\r\n") as connection:
            first = await connection.outcome()
            second, third = await connection.surplus(), await connection.surplus()
            return first.word, second.word if second else None, third.word if third else None

    assert asyncio.run(read()) == ("220", "250", None)


def test_writing_to_a_server_that_is_gone_raises_nothing() -> None:
    async def write() -> str:
        async with connected(b"") as connection:
            for _ in range(3):
                await connection.write(b"x" * 100_000)
                await asyncio.sleep(0.01)
            return (await connection.outcome()).word

    assert asyncio.run(write()) == "closed"


def test_a_transcript_has_an_end() -> None:
    transcript = Transcript(lambda: 0.0)
    for _ in range(MAX_LINES + 5):
        transcript.client(b"NOOP\r\n")
    assert len(transcript.lines) == MAX_LINES + 1
    assert transcript.lines[-1] == "… 5 more lines"
    long = Transcript(lambda: 0.0)
    long.client(b"x" * 1000 + b"\r\n")
    long.server(b"y" * 1000)
    assert max(map(len, long.lines)) < 200
    assert "(1002 octets)" in long.lines[0]


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (b"NOOP", "NOOP"),
        (b"a\tb\r\n\x00\x1b[31m\x7f\xff\\", "a\\tb\\r\\n\\x00\\x1b[31m\\x7f\\xff\\\\"),
    ],
)
def test_octets_are_shown_unambiguously(octets: bytes, shown: str) -> None:
    assert printable(octets) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"AUTH PLAIN AGEAYg==", b"AUTH PLAIN [redacted]"),
        (b"auth plain AGEAYg== x", b"auth plain [redacted]"),
        (b"  AUTH\tLOGIN\tdXNlcg==", b"  AUTH\tLOGIN [redacted]"),
        (b"AUTH LOGIN", b"AUTH LOGIN"),
        (b"MAIL FROM:<a@b> AUTH=<>", b"MAIL FROM:<a@b> AUTH=<>"),
    ],
)
def test_credentials_are_not_shown(line: bytes, shown: bytes) -> None:
    assert redacted(line) == shown


def _speaks_clear(listener: socket.socket, heard: threading.Event) -> None:
    """Under TLS, and in the middle of it octets that are none."""
    accepted, _ = listener.accept()
    with server_context().wrap_socket(accepted, server_side=True) as secured:
        secured.sendall(b"220 mx.example.test\r\n")
        secured.recv(100)  # NOOP, once the greeting has been heard
        with socket.socket(fileno=os.dup(secured.fileno())) as bare:
            bare.sendall(b"421 in the clear\r\n")
        heard.wait(5)


@pytest.mark.parametrize("reads_first", [False, True])
def test_clear_text_in_the_middle_of_tls_ends_the_connection(reads_first: bool) -> None:
    """Whoever finds it first, the reader or the writer."""
    heard = threading.Event()

    async def talk(port: int) -> Outcome:
        target = Target(HOST, port, TLSMode.IMPLICIT, verify=False)
        connection = Connection(target, timeout=2.0)
        await connection.open()
        assert (await connection.outcome()).word == "220"
        await connection.write(b"NOOP\r\n")
        if reads_first:
            assert (await connection.outcome()).word == "closed"
        await asyncio.sleep(0.1)
        await connection.write(b"NOOP\r\n")
        outcome = await connection.outcome()
        heard.set()
        await connection.close()
        assert any("what answers is no TLS" in line for line in connection.transcript.lines)
        return outcome

    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=_speaks_clear, args=(listener, heard))
        thread.start()
        try:
            assert asyncio.run(talk(listener.getsockname()[1])).word == "closed"
        finally:
            heard.set()
            thread.join(5)
