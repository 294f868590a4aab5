"""What a line of somebody's client is: its trigger, what it needs offered, what is untidy in it.

All that follows from the octets alone, so it is worked out once for each line and remembered:
clients say the same lines again and again. Lines that may carry credentials are never remembered.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from fsm_smtp.configuration import Configuration
from fsm_smtp.errors import InvalidCommand
from fsm_smtp.guard import extensions
from fsm_smtp.machine import MemoEvent, ProtocolMachine
from fsm_smtp.vocabulary import ANY_VERB, Vocabulary
from fsm_smtp.wire import (
    Command,
    Reply,
    envelope_path,
    grammar,
    limits,
    mail_parameters,
    parse_bdat,
    parse_command,
    parse_sasl_line,
    printable,
)
from fsm_smtp.wire.replies import tidy_reply

#: Lines remembered for each table: the envelopes of some hundred messages.
REMEMBERED: Final = 4096

#: Replies remembered: servers say the same few again and again, but for those with a number.
ANSWERS: Final = 256

#: The longest line held back for its end: the longest that AUTH allows (RFC 4954 §4), and room
#: for one that is merely too long.
MAX_LINE_HELD: Final = 2 * limits.MAX_AUTH_LINE

#: Verbs are alphabetic; private ones (XCLIENT, X-…) have digits and hyphens too.
_VERB: Final = re.compile(r"[A-Z][A-Z0-9-]*")

#: Verbs that take no argument (RFC 5321 §4.1.1, RFC 3207 §4), unless an extension says otherwise.
_BARE: Final = {
    "DATA": "5321 §4.1.1.4",
    "RSET": "5321 §4.1.1.5",
    "QUIT": "5321 §4.1.1.10",
    "STARTTLS": "3207 §4",
}

_HELLO: Final = {"EHLO": "5321 §4.1.1.1", "HELO": "5321 §4.1.1.1", "LHLO": "2033 §4.1"}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is against the grammar in a line: in words, and the section that says so."""

    what: str
    rfc: str


@dataclass(frozen=True, slots=True, eq=False)
class Recognised:
    """A line, and all that its octets say.

    Attributes:
        command: the line as a command; ``None`` for what is no line (the connection itself).
        trigger: the trigger that sending it is.
        event: that trigger's event of the machine; its ``step`` is the verdict.
        moves: where sending it has led so far, by configuration; shared by the trigger's commands.
        needs: EHLO keywords that must have been offered, each with the section that says so.
        faults: what is against the grammar.
        chunk: how many octets of a BDAT chunk follow.
        secret: whether a password follows that whoever reads it can use (RFC 4954 §4).
        remarkable: whether there is anything in the last four.
    """

    command: Command | None
    trigger: str
    event: MemoEvent
    moves: dict[Configuration, Configuration]
    needs: tuple[tuple[str, str], ...] = ()
    faults: tuple[Fault, ...] = ()
    chunk: int = 0
    secret: bool = False
    remarkable: bool = False

    @property
    def text(self) -> str | None:
        """The line for logs and errors, redacted."""
        return None if self.command is None else self.command.redacted


