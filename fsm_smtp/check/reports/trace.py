"""The client's state beside each line of a transcript, by the project's own machine.

The lines are offered to the machine as a client's gate would offer them: commands through the
vocabulary, replies through the parser. Nothing here knows an order. What the table refuses was sent
on purpose, and is marked; its reply is then no business of the machine, whose state stays. A line
that was written before the reply to the one before it had come waits for its turn, as the server
reads it, and is marked as sent ahead (RFC 2920).
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from fsm_smtp.check.engine.transcript import UNFINISHED
from fsm_smtp.check.reports.lines import Line, octets_of, read_line
from fsm_smtp.errors import InvalidCommand, MalformedReply
from fsm_smtp.machine import ProtocolMachine, shared_machine
from fsm_smtp.refusal import why_not
from fsm_smtp.vocabulary import Vocabulary
from fsm_smtp.wire import Reply, ReplyParser, parse_offers
from fsm_smtp.wire.commands import Command, parse_bdat, parse_command, parse_sasl_line

#: How notes of a transcript begin, and the trigger that each is.
_NOTES = (
    ("TLS is up", "tls_up"),
    ("no TLS: ", "tls_failed"),
    ("the server closed", "eof"),
    ("we close", "close"),
    ("we reset", "close"),
)


@dataclass(frozen=True, slots=True)
class Trace:
    """A transcript with its states.

    Attributes:
        lines: its lines.
        states: the states that were visited, in the order of the first visit.
        steps: the changes of state, each once: before, after.
        refused: the states in which something was sent that the table refuses.
        end: the state at the end; ``""`` if it is not known.
    """

    lines: tuple[Line, ...]
    states: tuple[str, ...]
    steps: tuple[tuple[str, str], ...]
    refused: frozenset[str]
    end: str

    @property
    def timed(self) -> bool:
        """Whether there is a session in it at all: a traceback is none."""
        return any(line.seconds for line in self.lines)


def trace(transcript: Iterable[str], *, tls: bool = False) -> Trace:
    """The states along *transcript*; with *tls*, the connection was under TLS from the start."""
    way = _Way()
    sessions: dict[str, _Tracer] = {}
    lines: list[Line] = []
    last: _Tracer | None = None
    known = True
    for text in transcript:
        line = read_line(text)
        known = known and line is not None
        lines.append(line or Line(text))
        # None: lines are missing here, or this is no session at all.
        if line is not None and known:
            last = sessions.get(line.session)
            if last is None or last.closed:
                last = sessions[line.session] = _Tracer(way, tls)
            last.take(line)
    end = last.state if last is not None and known else ""
    return Trace(tuple(lines), tuple(way.states), tuple(way.steps), frozenset(way.refused), end)


@dataclass(slots=True)
class _Way:
    """Where all sessions of a case have been."""

    states: dict[str, None] = field(default_factory=dict[str, None])
    steps: dict[tuple[str, str], None] = field(default_factory=dict[tuple[str, str], None])
    refused: set[str] = field(default_factory=set[str])


@lru_cache(maxsize=1)
def _vocabulary() -> Vocabulary:
    return Vocabulary(shared_machine().table)


@dataclass(slots=True)
class _Waiting:
    """A client's line that waits for its turn."""

    octets: bytes
    lines: list[Line]


