"""Large messages cost time, not memory."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from fsm_smtp.client import Extensions, Options
from fsm_smtp.client.content import Source
from fsm_smtp.client.message import Message
from fsm_smtp.testing.scripted import OPENING, Answer, ScriptedServer
from tests.client.driver import RECIPIENTS, SENDER, client
from tests.client.inmemory import Recorded, opened, run

MIB = 1024 * 1024
LINE = b"x" * 75 + b"\n"
CONTENT = LINE * (25 * MIB // len(LINE))


def whole() -> Source:
    return CONTENT


def pieces() -> Source:
    return (CONTENT[i : i + 100_000] for i in range(0, len(CONTENT), 100_000))


def lines() -> Source:
    return (LINE for _ in range(2 * MIB // len(LINE)))


def many_pieces() -> Source:
    piece = LINE * 1000
    return (piece for _ in range(64 * MIB // len(piece)))


@pytest.mark.parametrize("source", [whole, pieces, lines, many_pieces])
def test_a_large_message(adapter: str, source: Callable[[], Source]) -> None:
    with (
        ScriptedServer((*OPENING, Answer()), forgetful=True) as server,
        client(adapter, server.port, Options(timeout=20.0)) as sender,
    ):
        sender.connect()
        tracemalloc.start()
        try:
            assert sender.send_message(source(), SENDER, RECIPIENTS).all_accepted
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        sender.quit()
    assert server.taken[0].count > 2 * MIB
    assert peak <= 2 * MIB


def test_a_large_file(adapter: str, tmp_path: Path) -> None:
    """25 MiB from a disk; the file is gone through, never held whole."""
    large = tmp_path / "large"
    large.write_bytes(CONTENT)
    with (
        ScriptedServer((*OPENING, Answer()), forgetful=True) as server,
        client(adapter, server.port, Options(timeout=20.0)) as sender,
        large.open("rb") as file,
    ):
        sender.connect()
        tracemalloc.start()
        try:
            assert sender.send_message(file, SENDER, RECIPIENTS).all_accepted
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        sender.quit()
    assert server.taken[0].count > 25 * MIB
    assert peak <= 1.5 * MIB


def test_large_content_by_chunks() -> None:
    piece = LINE * 1000
    chunks = Recorded(b"250 ok\r\n", b"250 ok\r\n", *[b"250 ok\r\n"] * 64)
    dialogue, _ = opened(["CHUNKING"])
    content = (piece for _ in range(16 * MIB // len(piece)))
    message = Message.of(content, SENDER, RECIPIENTS[0], Extensions(chunking=True))
    sizes: list[int] = []

    def counting(octets: bytes) -> bytes | None:
        sizes.append(len(octets))
        return chunks(b"")

    tracemalloc.start()
    try:
        assert run(dialogue.send(message), counting).all_accepted
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(sizes) > 16 * MIB
    assert peak <= 3 * MIB
