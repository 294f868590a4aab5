"""A link of some length: a relay on loopback that holds every octet back, for half a round trip.

A process of its own: it prints its port and ends with its standard input. What `connect` costs on a
real link is in it too: the far end hears of a connection one and a half round trips later, and what
it says then needs another half. `select` keeps time to some 0.1 ms, which asyncio's loop does not.
"""

import argparse
import math
import os
import select
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from bench.cores import pin

_READ: Final = 256 * 1024


@dataclass(eq=False)
class _End:
    """One end of a relayed connection, and what is on its way to it."""

    socket: socket.socket
    coming: deque[tuple[float, bytes]] = field(default_factory=deque[tuple[float, bytes]])
    other: "_End | None" = None


class Link:
    """The relay.

    Args:
        port: the far end's, on loopback.
        trip: seconds that a round trip takes.
    """

    def __init__(self, port: int, trip: float) -> None:
        self._far = port
        self._half = trip / 2
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        self._ends: dict[socket.socket, _End] = {}
        self._knocking: deque[tuple[float, socket.socket]] = deque()
        self._pairs: list[tuple[_End, _End]] = []

    def run(self, until: int) -> None:
        """Relay until the file descriptor *until* ends."""
        while True:
            due = self._deliver(time.perf_counter())
            wait = None if due == math.inf else max(0.0, due - time.perf_counter())
            watched: list[int | socket.socket] = [until, self._listener, *self._ends]
            here, _, _ = select.select(watched, [], [], wait)
            now = time.perf_counter()
            for each in here:
                if isinstance(each, int):
                    if not os.read(until, 1):
                        return
                elif each is self._listener:
                    near, _ = self._listener.accept()
                    near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._knocking.append((now + 3 * self._half, near))
                elif each in self._ends:
                    self._read(self._ends[each], now)

    def _read(self, end: _End, now: float) -> None:
        try:
            data = end.socket.recv(_READ)
        except ConnectionError:
            data = b""
        assert end.other is not None
        end.other.coming.append((now + self._half, data))
        if not data:
            self._ends.pop(end.socket)

    def _deliver(self, now: float) -> float:
        """Pass on what has arrived; gives when the next octets do."""
        while self._knocking and self._knocking[0][0] <= now:
            self._join(self._knocking.popleft()[1])
        next_due = [self._knocking[0][0]] if self._knocking else []
        for pair in tuple(self._pairs):
            for end in pair:
                while end.coming and end.coming[0][0] <= now:
                    _, data = end.coming.popleft()
                    self._pass_on(end, data)
                if end.coming:
                    next_due.append(end.coming[0][0])
            if all(end.socket.fileno() < 0 for end in pair):
                self._pairs.remove(pair)
        return min(next_due, default=math.inf)

    def _pass_on(self, end: _End, data: bytes) -> None:
        if end.socket.fileno() < 0:
            return
        try:
            if data:
                end.socket.sendall(data)
                return
        except OSError:
            pass  # it went away with something on the way to it
        self._ends.pop(end.socket, None)
        end.socket.close()
        assert end.other is not None
        if end.other.socket not in self._ends:
            end.other.socket.close()

    def _join(self, near: socket.socket) -> None:
        far = socket.create_connection(("127.0.0.1", self._far))
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one, two = _End(near), _End(far)
        one.other, two.other = two, one
        self._ends[near], self._ends[far] = one, two
        self._pairs.append((one, two))


def main() -> None:
    """Relay, and print the port."""
    parser = argparse.ArgumentParser(prog="bench.link")
    parser.add_argument("port", type=int)
    parser.add_argument("trip", type=float)
    parser.add_argument("--core", type=int)
    arguments = parser.parse_args()
    pin(arguments.core)
    link = Link(arguments.port, arguments.trip)
    print(link.port, flush=True)
    link.run(sys.stdin.fileno())


if __name__ == "__main__":
    main()
