"""A server without sockets that takes mail as octets come, honest or not; and the driver of a flow.

It answers every command from what it holds: sender, recipients, content. What it is told to do
otherwise is in `Faults`. Time never passes: a client that waits for what will not come is told at
once that time has run out.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fsm_smtp.client.delivery import Delivery, Reach
from fsm_smtp.client.dialogue import Dialogue
from fsm_smtp.client.message import Message
from fsm_smtp.client.options import Depth, Options
from fsm_smtp.client.requests import GLANCE, RECONNECT, Answer, Flow, Request, Wait
from fsm_smtp.client.result import SendResult
from fsm_smtp.errors import ProtocolError
from fsm_smtp.event import Observer

Choose = Callable[[str, str], int]


def accepts(_verb: str, _argument: str) -> int:
    """All that is legal succeeds."""
    return 250


def bad_recipients(_verb: str, argument: str) -> int:
    """A recipient that begins with ``bad`` is refused, a sender that begins with ``bad``, too."""
    return 550 if "<bad" in argument.lower() else 250


@dataclass
class Faults:
    """What the server does otherwise than an honest one.

    Attributes:
        choose: the code for a command that is legal (2yz means success), by verb and argument.
        cut: the connection ends after so many commands, before the answer to the last of them.
        shut: so many commands are answered, then 421 is said, and the connection ends.
        behind_end: what becomes of commands in one write with an end of data: ``fine``,
            ``refused`` (503 to each), ``swallowed`` (thrown away).
        no_groups: 500 to a command that came with another one, and the connection ends.
        open_barren: 354 to a DATA without recipients.
        open_always: 354 to every DATA.
        nested: a MAIL inside a transaction begins a new one, in place of 503.
        accept_end: 250 to every end of content.
        chatter: replies of several lines.
        piece: octets that one read gives the client; 0 for all that are here.
    """

    choose: Choose = accepts
    cut: int | None = None
    shut: int | None = None
    behind_end: str = "fine"
    no_groups: bool = False
    open_barren: bool = False
    open_always: bool = False
    accept_end: bool = False
    chatter: bool = False
    piece: int = 0


@dataclass
class Taken:
    """A message that the server has taken."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


@dataclass
class Server:
    """One server for any number of connections, one after the other.

    Attributes:
        offers: its EHLO keywords.
        faults: for each connection; the last one for all that follow.
        taken: what it has taken, in the order of its replies.
        heard: every command line, and ``(content)``.
        writes: the writes of the client.
    """

    offers: tuple[str, ...] = ("PIPELINING", "CHUNKING", "8BITMIME")
    faults: tuple[Faults, ...] = (Faults(),)
    taken: list[Taken] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    writes: list[bytes] = field(default_factory=list)
    connections: int = 0

    def connect(self) -> None:
        """A new connection."""
        self.now = self.faults[min(self.connections, len(self.faults) - 1)]
        self.connections += 1
        self.out = b"220 mx.example.test\r\n"
        self.pending = b""
        self.count = 0
        self.ended = False
        self.forget()
        self.mode = "command"

    def forget(self) -> None:
        """No transaction is open."""
        self.sender: str | None = None
        self.recipients: list[str] = []
        self.chunks = b""
        self.failed = False

    def feed(self, octets: bytes) -> None:
        """One write of the client."""
        self.writes.append(octets)
        before, first = self.pending, True
        self.pending = before + octets
        behind_end = False
        while not self.ended and (line := self._take()) is not None:
            more = bool(self.pending)
            if self.mode == "content":
                self.mode = "command"
                self.heard.append("(content)")
                self._end(line)
                behind_end = True
            elif behind_end and self.now.behind_end == "refused":
                self.heard.append(line.decode())
                self.say(503, "too early")
            elif behind_end and self.now.behind_end == "swallowed":
                self.heard.append(line.decode())
            elif self.now.no_groups and (more or not first) and self.greeted(line):
                self.say(500, "one at a time")
                self.ended = True
            else:
                self._command(line.decode())
            first = False

    def greeted(self, line: bytes) -> bool:
        return not line.upper().startswith((b"EHLO", b"QUIT"))

    def _take(self) -> bytes | None:
        if self.mode == "content":
            end = (b"\r\n" + self.pending).find(b"\r\n.\r\n")
            if end < 0:
                return None
            content, self.pending = self.pending[:end], self.pending[end + 3 :]
            return re.sub(rb"^\.", b"", content.replace(b"\r\n.", b"\r\n"))
        line, crlf, rest = self.pending.partition(b"\r\n")
        if not crlf:
            return None
        match = re.match(rb"BDAT (\d+)", line)
        if match is not None:
            if len(rest) < int(match[1]):
                return None
            self.chunk, rest = rest[: int(match[1])], rest[int(match[1]) :]
        self.pending = rest
        return line

    def say(self, code: int, text: str) -> None:
        """One reply; or the end, when its time has come."""
        self.count += 1
        if self.count == self.now.cut:
            self.ended = True
        elif self.count == self.now.shut:
            self.out += b"421 bye\r\n"
            self.ended = True
        else:
            if self.now.chatter:
                self.out += f"{code}-{text}\r\n".encode()
            self.out += f"{code} {text}\r\n".encode()

    @property
    def lost(self) -> bool:
        """Whether the reply that is about to be given never leaves."""
        return self.count + 1 in (self.now.cut, self.now.shut)

    def _command(self, line: str) -> None:
        self.heard.append(line)
        verb, _, argument = line.partition(" ")
        verb = verb.upper()
        answer = getattr(self, f"_{verb.lower()}", None)
        assert answer is not None, line
        answer(argument)

    def _ehlo(self, _argument: str) -> None:
        lines = ["mx.example.test", *self.offers]
        for line in lines[:-1]:
            self.out += f"250-{line}\r\n".encode()
        self.out += f"250 {lines[-1]}\r\n".encode()

    def _mail(self, argument: str) -> None:
        if self.sender is not None:
            self.say(503, "nested MAIL")
            return
        code = self.now.choose("MAIL", argument)
        if code < 300:
            self.forget()
            self.sender = _path(argument)
        self.say(code, "sender")

    def _rcpt(self, argument: str) -> None:
        if self.sender is None or self.chunks or self.failed:
            self.say(503, "MAIL first")
            return
        code = self.now.choose("RCPT", argument)
        if code < 300:
            self.recipients.append(_path(argument))
        self.say(code, "recipient")

    def _data(self, _argument: str) -> None:
        barren = self.sender is not None and not self.recipients and self.now.open_barren
        if not (self.recipients or barren or self.now.open_always):
            self.say(503 if self.sender is None else 554, "no valid recipients")
            return
        code = self.now.choose("DATA", "") if self.recipients else 250
        if code < 300:
            self.mode = "content"
            self.say(354, "go on")
        else:
            self.say(code, "not now")

    def _end(self, content: bytes) -> None:
        code = self.now.choose("end", content[:20].decode("latin-1"))
        if not self.recipients and not self.now.accept_end:
            code = 554
        if code < 300 and not self.lost:
            self.taken.append(Taken(self.sender or "", tuple(self.recipients), content))
        self.forget()
        self.say(code, "message")

    def _bdat(self, argument: str) -> None:
        if not self.recipients or self.failed:
            self.failed = self.sender is not None
            self.say(503 if self.sender is None else 554, "no valid recipients")
            return
        last = argument.upper().endswith("LAST")
        code = self.now.choose("BDAT", argument)
        if code >= 300:
            self.failed = True
            self.say(code, "chunk")
            return
        self.chunks += self.chunk
        if last:
            if not self.lost:
                self.taken.append(Taken(self.sender or "", tuple(self.recipients), self.chunks))
            self.forget()
        self.say(code, "chunk")

    def _rset(self, _argument: str) -> None:
        code = self.now.choose("RSET", "")
        if code < 300:
            self.forget()
        self.say(code, "reset")

    def _quit(self, _argument: str) -> None:
        self.say(221, "bye")
        self.ended = True


