"""An honest server for many connections at a time, which does wrong when a test tells it to.

It runs in threads, keeps what was delivered, and counts. A test may speak on any connection, close
it, or say what the next reply to a verb shall be.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

#: Seconds that the server waits for a client before it gives up.
PATIENCE = 20.0


@dataclass(frozen=True)
class Delivered:
    """A message that the server has taken."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


@dataclass(eq=False)
class Link:
    """One connection.

    Attributes:
        peer: the client's address.
        lines: the commands that have come, in upper case, content left out.
        quirks: a verb, and what is said to it the next time in place of the honest reply; ``b""``
            closes the connection.
        open: whether it is open on the server's side.
    """

    socket: socket.socket
    peer: object
    lines: list[str] = field(default_factory=list[str])
    quirks: dict[str, bytes] = field(default_factory=dict[str, bytes])
    open: bool = True

    def say(self, octets: bytes) -> None:
        """Speak, unless the connection is gone."""
        with contextlib.suppress(OSError):
            self.socket.sendall(octets)

    def end(self) -> None:
        """Close, as if in passing."""
        self.open = False
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def mails(self) -> int:
        """How many MAIL commands have come."""
        return sum(line.startswith("MAIL") for line in self.lines)


class HonestServer:
    """Listens on a port of its own.

    Args:
        offers: the lines of its reply to EHLO.
        greeting: what it says first.
    """

    def __init__(self, *offers: str, greeting: bytes = b"220 mx.example.test\r\n") -> None:
        self.offers = offers
        self.greeting = greeting
        self.links: list[Link] = []
        self.delivered: list[Delivered] = []
        self.most_open = 0
        #: For each verb, what each connection says to it the first time in place of its reply.
        self.quirks: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def open(self) -> list[Link]:
        """The connections that are open."""
        with self._lock:
            return [link for link in self.links if link.open]

    def link_of(self, local_address: object) -> Link:
        """The connection whose client has this address."""
        with self._lock:
            return next(link for link in reversed(self.links) if link.peer == local_address)

    def _accept(self) -> None:
        while True:
            try:
                connected, peer = self._listener.accept()
            except OSError:
                return
            connected.settimeout(PATIENCE)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = Link(connected, peer, quirks=dict(self.quirks))
            with self._lock:
                self.links.append(link)
                self.most_open = max(self.most_open, sum(each.open for each in self.links))
            thread = threading.Thread(target=self._serve, args=(link,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, link: Link) -> None:
        with contextlib.suppress(OSError), link.socket.makefile("rb") as lines:
            link.say(self.greeting)
            sender, recipients = "", [""]
            while line := lines.readline():
                text = line.decode().rstrip("\r\n")
                verb = text[:4].upper()
                link.lines.append(text)
                quirk = link.quirks.pop(verb, None)
                if quirk is not None:
                    if not quirk:
                        break
                    link.say(quirk)
                    if quirk.startswith(b"421"):
                        break
                    continue
                path = text.partition("<")[2].partition(">")[0]
                match verb:
                    case "EHLO":
                        rest = [f"250-{each}\r\n" for each in ("mx.example.test", *self.offers)]
                        rest[-1] = rest[-1].replace("-", " ", 1)
                        link.say("".join(rest).encode())
                    case "MAIL":
                        sender, recipients = path, []
                        link.say(b"250 2.1.0 ok\r\n")
                    case "RCPT" if path.startswith("no"):
                        link.say(b"550 5.1.1 no such user\r\n")
                    case "RCPT":
                        recipients.append(path)
                        link.say(b"250 2.1.5 ok\r\n")
                    case "DATA" if not recipients:
                        link.say(b"554 5.5.1 no valid recipients\r\n")
                    case "DATA":
                        link.say(b"354 go\r\n")
                        content = b""
                        while (line := lines.readline()) not in (b".\r\n", b""):
                            content += line
                        if not line:
                            break
                        dot = link.quirks.pop(".", b"250 2.0.0 taken\r\n")
                        if not dot.startswith((b"4", b"5")):
                            with self._lock:
                                self.delivered.append(Delivered(sender, tuple(recipients), content))
                        if not dot:
                            break
                        link.say(dot)
                        if dot.startswith(b"421"):
                            break
                    case "QUIT":
                        link.say(b"221 bye\r\n")
                        break
                    case "RSET" | "NOOP" | "HELO":
                        link.say(b"250 2.0.0 ok\r\n")
                    case _:
                        link.say(b"502 5.5.1 what?\r\n")
        link.open = False
        link.socket.close()

    def stop(self) -> None:
        """Go away; every thread has ended afterwards."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(PATIENCE)
        for link in self.open():
            link.end()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a connection does not end"


@contextlib.contextmanager
def honest(*offers: str, greeting: bytes = b"220 mx.example.test\r\n") -> Iterator[HonestServer]:
    """A server that is gone at the end of the block."""
    server = HonestServer(*offers, greeting=greeting)
    try:
        yield server
    finally:
        server.stop()