class _Tracer:
    """One session.

    Attributes:
        closed: whether we have closed the connection.
    """

    def __init__(self, way: _Way, tls: bool) -> None:
        self.closed = False
        self._way = way
        self._machine: ProtocolMachine = shared_machine()
        self._model = self._machine.new_model()
        self._parser = ReplyParser()
        self._begun: list[Line] = []
        self._octets = b""
        self._queue: deque[_Waiting] = deque()
        self._chunk = 0  # octets of a BDAT chunk that are still to come
        self._in_flight = True  # the greeting
        self._outside = False  # whether what is in flight was refused by the table
        self._fire("connect_tls" if tls else "connect")

    @property
    def state(self) -> str:
        """The state now."""
        return self._model.configuration.state

    # -- lines -----------------------------------------------------------------------------------

    def take(self, line: Line) -> None:
        """Take in the next line of the session, and note the state after it."""
        match line.who:
            case "C":
                self._client(line)
            case "S":
                self._server(line)
            case _:
                self._note(line)
        line.state = line.state or self.state

    def _client(self, line: Line) -> None:
        line.ahead = self._in_flight and not self._chunk
        whole = not line.text.endswith(UNFINISHED)
        self._octets += octets_of(line.text.removesuffix(UNFINISHED)) + (b"\r\n" if whole else b"")
        self._begun.append(line)
        self._skip_chunk()
        while b"\r\n" in self._octets:
            octets, self._octets = self._octets.split(b"\r\n", 1)
            self._queue.append(_Waiting(octets, self._begun))
            self._begun = []
            if not self._may("send_content"):
                self._chunk = _chunk_behind(octets)
                self._skip_chunk()
        if not self._octets:
            self._begun = []
        self._advance()

    def _skip_chunk(self) -> None:
        """What follows BDAT is no command (RFC 3030 §2)."""
        taken = min(self._chunk, len(self._octets))
        self._octets = self._octets[taken:]
        self._chunk -= taken

    def _server(self, line: Line) -> None:
        try:
            self._parser.feed(octets_of(line.text) + b"\r\n")
            reply = self._parser.next_reply()
        except MalformedReply:
            self._parser = ReplyParser()
            line.blame = self._blame("reply_invalid")
            return
        if reply is not None:
            line.blame = self._reply(reply)
            line.state = self.state
            self._advance()

    def _note(self, line: Line) -> None:
        for begin, trigger in _NOTES:
            if line.text.startswith(begin):
                self.closed = trigger == "close"
                line.blame = self._blame(trigger)
                if trigger == "tls_up":
                    self._parser = ReplyParser()

    # -- the machine -----------------------------------------------------------------------------

    def _reply(self, reply: Reply) -> str:
        """Offer *reply*; what is wrong with it. One to what the table refused is not offered."""
        outside = self._in_flight and self._outside
        self._in_flight = self._outside = False
        if outside and reply.code != 421:
            return ""
        blame = self._blame(_vocabulary().reply(reply.code))
        if self._may("offers_end"):
            for offer in map(_vocabulary().offer, parse_offers(reply)):
                if offer is not None:
                    self._fire(offer)
            self._fire("offers_end")
        return blame

    def _advance(self) -> None:
        """Offer what waits, until something is in flight."""
        while self._queue and not self._in_flight:
            waiting = self._queue.popleft()
            self._offer(waiting)
            for line in waiting.lines:
                line.state = self.state

    def _offer(self, waiting: _Waiting) -> None:
        if self._may("send_content"):
            self._fire("send_dot" if waiting.octets == b"." else "send_content")
            self._in_flight = waiting.octets == b"."
            return
        try:
            command = self._command(waiting.octets)
        except InvalidCommand as error:
            self._refuse(waiting, str(error))
            return
        trigger = _vocabulary().command(command)
        if not self._may(trigger):
            why, rfc = why_not(self._machine.table, self._model.configuration, trigger)
            self._refuse(waiting, f"{why} (RFC {rfc})")
            return
        self._fire(trigger)
        self._in_flight = True

    def _command(self, octets: bytes) -> Command:
        parse = parse_sasl_line if self._may("send_response") else parse_command
        return parse(octets + b"\r\n")

    def _refuse(self, waiting: _Waiting, why: str) -> None:
        for line in waiting.lines:
            line.refused = why
        self._way.refused.add(self.state)
        self._in_flight = self._outside = True

    def _may(self, trigger: str) -> bool:
        return self._machine.allows(self._model.configuration, trigger)

    def _blame(self, trigger: str) -> str:
        """Fire a trigger of the server or the link, and say what the table finds wrong with it."""
        row = self._machine.step(self._model.configuration, trigger).row
        if row is None:  # it cannot happen here: there is no connection, or no handshake
            return ""
        self._fire(trigger)
        return f"{row.note or 'a violation'} (RFC {row.rfc})" if row.violation else ""

    def _fire(self, trigger: str) -> None:
        before = self.state
        self._machine.fire(self._model, trigger)
        self._way.states.setdefault(before)
        self._way.states.setdefault(self.state)
        if self.state != before:
            self._way.steps.setdefault((before, self.state))


def _chunk_behind(line: bytes) -> int:
    """Octets of the chunk that follows *line*; 0 if it is no BDAT."""
    try:
        command = parse_command(line + b"\r\n")
        return parse_bdat(command.argument)[0] if command.verb == "BDAT" else 0
    except InvalidCommand:
        return 0
