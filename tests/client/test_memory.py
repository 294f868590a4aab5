"""Large messages cost time, not memory."""

import tracemalloc
from collections.abc import Callable

import pytest

from fsm_smtp.client import Options
from fsm_smtp.client.content import Source
from tests.client.driver import RECIPIENTS, SENDER, client
from tests.client.scripted import OPENING, Honest, serving

MIB = 1024 * 1024
LINE = b"x" * 75 + b"\n"
CONTENT = LINE * (25 * MIB // len(LINE))


def whole() -> Source:
    return CONTENT


def pieces() -> Source:
    return (CONTENT[i : i + 100_000] for i in range(0, len(CONTENT), 100_000))


def lines() -> Source:
    return (LINE for _ in range(2 * MIB // len(LINE)))


@pytest.mark.parametrize("source", [whole, pieces, lines])
def test_a_large_message(adapter: str, source: Callable[[], Source]) -> None:
    with (
        serving((*OPENING, Honest()), forgetful=True) as server,
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
