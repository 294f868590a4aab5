"""The gate: bytes move only when the machine agrees. One client session, in lock-step; no I/O.

Outgoing, a command or a piece of content is offered to the machine, and only what it accepts is
given back as octets to write. Incoming, octets become replies, each is matched with the command
that it answers and offered to the machine; what the protocol does not allow is raised as the
server's violation. An adapter writes what it is given, reads, starts TLS and closes; it knows no
protocol. Time, too, comes from outside.

The machine decides; this file changes no state and knows no order (see `fsm_smtp.machine`).
"""

from functools import lru_cache

from fsm_smtp.command import SMTPCommand
from fsm_smtp.configuration import Configuration
from fsm_smtp.counts import Limits, RepliesDue
from fsm_smtp.errors import (
    ConnectionLost,
    MalformedReply,
    RemoteProtocolError,
    ReplyTimeout,
    UnexpectedReply,
)
from fsm_smtp.event import Event, Observer
from fsm_smtp.machine import ProtocolMachine, Step, shared_machine
from fsm_smtp.vocabulary import Vocabulary
from fsm_smtp.wire import (
    Command,
    ContentEncoder,
    Encoded,
    Offers,
    Reply,
    ReplyParser,
    parse_offers,
    printable,
)
from fsm_smtp.wire.commands import bdat

__all__ = ["Event", "Observer", "Session"]


@lru_cache(maxsize=64)
def _vocabulary(machine: ProtocolMachine) -> Vocabulary:
    """A machine's vocabulary, made once."""
    return Vocabulary(machine.table)


class _Due(dict[Configuration, bool]):
    """Whether, in a configuration, offers wait to be read or a handshake to be made."""

    def __init__(self, machine: ProtocolMachine) -> None:
        self._machine = machine

    def __missing__(self, configuration: Configuration) -> bool:
        allows = self._machine.allows
        self[configuration] = allows(configuration, "offers_end") or allows(configuration, "tls_up")
        return self[configuration]


@lru_cache(maxsize=64)
def _due(machine: ProtocolMachine) -> _Due:
    """What is due in a machine's configurations, found out once."""
    return _Due(machine)