def _path(argument: str) -> str:
    found = re.search("<(.*?)>", argument)
    assert found is not None
    return found[1]


class Link:
    """Moves octets between a flow and the server."""

    def __init__(self, server: Server, **options: Any) -> None:
        self.server = server
        self.dialogue = Dialogue(Options(ehlo_name="client.example.test", **options))
        self.waits: list[float] = []
        self.connect()

    def connect(self) -> None:
        """A new connection, as far as EHLO."""
        if self.dialogue.session.may("close"):
            self.dialogue.session.close()
        self.server.connect()
        self.run(self.dialogue.open())

    def run(self, flow: Flow[object]) -> object:
        """Do what *flow* asks for, until it ends."""
        answer: Answer = None
        while True:
            try:
                request: Request = flow.send(answer)
            except StopIteration as done:
                return done.value
            answer = self._done(request)

    def _done(self, request: Request) -> Answer:
        server = self.server
        if request is RECONNECT:
            try:
                self.connect()
            except ProtocolError as error:
                return error
            return None
        if request is GLANCE:
            return self._read(waiting=False)
        octets = request.octets if isinstance(request, Wait) else request
        assert isinstance(octets, bytes)
        if octets:
            if server.ended and not server.out:
                return False
            server.feed(octets)
        if not isinstance(request, Wait):
            return True
        request.octets = b""
        self.waits.append(request.seconds)
        return self._read(waiting=True)

    def _read(self, *, waiting: bool) -> bytes | None:
        server = self.server
        piece = server.now.piece or len(server.out)
        octets, server.out = server.out[:piece], server.out[piece:]
        if octets:
            return octets
        if server.ended:
            return b""
        assert not waiting or server.now.behind_end == "swallowed", "the client waits for nothing"
        return None


def deliver(
    server: Server,
    messages: Iterable[Message],
    depth: Depth | None = None,
    *,
    reach: Reach | None = None,
    many: bool = True,
    goodbye: bool = False,
    observer: Observer | None = None,
) -> list[SendResult]:
    """All results."""
    link = Link(server, observer=observer)
    return list(delivering(link, messages, depth, reach=reach, many=many, goodbye=goodbye))


def delivering(
    link: Link,
    messages: Iterable[Message],
    depth: Depth | None = None,
    *,
    reach: Reach | None = None,
    many: bool = True,
    goodbye: bool = False,
) -> Iterator[SendResult]:
    """Each result, as it comes."""
    on, reach = link.dialogue, reach or Reach()
    delivery = Delivery(on, messages, reach, depth, many=many, goodbye=goodbye)
    while isinstance(result := link.run(delivery.next()), SendResult):
        yield result
        if not many:
            return


def message(number: int, *recipients: str, size: int = 0, sender: str | None = None) -> Message:
    """The message with this number: its envelope and its content can be told from all others."""
    content = f"Subject: {number}\r\n\r\nmessage {number}\r\n".encode() + b"x" * size
    content += b"\r\n" if size else b""
    sender = sender or f"sender{number}@example.test"
    return Message.of(content, sender, recipients or (f"rcpt{number}@example.test",))
