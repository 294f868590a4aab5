"""A proxy on loopback that cuts connections, and the account of what arrived.

`account` sends many messages to random recipients through it, and holds what the client says of
each against the mailboxes: nothing lost, nothing doubled, unknown only what a cut left unknown.
"""

import re
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from fsm_smtp.client import Client, Depth, Message, Options
from tests.servers.base import PASSWORD, RECIPIENTS, SENDER, UNKNOWN, USER, Server

_SECONDS = 30.0


class CuttingProxy:
    """Forwards connections to a server; each is cut after a random number of octets.

    Args:
        target: the server's address.
        random: where the numbers come from.
        octets: the mean number of octets, in both directions together, before a cut.
    """

    def __init__(self, target: tuple[str, int], random: Random, octets: int) -> None:
        self.cuts = 0
        self.connections = 0
        #: Connections that ended before their time: all that others followed, and one cut last.
        self.ends = 0
        self._target, self._random, self._octets = target, random, octets
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self.ends = self.connections - 1
            with client, socket.create_connection(self._target, _SECONDS) as server:
                for each in (client, server):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._forward(client, server, int(self._octets * (0.5 + self._random.random())))

    def _forward(self, client: socket.socket, server: socket.socket, left: int) -> None:
        ends = {client: server, server: client}
        while True:
            ready, _, _ = select.select(list(ends), [], [], _SECONDS)
            if not ready:
                return
            for end in ready:
                try:
                    octets = end.recv(65536)
                    # A server that holds back its second reply until the first is acknowledged
                    # (Nagle) would cost 40 ms a message.
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
                    ends[end].sendall(octets[:left])
                except OSError:
                    return
                if not octets:
                    return
                left -= len(octets)
                if left <= 0:
                    self.cuts += 1
                    self.ends = self.connections
                    return

    def close(self) -> None:
        """Take no more connections."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(_SECONDS)


@contextmanager
def cutting(server: Server, random: Random, octets: int) -> Iterator[CuttingProxy]:
    """A proxy in front of *server*."""
    proxy = CuttingProxy((server.host, server.port), random, octets)
    try:
        yield proxy
    finally:
        proxy.close()


@dataclass
class Account:
    """What the client says, what the mailboxes hold, by message and recipient."""

    accepted: set[tuple[str, str]] = field(default_factory=set)
    refused: set[tuple[str, str]] = field(default_factory=set)
    unknown: set[tuple[str, str]] = field(default_factory=set)
    arrived: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    cuts: int = 0
    #: Connections that ended before their time, cut or closed by the server.
    ends: int = 0
    messages: int = 0
    seconds: float = 0.0

    def check(self) -> None:
        """Nothing lost, nothing doubled, nothing guessed."""
        held = set(self.arrived)
        assert not self.accepted - held, "accepted, and never arrived"
        assert not held & self.refused, "refused, and arrived"
        assert held <= self.accepted | self.unknown
        doubled = [key for key, count in self.arrived.items() if count > 1]
        assert not doubled, "arrived twice"
        assert not self.unknown or self.ends


def account(
    server: Server, count: int, seed: int, depth: Depth | None = None, *, octets: int = 40_000
) -> Account:
    """Send *count* messages by `send_many`, cut now and then, and see what arrived."""
    random = Random(seed)
    run = f"{server.name}-{seed}-{time.monotonic_ns():x}"
    found = Account(messages=count)
    names = iter(range(count))

    def messages() -> Iterator[Message]:
        for number in names:
            token = f"{run}-{number}"
            chosen = [each for each in (*RECIPIENTS, UNKNOWN) if random.random() < 0.5]
            content = (
                f"From: <{SENDER}>\r\nTo: <{RECIPIENTS[0]}>\r\nSubject: {token}\r\n"
                f"Message-ID: <{token}@client.example.test>\r\n"
                f"Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n\r\n"
                + "line\r\n"
                * random.choice((1, 1, 10, 400))
            )
            yield Message.of(content.encode(), SENDER, tuple(chosen) or (UNKNOWN,))

    began = time.monotonic()
    how = Options(
        user=USER if server.demands_auth else None,
        password=PASSWORD,
        clear_auth=True,
        ehlo_name="client.example.test",
        timeout=_SECONDS,
    )
    number = 0
    with cutting(server, random, octets) as proxy:
        client = Client("127.0.0.1", proxy.port, how)
        _connect(client)
        while number < count:
            try:
                for result in client.send_many(messages(), depth=depth):
                    for fate in result.fates:
                        kind: set[tuple[str, str]] = getattr(found, fate.outcome)
                        kind.add((f"{run}-{number}", fate.recipient))
                    number += 1
            except OSError:  # the proxy cut the connection before EHLO was answered
                _connect(client)
        client.quit()
        found.cuts, found.ends = proxy.cuts, proxy.ends
    found.seconds = time.monotonic() - began
    _await(server, run, found)
    return found


def _connect(client: Client) -> None:
    """The proxy may cut at once: try until it does not."""
    for _ in range(50):
        try:
            client.connect()
        except OSError:
            continue
        return
    raise AssertionError("no connection in fifty tries")


def _await(server: Server, run: str, found: Account) -> None:
    """Wait until what was accepted has arrived, then a little for what should not."""
    token = re.compile(rb"^Subject: (%s-\d+)\r?$" % run.encode(), re.MULTILINE)
    deadline = time.monotonic() + _SECONDS + len(found.accepted) / 50
    seen: dict[str, tuple[str, str] | None] = {}
    last_look = False
    while True:
        for recipient in RECIPIENTS:
            for path in server.message_files(recipient):
                if (key := f"{recipient}:{path.name.partition(',')[0]}") not in seen:
                    match = token.search(path.read_bytes())
                    seen[key] = (match[1].decode(), recipient) if match else None
        arrived = Counter(each for each in seen.values() if each is not None)
        if last_look or time.monotonic() > deadline:
            break
        last_look = found.accepted <= set(arrived)
        time.sleep(0.3 if last_look else 0.1)
    found.arrived = arrived
