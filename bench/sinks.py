"""How fast sinks take messages: ours, and Postfix' smtp-sink where it is here.

The client is the same few lines of socket calls for both, so that what differs is the sink.
"""

import socket
import time
from collections.abc import Callable
from statistics import median

from bench.children import OWN_SINK, SMTP_SINK, sinks
from bench.report import Goal, Section

#: Short turns, and many of them: what slows the machine down meets both sinks.
_ROUNDS, _QUICK = 60, 12
_MESSAGES = 50
#: What the target asks of our sink.
_SHARE = 0.9
_BODY = b"Subject: x\r\n\r\n" + b"0123456789" * 7 + b"\r\n"
_ENVELOPE = (b"MAIL FROM:<a@b.test>\r\n", b"RCPT TO:<c@d.test>\r\n")


class _Client:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lines(1)
        self.socket.sendall(b"EHLO client.test\r\n")
        while b"\n250 " not in self.socket.recv(4096):
            pass

    def lines(self, count: int) -> None:
        """Read so many replies of one line."""
        while count > 0:
            count -= self.socket.recv(4096).count(b"\n")

    def say(self, *lines: bytes) -> None:
        self.socket.sendall(b"".join(lines))
        self.lines(len(lines))


def _lockstep(client: _Client) -> None:
    for line in (*_ENVELOPE, b"DATA\r\n"):
        client.say(line)
    client.say(_BODY * 20 + b".\r\n")


def _pipelined(client: _Client) -> None:
    client.say(*_ENVELOPE, b"DATA\r\n")
    client.say(_BODY * 20 + b".\r\n")


def _bdat(client: _Client) -> None:
    body = _BODY * 20
    client.say(*_ENVELOPE)
    client.say(b"BDAT %d LAST\r\n%b" % (len(body), body))


_WAYS: dict[str, Callable[[_Client], None]] = {
    "lock-step": _lockstep,
    "pipelined": _pipelined,
    "BDAT": _bdat,
}


def sinking(*, quick: bool) -> Section:
    """Measure the sinks in turns."""
    columns = ("messages a second", "own sink", "smtp-sink", "own / smtp-sink")
    section = Section("Sinks", columns)
    with sinks() as (ports, absence):
        clients = {name: _Client(port) for name, port in ports.items()}
        for way, send in _WAYS.items():
            taken: dict[str, list[float]] = {name: [] for name in clients}
            for _ in range(_QUICK if quick else _ROUNDS):
                for name, client in clients.items():
                    began = time.perf_counter()
                    for _ in range(_MESSAGES):
                        send(client)
                    taken[name].append(_MESSAGES / (time.perf_counter() - began))
            own, other = taken[OWN_SINK], taken.get(SMTP_SINK)
            if other is None:
                section.rows.append((way, f"{median(own):,.0f}", "-", "-"))
                continue
            ratio = median(mine / theirs for mine, theirs in zip(own, other, strict=True))
            figures = (f"{median(own):,.0f}", f"{median(other):,.0f}", f"{ratio:.2f}")
            section.rows.append((way, *figures))
            goal = Goal(
                f"own sink, {way}",
                f"at least {_SHARE:.0%} of smtp-sink",
                f"{ratio:.0%}",
                ratio >= _SHARE,
            )
            section.goals.append(goal)
        for client in clients.values():
            client.socket.close()
    if absence is not None:
        section.notes.append(f"without smtp-sink: {absence}")
    section.notes.append("one connection; the client waits for each reply, or group of replies")
    section.notes.append("the ratio is the median of those of neighbouring turns")
    return section