class Session:
    """One session of an SMTP client, without I/O.

    Args:
        machine: the protocol; the shared machine of the shipped table when ``None``.
        observer: called with an `Event` for everything that happens.
    """

    def __init__(
        self, machine: ProtocolMachine | None = None, *, observer: Observer | None = None
    ) -> None:
        self._machine = machine or shared_machine()
        self._words = _vocabulary(self._machine)
        self._due = _due(self._machine)
        self._model = self._machine.new_model()
        self._parser = ReplyParser()
        self._encoder: ContentEncoder | None = None
        self._observer = observer
        self._asked: str | None = None  # the trigger that waits for its reply
        self._last: Command | str | None = None
        self._offers = Offers(b"", {})
        self._replies_due = RepliesDue.of(self._machine.table)
        self._limits: Limits | None = None  # once LIMITS has been offered
        #: How many MAIL commands were sent over this connection (RFC 9422 §4.1 counts them all).
        self.mails: int = 0

    # -- what is so ------------------------------------------------------------------------------

    @property
    def state(self) -> SMTPCommand:
        """The state."""
        return self._model.configuration.command

    @property
    def configuration(self) -> Configuration:
        """The state and the memory."""
        return self._model.configuration

    @property
    def legal(self) -> tuple[str, ...]:
        """The client triggers that are legal now."""
        return self._machine.legal(self._model.configuration)

    def may(self, trigger: str) -> bool:
        """Whether *trigger* can happen now.

        Raises:
            ValueError: there is no such trigger.
        """
        return self._machine.allows(self._model.configuration, trigger)

    @property
    def offers(self) -> Offers:
        """What EHLO offered, as far as it is in force: nothing before EHLO, after HELO, or as soon
        as TLS has come up (RFC 3207 §4.2)."""
        in_force = self._model.configuration["greeted"] == "ehlo"
        return self._offers if in_force else Offers(b"", {})

    @property
    def last_command(self) -> str | None:
        """The last command that was sent, redacted."""
        return self._last.redacted if isinstance(self._last, Command) else self._last

    @property
    def unread(self) -> bool:
        """Whether there are octets that `next_reply` has not given out yet."""
        return self._parser.pending

    @property
    def mails_left(self) -> int | None:
        """How many more transactions the server takes here (RFC 9422); ``None`` for any number."""
        return None if self._limits is None else self._limits.mails_left

    @property
    def replies_due(self) -> int:
        """How many replies are still to come to what was sent last; 0 when nothing is awaited."""
        if self._replies_due is not None and self._replies_due.left:
            return self._replies_due.left
        return int(self._asked is not None)

    def wait_for(self) -> tuple[float, str]:
        """How many seconds to wait for the reply at least, and the section that says so."""
        trigger = self._machine.table.triggers[self._asked or "connect"]
        return float(trigger.wait or 0), "5321 §4.5.3.2"

    # -- outgoing --------------------------------------------------------------------------------

    def connect(self, *, tls: bool = False) -> None:
        """The connection is open; with *tls*, a verified handshake came first (RFC 8314 §3.3).

        Raises:
            CommandRefused: there is a connection already.
        """
        self._link("connect_tls" if tls else "connect", "connected" + (" with TLS" if tls else ""))
        self._parser = ReplyParser()
        self._asked, self._last = "connect", None
        self._limits = None
        self.mails = 0

    def send(self, command: Command) -> bytes:
        """The octets of *command*, if it is legal now.

        Raises:
            CommandRefused: it is not; nothing has changed.
            LimitReached: the server does not take so many (RFC 9422); nothing has changed.
        """
        trigger = self._words.command(command)
        model = self._model
        before = model.configuration
        if self._limits is not None and self.may(trigger):
            self._limits.sent(command, before.state)
        if not self._machine.events[trigger].trigger(model):
            raise self._machine.refusal(before, trigger, command.redacted)
        if self._replies_due is not None:
            self._replies_due.expect(trigger)
        self._encoder = None
        self._asked = trigger
        self._last = command
        if command.verb == "MAIL":
            self.mails += 1
        if self._observer is not None:
            self._tell("C", command.redacted, before, trigger, model.step)
        return command.line

    def send_chunk(self, chunk: bytes, *, last: bool) -> bytes:
        """The octets of a BDAT command with its chunk (RFC 3030 §2), if it is legal now.

        Raises:
            CommandRefused: it is not; nothing has changed.
        """
        return self.send(bdat(len(chunk), last)) + chunk

    def send_content(self, chunk: bytes | bytearray | memoryview) -> bytes:
        """The wire form of a piece of the content (RFC 5321 §4.5.2), if content may be sent now.

        Raises:
            CommandRefused: it may not; nothing has changed.
        """
        before = self._model.configuration
        step = self._machine.fire(self._model, "send_content")
        if self._encoder is None:
            self._encoder = ContentEncoder()
        if self._observer is not None and step.target is not before:
            self._tell("C", "(content)", before, "send_content", step)
        return self._encoder.encode(chunk)

    def end_content(self) -> bytes:
        """The end of data, if it may be sent now.

        Raises:
            CommandRefused: it may not; nothing has changed.
        """
        self._end()
        encoder, self._encoder = self._encoder, None
        return (encoder or ContentEncoder()).finish()

    def send_encoded(self, content: Encoded) -> bytes:
        """A whole content that was encoded beforehand, if content may be sent now.

        Raises:
            CommandRefused: it may not; nothing has changed.
        """
        before = self._model.configuration
        step = self._machine.fire(self._model, "send_content")
        if self._observer is not None and step.target is not before:
            self._tell("C", "(content)", before, "send_content", step)
        self._end()
        return content

    # -- incoming --------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Take in octets from the server; then ask `next_reply` until it gives ``None``.

        Raises:
            RemoteProtocolError: they come where none may come, or cannot be taken in.
        """
        if data and self.may("tls_up"):
            raise self._plaintext(data)
        try:
            self._parser.feed(data)
        except MalformedReply as error:
            raise self._malformed(error) from None

    def next_reply(self) -> Reply | None:
        """The next reply, judged, or ``None`` until more octets come.

        Raises:
            MalformedReply: the octets are no reply (RFC 5321 §4.2); the session is over.
            UnexpectedReply: the protocol does not allow this reply now; the session is over.
        """
        try:
            reply = self._parser.next_reply()
        except MalformedReply as error:
            raise self._malformed(error) from None
        return None if reply is None else self._judge(reply)

    def answer(self, data: bytes) -> Reply | None:
        """`receive` and `next_reply` in one. Quick when *data* is a whole reply of one line.

        Raises:
            RemoteProtocolError: as these two.
        """
        if not self._due[self._model.configuration]:
            reply = self._parser.whole(data)
            if reply is not None:
                return self._judge(reply)
        self.receive(data)
        return self.next_reply()

    def tls_up(self) -> None:
        """The handshake after STARTTLS succeeded: nothing learned before it survives (RFC 3207).

        Raises:
            CommandRefused: no handshake was due.
        """
        self._link("tls_up", "TLS is up")
        self._parser = ReplyParser()

    def tls_failed(self) -> None:
        """The handshake after STARTTLS failed; only closing is left.

        Raises:
            CommandRefused: no handshake was due.
        """
        self._link("tls_failed", "the TLS handshake failed")

    def eof(self) -> ConnectionLost | None:
        """The server closed the connection: the error, unless the session had come to its end."""
        before = self._model.configuration
        step = self._link("eof", "closed by the server")
        if step.row is None or not step.row.violation:
            return None
        return ConnectionLost(
            step.row.note or "closed", state=before.state, command=self.last_command, who="server"
        )

    def timeout(self, seconds: float) -> ReplyTimeout:
        """No reply within *seconds*: the error. Only closing is left.

        Raises:
            CommandRefused: nothing was waited for.
        """
        before = self._model.configuration
        self._link("timeout", f"no reply within {seconds:g} s")
        return ReplyTimeout(before.state, self.last_command, seconds, self.wait_for()[1])

    def close(self) -> None:
        """The connection was closed on our side. The session can `connect` again afterwards.

        Raises:
            CommandRefused: there is no connection.
        """
        self._link("close", "closed by the client")

    # -- inside ----------------------------------------------------------------------------------

    def _end(self) -> None:
        before = self._model.configuration
        step = self._machine.fire(self._model, "send_dot")
        if self._replies_due is not None:
            self._replies_due.expect("send_dot")
        self._asked, self._last = "send_dot", "."
        if self._observer is not None:
            self._tell("C", ".", before, "send_dot", step)

    def _judge(self, reply: Reply) -> Reply:
        """Offer *reply* to the machine; gives it back, or raises if it is a violation."""
        model = self._model
        before = model.configuration
        code = reply.code
        if self._replies_due is not None:
            counted = self._replies_due.code(self._asked, reply)
            if counted is None:
                if self._observer is not None:
                    state = before.state
                    self._observer(Event("S", str(reply), state, state, "reply", "", (), reply))
                return reply
            code = counted
        trigger = self._words.reply(code)
        step = self._machine.fire(model, trigger)
        asked, self._asked = self._asked, None
        due = self._due[step.target]
        notes = self._read_offers(reply) if due and self.may("offers_end") else ()
        if self._observer is not None:
            notes += self._notes(reply, asked)
            self._tell("S", str(reply), before, trigger, step, *notes, reply=reply)
        row = step.row
        if row is not None and row.violation:
            raise UnexpectedReply(
                before.state,
                self.last_command if asked else None,
                str(reply),
                why=row.note or "",
                rfc=row.rfc,
            )
        if due and self._parser.pending and self.may("tls_up"):
            raise self._plaintext(self._parser.buffered)
        return reply

    def _read_offers(self, reply: Reply) -> tuple[str, ...]:
        """Take in the offers of *reply*, and say what is not right with them."""
        self._offers = offers = parse_offers(reply)
        if offers.limits or self._limits is not None:
            self._limits = self._limits or Limits()
            self._limits.offered(offers.limits)
        notes: list[str] = []
        for trigger in map(self._words.offer, self._offers):
            if trigger is not None:
                row = self._machine.fire(self._model, trigger).row
                if row is not None and row.note:
                    notes.append(row.note)
        self._machine.fire(self._model, "offers_end")
        return tuple(notes)

    def _link(self, trigger: str, text: str) -> Step:
        before = self._model.configuration
        step = self._machine.fire(self._model, trigger)
        if self._observer is not None:
            self._tell("-", text, before, trigger, step)
        return step

    def _malformed(self, error: MalformedReply) -> MalformedReply:
        before = self._model.configuration
        step = self._machine.fire(self._model, "reply_invalid")
        if self._observer is not None:
            self._tell("S", printable(error.received), before, "reply_invalid", step)
        return MalformedReply(
            error.what, error.rfc, error.received, state=before.state, command=self.last_command
        )

    def _plaintext(self, octets: bytes) -> RemoteProtocolError:
        before = self._model.configuration
        step = self._machine.fire(self._model, "reply_invalid")
        text = printable(octets[:80])
        if self._observer is not None:
            self._tell("S", text, before, "reply_invalid", step)
        assert step.row is not None
        why = step.row.note or ""
        return UnexpectedReply(before.state, self.last_command, text, why=why, rfc=step.row.rfc)

    def _notes(self, reply: Reply, asked: str | None) -> tuple[str, ...]:
        if asked is not None and not self._words.is_listed(reply.code, asked):
            return (f"{reply.code} is not listed for this command", *reply.untidy)
        return reply.untidy

    def _tell(
        self,
        who: str,
        text: str,
        before: Configuration,
        trigger: str,
        step: Step,
        *notes: str,
        reply: Reply | None = None,
    ) -> None:
        assert self._observer is not None
        assert step.row is not None
        if step.row.note:
            notes = (step.row.note, *notes)
        after = self._model.configuration.state
        self._observer(Event(who, text, before.state, after, trigger, step.row.id, notes, reply))