class Recogniser:
    """Recognises the lines of clients, for one table.

    Args:
        machine: the machine whose triggers lines stand for.

    Attributes:
        vocabulary: the machine's words.
        end_of_data: the dot that ends the content.
        content: a piece of it.
        commands: the triggers that stand for command lines.
    """

    def __init__(self, machine: ProtocolMachine) -> None:
        self._machine = machine
        self.vocabulary = Vocabulary(machine.table)
        self._moves: dict[str, dict[Configuration, Configuration]] = {
            name: {} for name in machine.events
        }
        #: Where a whole content leads, by configuration.
        self.after_content: dict[Configuration, Configuration] = {}
        self._events = {name: self._event(name) for name in machine.events}
        #: The machine's event of that name.
        self.event: Callable[[str], MemoEvent] = self._events.__getitem__
        self.end_of_data = self._named("send_dot", parse_command(b".\r\n"))
        self.content = self._named("send_content")
        triggers = machine.table.triggers.values()
        self.commands = tuple(each.name for each in triggers if each.verb)
        self._greetings = self._named("connect"), self._named("connect_tls")
        #: The commands on lines that were recognised before; none that may carry credentials.
        self.known: dict[bytes, Recognised] = {}
        #: Replies that were read before: just one, of one line, and tidy.
        self.replies: dict[bytes, Reply] = {}
        #: Where a reply leads that leaves nothing to remark on: by configuration, the trigger that
        #: asked, and code.
        self.calm: dict[tuple[Configuration, str, int], Configuration] = {}

    def greeting(self, *, tls: bool) -> Recognised:
        """The opening of the connection, which the greeting answers."""
        return self._greetings[tls]

    def _event(self, name: str) -> MemoEvent:
        event = self._machine.events[name]
        assert isinstance(event, MemoEvent)
        return event

    def _named(self, trigger: str, command: Command | None = None) -> Recognised:
        return Recognised(command, trigger, self.event(trigger), self._moves[trigger])

    def line(self, line: bytes) -> Recognised:
        """The command on *line*, its CRLF included.

        Raises:
            InvalidCommand: no line, or a control octet in it (RFC 5321 §4.1.2), or no verb.
        """
        return self.known.get(line) or self.fresh(line) or self._recognise(line)

    def fresh(self, line: bytes) -> Recognised | None:
        """The command on *line*, not known yet, which is remembered from now on.

        Returns:
            ``None`` for what is no line, and for what may carry credentials: that is nobody's to
            keep.
        """
        if line.lstrip()[:4].upper() == b"AUTH":
            return None
        try:
            said = self._recognise(line)
        except InvalidCommand:
            return None
        if len(self.known) >= REMEMBERED:
            self.known.clear()
        self.known[line] = said
        return said

    def reply(self, octets: bytes) -> Reply | None:
        """The reply that *octets* are, if it is just one, of one line, and tidy; remembered."""
        found = tidy_reply(octets)
        if found is not None:
            if len(self.replies) >= ANSWERS:
                self.replies.clear()
            self.replies[octets] = found
        return found

    def knows(self, line: bytes) -> bool:
        """Whether *line* is a command whose verb the table knows."""
        try:
            trigger = self.line(line).trigger
        except InvalidCommand:
            return False
        return self._machine.table.triggers[trigger].verb != ANY_VERB

    def sasl_line(self, line: bytes) -> Recognised:
        """The line of a SASL exchange (RFC 4954 §4), its CRLF included.

        Raises:
            InvalidCommand: as for `line`.
        """
        command = parse_sasl_line(line)
        trigger = self.vocabulary.command(command)
        tidy = command.argument in (b"", b"*") or grammar.is_base64(command.argument)
        faults: list[Fault] = []
        if not tidy:
            faults.append(Fault("a SASL response that is no base64", "4954 §4"))
        if len(line) > limits.MAX_AUTH_LINE:
            faults.append(Fault("a SASL response longer than 12288 octets", "4954 §4"))
        event = self.event(trigger)
        moves = self._moves[trigger]
        return Recognised(
            command, trigger, event, moves, (), tuple(faults), remarkable=bool(faults)
        )

    def _recognise(self, line: bytes) -> Recognised:
        command = parse_command(line)
        verb = command.verb
        if not _VERB.fullmatch(verb):
            what = (
                "a line without a verb" if not verb else f"{printable(verb.encode())!r} as a verb"
            )
            raise InvalidCommand(what, "5321 §2.4")
        if verb == "BDAT":
            chunk, _ = parse_bdat(command.argument)
        else:
            chunk = 0
        needs: list[tuple[str, str]] = []
        if not line.isascii():
            needs.append(extensions.UTF8)
        faults: list[Fault] = []
        most = limits.MAX_COMMAND_LINE
        if verb in ("MAIL", "RCPT"):
            found = tuple(_envelope(command, needs))
            faults += found
            most += _growth(command)
        elif verb in _HELLO:
            faults += _hello_faults(command)
        elif verb in _BARE and command.argument:
            faults.append(Fault(f"an argument of {verb}, which takes none", _BARE[verb]))
        if len(line) > most:
            faults.append(
                Fault(f"a line of {len(line)} octets, longer than {most}", "5321 §4.5.3.1.4")
            )
        trigger = self.vocabulary.command(command)
        secret = verb == "AUTH" and command.argument[:5].upper() in (b"PLAIN", b"LOGIN")
        return Recognised(
            command,
            trigger,
            self.event(trigger),
            self._moves[trigger],
            tuple(needs),
            tuple(faults),
            chunk,
            secret,
            bool(needs or faults or chunk or secret),
        )


def _hello_faults(command: Command) -> Iterator[Fault]:
    name = command.argument
    if not (grammar.is_domain(name) or grammar.is_address_literal(name)):
        what = f"{printable(name)!r} is neither a domain nor an address literal"
        yield Fault(what, _HELLO[command.verb])


def _envelope(command: Command, needs: list[tuple[str, str]]) -> Iterator[Fault]:
    """The faults of a MAIL or RCPT; what it needs is added to *needs*."""
    argument = command.argument
    try:
        parameters = mail_parameters(argument)
        path = envelope_path(argument)
    except InvalidCommand as error:
        yield Fault(error.what, error.rfc)
        return
    known = extensions.MAIL if command.verb == "MAIL" else extensions.RCPT
    for name, value in parameters.items():
        if name == "BODY" and value is not None and value.upper() == b"BINARYMIME":
            needs.append(extensions.BINARY)
        elif name in known:
            needs.append(known[name])
        else:
            yield Fault(
                f"{printable(name.encode())} is no known parameter of {command.verb}",
                "5321 §4.1.1.11",
            )
    yield from _path_faults(command.verb, path, argument)


@lru_cache(maxsize=REMEMBERED)
def _is_path(verb: str, path: bytes) -> bool:
    rule = grammar.is_reverse_path if verb == "MAIL" else grammar.is_forward_path
    return rule(path, utf8=not path.isascii())


def _path_faults(verb: str, path: bytes, argument: bytes) -> Iterator[Fault]:
    section = "5321 §4.1.1.2" if verb == "MAIL" else "5321 §4.1.1.3"
    bracketed = b"<" + path + b">"
    if not _is_path(verb, bracketed):
        yield Fault(f"{printable(path)!r} is no mailbox", section)
    elif grammar.has_source_route(bracketed):
        yield Fault(f"{printable(path)!r} has a source route", "5321 appendix C")
    prefix = b"FROM:" if verb == "MAIL" else b"TO:"
    if not argument[len(prefix) :].startswith(b"<"):
        yield Fault(f"no angle bracket behind {prefix.decode()}", section)


def _growth(command: Command) -> int:
    """How far the parameters on this line lengthen what a line may have."""
    growth = limits.MAIL_GROWTH if command.verb == "MAIL" else limits.RCPT_GROWTH
    try:
        names = mail_parameters(command.argument)
    except InvalidCommand:
        return 0
    return sum(dict(growth[name] for name in names if name in growth).values())


@lru_cache(maxsize=64)
def recogniser_of(machine: ProtocolMachine) -> Recogniser:
    """A machine's recogniser, shared by all its guards."""
    return Recogniser(machine)
