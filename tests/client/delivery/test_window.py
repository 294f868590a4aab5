"""How deep a window is; and that who writes goes on reading."""

import socket
import threading
from collections.abc import Iterator

import pytest

from fsm_smtp.client import Message, Options
from fsm_smtp.client.channel import KernelTimed, Timed
from fsm_smtp.client.delivery import Delivery, Reach
from fsm_smtp.client.requests import Wait
from fsm_smtp.client.result import SendResult
from tests.client.delivery.simulated import Link, Server


@pytest.mark.parametrize("window", [1, 2, 7, 64])
def test_no_more_messages_are_in_the_air_than_the_window_has(window: int) -> None:
    results = 0
    ahead: list[int] = []

    def messages() -> Iterator[Message]:
        for number in range(200):
            ahead.append(number + 1 - results)
            yield Message(b"Subject: %d\r\n\r\n" % number, "s@a.test", ("r@b.test",))

    link = Link(Server(), window=window)
    delivery = Delivery(link.dialogue, messages(), Reach(behind_end=True), "window")
    while isinstance(result := link.run(delivery.next()), SendResult):
        assert result.all_accepted
        results += 1
        while delivery.known() is not None:
            results += 1
    assert results == 200
    # What has been answered and not been given out is in the air no more.
    assert window <= max(ahead) <= 2 * window


@pytest.mark.parametrize("window", [0, -1, 1001])
def test_a_window_has_bounds(window: int) -> None:
    with pytest.raises(ValueError, match="1 to 1000 are possible"):
        Options(window=window)


@pytest.mark.parametrize("kind", [Timed, KernelTimed])
def test_what_comes_while_something_is_written_is_read_first(kind: type[Timed]) -> None:
    """A peer that reads nothing before all that it has to say has been taken from it."""
    ours, theirs = socket.socketpair()
    said, written = b"250 ok\r\n" * 60_000, b"NOOP\r\n" * 100_000
    heard = bytearray()

    def peer() -> None:
        theirs.sendall(said)
        while len(heard) < len(written):
            heard.extend(theirs.recv(65536))

    thread = threading.Thread(target=peer, daemon=True)
    thread.start()
    with ours, theirs:
        moved = kind(ours)
        assert moved.write(written, 10.0) is True
        came = moved.glance() or b""
        assert came, "kept while it wrote"
        while len(came) < len(said):
            came += moved.read(Wait(10.0)) or b""
        thread.join(10)
    assert came == said
    assert bytes(heard) == written


@pytest.mark.parametrize("kind", [Timed, KernelTimed])
def test_a_peer_that_goes_away_while_something_is_written(kind: type[Timed]) -> None:
    ours, theirs = socket.socketpair()

    def peer() -> None:
        theirs.recv(1000)
        theirs.close()

    thread = threading.Thread(target=peer, daemon=True)
    thread.start()
    with ours:
        assert kind(ours).write(b"x" * 10_000_000, 10.0) is False
        thread.join(10)
