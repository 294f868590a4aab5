"""The client's state beside each line of a transcript, by the project's own machine.

The lines are offered to the machine as a client's gate would offer them: commands through the
vocabulary, replies through the parser. Nothing here knows an order. What the table refuses was sent
on purpose, and is marked; its reply is then no business of the machine, whose state stays. A line
that was written before the reply to the one before it had come waits for its turn, as the server
reads it, and is marked as sent ahead (RFC 2920).
"""

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from fsm_smtp.check.transcript import UNFINISHED
from fsm_smtp.errors import InvalidCommand, MalformedReply
from fsm_smtp.machine import ProtocolMachine, shared_machine
from fsm_smtp.refusal import why_not
from fsm_smtp.vocabulary import Vocabulary
from fsm_smtp.wire import Reply, ReplyParser, parse_offers
from fsm_smtp.wire.commands import Command, parse_bdat, parse_command, parse_sasl_line

#: ``   0.001 C: EHLO client.example.test``, as `transcript.Transcript` writes it.
_LINE = re.compile(r" *(\d+\.\d{3}) (C:|S:|--) ?(.*)\Z", re.DOTALL)
_CUT = re.compile(r"(.*)… \((\d+) octets\)\Z", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|([tnr\\]))")
_NAMED = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}

#: Notes of a transcript by the trigger that they are.
_NOTES = {"TLS is up": "tls_up", "the server closed the connection": "eof"}


@dataclass(slots=True)
class Line:
    """A line of a transcript.

    Attributes:
        text: what was written, or happened; the whole line if it is none of a transcript.
        seconds: since the connection was asked for; ``""`` if the line has no time.
        who: ``"C"``, ``"S"``, or ``"-"`` for everything else.
        state: name of the client's state after it; ``""`` if it cannot be known.
        refused: why the table refuses it, with the RFC section; ``""`` if it does not.
        blame: what the table says is wrong with what the server did; ``""`` for nothing.
        ahead: whether it was written before the reply to the line before it had come.
    """

    text: str
    seconds: str = ""
    who: str = "-"
    state: str = ""
    refused: str = ""
    blame: str = ""
    ahead: bool = False


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
    tracer = _Tracer(tls)
    for text in transcript:
        tracer.take(text)
    return tracer.result()


@lru_cache(maxsize=1)
def _vocabulary() -> Vocabulary:
    return Vocabulary(shared_machine().table)


@dataclass(slots=True)
class _Waiting:
    """A client's line that waits for its turn."""

    octets: bytes
    lines: list[Line]


class _Tracer:
    def __init__(self, tls: bool) -> None:
        self._machine: ProtocolMachine = shared_machine()
        self._model = self._machine.new_model()
        self._parser = ReplyParser()
        self._lines: list[Line] = []
        self._states: dict[str, None] = {self._state: None}
        self._steps: dict[tuple[str, str], None] = {}
        self._refused: set[str] = set()
        self._known = True
        self._begun: list[Line] = []
        self._octets = b""
        self._queue: deque[_Waiting] = deque()
        self._chunk = 0  # octets of a BDAT chunk that are still to come
        self._in_flight = True  # the greeting
        self._outside = False  # whether what is in flight was refused by the table
        self._fire("connect_tls" if tls else "connect")

    @property
    def _state(self) -> str:
        return self._model.configuration.state

    def result(self) -> Trace:
        return Trace(
            tuple(self._lines),
            tuple(self._states),
            tuple(self._steps),
            frozenset(self._refused),
            self._state if self._known else "",
        )

    # -- lines -----------------------------------------------------------------------------------

    def take(self, text: str) -> None:
        """Take in the next line of the transcript."""
        found = _LINE.match(text)
        if found is None:
            # Lines are missing here, or this is no session at all.
            self._lines.append(Line(text))
            self._known = False
            return
        seconds, who, said = found.groups()
        line = Line(said, seconds, who[0])
        self._lines.append(line)
        if not self._known:
            return
        match line.who:
            case "C":
                self._client(line)
            case "S":
                self._server(line)
            case _:
                self._note(line)
        line.state = line.state or self._state

    def _client(self, line: Line) -> None:
        whole = not line.text.endswith(UNFINISHED)
        self._octets += _octets(line.text.removesuffix(UNFINISHED)) + (b"\r\n" if whole else b"")
        self._begun.append(line)
        line.ahead = self._in_flight
        *complete, self._octets = self._octets.split(b"\r\n")
        for octets in complete:
            self._queue.append(_Waiting(octets, self._begun))
            self._begun = []
        self._advance()

    def _server(self, line: Line) -> None:
        try:
            self._parser.feed(_octets(line.text) + b"\r\n")
            reply = self._parser.next_reply()
        except MalformedReply:
            self._parser = ReplyParser()
            line.blame = self._blame("reply_invalid")
            return
        if reply is not None:
            line.blame = self._reply(reply)
            line.state = self._state
            self._advance()

    def _note(self, line: Line) -> None:
        trigger = _NOTES.get(line.text)
        if trigger is not None and self._may(trigger):
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
                line.state = self._state

    def _offer(self, waiting: _Waiting) -> None:
        if self._chunk > 0:
            self._chunk -= len(waiting.octets) + 2
            return
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
        if command.verb == "BDAT":
            self._chunk = _chunk_size(command)

    def _command(self, octets: bytes) -> Command:
        parse = parse_sasl_line if self._may("send_response") else parse_command
        return parse(octets + b"\r\n")

    def _refuse(self, waiting: _Waiting, why: str) -> None:
        for line in waiting.lines:
            line.refused = why
        self._refused.add(self._state)
        self._in_flight = self._outside = True

    def _may(self, trigger: str) -> bool:
        return self._machine.allows(self._model.configuration, trigger)

    def _blame(self, trigger: str) -> str:
        """Fire a trigger of the server or the link, and say what the table finds wrong with it."""
        row = self._machine.step(self._model.configuration, trigger).row
        if row is None:  # there is no connection any more
            return ""
        self._fire(trigger)
        return f"{row.note or 'a violation'} (RFC {row.rfc})" if row.violation else ""

    def _fire(self, trigger: str) -> None:
        before = self._state
        self._machine.fire(self._model, trigger)
        self._states.setdefault(self._state)
        if self._state != before:
            self._steps.setdefault((before, self._state))


def _octets(text: str) -> bytes:
    """What `transcript.printable` was given; a line that was cut is filled up with x."""
    if cut := _CUT.match(text):
        shown = _octets(cut[1])
        return shown + b"x" * (int(cut[2]) - len(shown) - 2)
    unescaped = _ESCAPE.sub(
        lambda found: chr(int(found[1], 16)) if found[1] else _NAMED[found[2]], text
    )
    return unescaped.encode("latin-1", "replace")


def _chunk_size(command: Command) -> int:
    try:
        return parse_bdat(command.argument)[0]
    except InvalidCommand:
        return 0
