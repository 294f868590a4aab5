"""The guard: the machine in the observer's role, between somebody's client and its connection.

No I/O and no clock. Tell it what the client is about to send and what the server has sent; it says
what may be written, and raises before an octet moves.

    guard = Guard()
    guard.connected()
    guard.received(b"220 mx.example.test\\r\\n")
    sock.sendall(guard.sending(b"EHLO client.example.test\\r\\n"))

How it works. The client's octets are taken apart into lines, content and chunks (which of them
they are, the configuration says); each is a trigger, and the machine's verdict decides. Replies
are judged in the same way, one for each command that awaits one. The quick paths at the top of
`sending` and `answer` are what nearly every octet of a client in lock-step takes.

Whatever is found becomes a `Finding`. What breaks the protocol is raised in the mode ``enforce``,
and in the mode ``record`` let go: as long as the server refuses what is illegal, recording goes on;
once it has accepted it, or has broken the protocol itself, what follows would be guesswork, and the
guard watches that connection no longer (`Guard.lost`).
"""

import logging
from collections import deque
from typing import Final

from fsm_smtp.command import SMTPCommand
from fsm_smtp.configuration import Configuration
from fsm_smtp.errors import CommandRefused, InvalidCommand, MalformedReply
from fsm_smtp.guard import content
from fsm_smtp.guard.errors import ErrorMaker, error_for
from fsm_smtp.guard.findings import Finding, Kind
from fsm_smtp.guard.modes import Mode, modes_of
from fsm_smtp.guard.options import DEFAULTS, GuardOptions
from fsm_smtp.guard.recognise import MAX_LINE_HELD, Recognised, Secret, recogniser_of
from fsm_smtp.machine import ProtocolMachine, shared_machine
from fsm_smtp.wire import Offers, Reply, ReplyParser, parse_command, parse_offers, printable

#: Where findings go besides the callback.
log = logging.getLogger("fsm_smtp.guard")

#: How many lines of the session an error shows: an envelope and what led to it.
TAIL: Final = 12

_NOTHING: Final = Offers(b"", {})
_UNVERIFIED: Final = "TLS with a certificate that was not verified"
_STRICT: Final = frozenset({"8bit-text", "control-text", "long-line"})
_UNTIDY: Final = {
    "bare-code": ("a reply code without the space behind it", "5321 §4.2.1"),
    "8bit-text": ("octets above 7F in a reply", "5321 §4.2"),
    "control-text": ("a control octet in a reply", "5321 §4.2"),
    "bare-lf": ("a reply line that ends with LF alone", "5321 §2.3.8"),
    "odd-code": ("a reply code whose second digit is above 5", "5321 §4.2"),
    "long-line": ("a reply line longer than 512 octets", "5321 §4.5.3.1.5"),
}


class Guard:
    """Watches one connection of a client at a time.

    Args:
        options: what to do with what is found.
        machine: the protocol; the shared machine of the shipped table when ``None``.
        errors: makes the error to raise from a finding; adapters make their host's kinds.
    """

    def __init__(
        self,
        options: GuardOptions = DEFAULTS,
        *,
        machine: ProtocolMachine | None = None,
        errors: ErrorMaker = error_for,
    ) -> None:
        if machine is None:
            machine = shared_machine(("require_tls",) if options.require_tls else ())
        self.options = options
        self._machine = machine
        self._recogniser = recogniser_of(machine)
        self._remembered = self._recogniser.remembered
        self._calm = self._recogniser.calm
        self._content = self._recogniser.event("send_content")
        self._words = self._recogniser.vocabulary
        self._modes = modes_of(machine)
        self._errors = errors
        self._start()

    def _start(self) -> None:
        self._here = self._machine.space.start
        self._parser = ReplyParser(tolerant=self.options.replies == "tolerant")
        self._offers = _NOTHING
        self._asked: Recognised | None = None  # what the next reply answers
        self._stray = False  # `_asked` was illegal, and only recorded
        self._tail: deque[Recognised | Reply | int | str] = deque(maxlen=TAIL)
        self._unread = False  # there are octets that nobody has asked for
        self._held: bytes = b""  # the beginning of a line, or of what may be the end of data
        self._watch: content.ContentWatch | None = None
        self._chunk: int = 0  # octets of a BDAT chunk that are still to come
        #: Whether what happens on this connection is beyond judgement (mode ``record`` only).
        self.lost = False

    # -- what is so ------------------------------------------------------------------------------

    @property
    def configuration(self) -> Configuration:
        """The state and the memory, as far as replies have confirmed them."""
        return self._here

    @property
    def state(self) -> SMTPCommand:
        """The state."""
        return self._here.command

    @property
    def legal(self) -> tuple[str, ...]:
        """The client triggers that are legal now."""
        return self._machine.legal(self._here)

    @property
    def offers(self) -> Offers:
        """What EHLO offered, as far as it is in force."""
        return self._offers if self._here["greeted"] == "ehlo" else _NOTHING

    @property
    def handshaking(self) -> bool:
        """Whether STARTTLS was accepted, and the TLS handshake is due."""
        return self._modes[self._here] is Mode.HANDSHAKE

    @property
    def transcript(self) -> tuple[str, ...]:
        """The last lines of the session, redacted."""
        lines: list[str] = []
        for entry in self._tail:
            if isinstance(entry, Recognised):
                lines.append(f"C: {entry.text}")
            elif isinstance(entry, Reply):
                lines += (f"S: {line}" for line in str(entry).split("\n"))
            elif isinstance(entry, int):
                lines.append(f"C: (content, {entry} octets)")
            else:
                lines.append(entry)
        return tuple(lines[-TAIL:])

    # -- the client ------------------------------------------------------------------------------

    def sending(self, data: bytes) -> bytes:
        """Judge what the client is about to send, cut anywhere.

        Returns:
            What may be written now. In the mode ``enforce`` an incomplete line, and what could be
            the beginning of the end of data, waits for the rest of it; in the mode ``record`` this
            is always *data*.

        Raises:
            GuardError: it breaks the protocol; nothing of *data* may be written, nor of the line
                whose beginning waited, and everything else is as before.
        """
        if self.lost:
            return data
        if self._unread:
            self._judge_unasked()
        if not (self._held or self._chunk):
            here = self._here
            mode = self._modes[here]
            if mode is Mode.LINE:
                try:
                    said = self._remembered(data)
                except (InvalidCommand, Secret):
                    return self._scan(data)  # more or less than a line, or not fit to be one
                if not said.remarkable:
                    step = said.event.step(here)
                    if step.row is not None:
                        self._here = step.target
                        self._asked = said
                        self._tail.append(said)
                        return data
            elif mode is Mode.CONTENT and self._watch is None and content.is_whole(data):
                wrong = content.fault(data)
                if wrong is not None:
                    self._find(Kind.CONTENT, *wrong)
                if len(data) > len(b".\r\n"):
                    self._here = self._content.step(here).target
                self._tail.append(len(data))
                return self._end_content(data)
        return self._scan(data)

    def _end_content(self, data: bytes) -> bytes:
        said = self._recogniser.end_of_data
        self._here = said.event.step(self._here).target
        self._asked = said
        self._watch = None
        return data

    def _content_passed(self, octets: int) -> None:
        last = self._tail[-1] if self._tail else None
        if isinstance(last, int):
            self._tail[-1] = last + octets
        else:
            self._tail.append(octets)

    def _scan(self, data: bytes) -> bytes:
        """The way for everything: octets cut anywhere, all or nothing of them."""
        kept = (self._here, self._asked, self._stray, self._held, self._watch, self._chunk)
        before = None if self._watch is None else self._watch.before
        octets = self._held + data
        try:
            judged = self._scan_all(octets)
        except BaseException:
            self._here, self._asked, self._stray, self._held, self._watch, self._chunk = kept
            if self._watch is not None and before is not None:
                self._watch.before = before
            else:
                self._held = b""  # the refused line's beginning; its client starts a new one
            raise
        if not self.options.enforces or self.lost:
            self._held = b"" if self.lost else octets[judged:]
            return data
        self._held = octets[judged:]
        return octets[:judged]

    def _scan_all(self, octets: bytes) -> int:
        """Judge *octets* as far as they are complete; how far that is."""
        position = 0
        ended = False  # the content ended in these octets
        while position < len(octets) and not self.lost:
            if self._chunk:
                taken = min(self._chunk, len(octets) - position)
                self._chunk -= taken
                position += taken
                continue
            mode = self._modes[self._here]
            if mode is Mode.CONTENT:
                until, ended = self._scan_content(octets, position)
                if until == position:
                    break
            else:
                until = octets.find(b"\n", position) + 1
                if not until:
                    self._incomplete(octets[position:])
                    break
                if ended:
                    self._behind_content(len(octets) - position)
                self._line(octets[position:until], sasl=mode is Mode.SASL)
            position = until
        return position

    def _scan_content(self, octets: bytes, position: int) -> tuple[int, bool]:
        if self._watch is None:
            self._watch = content.ContentWatch()
        until, ended = self._watch.measure(octets, position)
        piece = octets[position:until]
        if piece:
            wrong = self._watch.fault(piece)
            if wrong is not None:
                self._find(Kind.CONTENT, *wrong)
            if not ended or len(piece) > len(b".\r\n"):
                self._here = self._content.step(self._here).target
            self._content_passed(len(piece))
            if ended:
                self._end_content(piece)
        return until, ended

    def _behind_content(self, rest: int) -> None:
        """Octets behind the end of data, whose reply has not come."""
        why = f"the content ends {rest} octets before the end of what is sent"
        self._find(Kind.CONTENT, why, "5321 §4.1.1.4")
        self.lost = True

    def _incomplete(self, octets: bytes) -> None:
        """The beginning of a line: what is wrong in it already, is wrong."""
        body = octets.removesuffix(b"\r")
        try:
            parse_command(body + b"\r\n")
        except InvalidCommand as error:
            self._unfit(octets, error)
        if len(octets) > MAX_LINE_HELD:
            self._unfit(octets, InvalidCommand("a line without an end", "5321 §4.5.3.1.4"))

    def _unfit(self, line: bytes, error: InvalidCommand) -> None:
        secret = self._modes[self._here] is Mode.SASL or line.lstrip()[:4].upper() == b"AUTH"
        text = "[redacted]" if secret else printable(line.rstrip(b"\r\n")[:80])
        self._find(Kind.LINE, error.what, error.rfc, command=text)
        self.lost = True

    def _line(self, line: bytes, *, sasl: bool) -> None:
        """Judge a complete line, and take the step that it is."""
        recognise = self._recogniser.sasl_line if sasl else self._recogniser.line
        try:
            said = recognise(line)
        except InvalidCommand as error:
            self._unfit(line, error)
            return
        step = said.event.step(self._here)
        if step.row is None:
            self._out_of_order(said)
            return
        if said.remarkable:
            self._examine(said)
        self._here = step.target
        self._asked = said
        self._chunk = said.chunk
        self._tail.append(said)

    def _out_of_order(self, said: Recognised) -> None:
        refused = self._machine.refusal(self._here, said.trigger, said.text)
        assert isinstance(refused, CommandRefused)
        self._find(
            Kind.ORDER,
            refused.why,
            refused.rfc,
            command=said.text,
            trigger=said.trigger,
            legal=refused.legal,
        )
        # Only recorded: its reply is its own, and if it is no refusal nobody knows what is so.
        self._tail.append(said)
        if self._asked is not None or said.chunk:
            self.lost = True
        self._asked, self._stray = said, True

    def _examine(self, said: Recognised) -> None:
        """What is not in order about a command that may be sent now."""
        offers = self.offers
        for keyword, rfc in said.needs:
            if keyword not in offers:
                why = f"{keyword} was not offered by the server"
                self._find(Kind.OFFER, why, rfc, command=said.text, trigger=said.trigger)
        if said.secret and self._here["tls"] == "no":
            self._exposed("a password that anybody on the way can read", "4954 §4", said.text)
        strict = self.options.grammar == "strict"
        for fault in said.faults:
            self._find(Kind.GRAMMAR, fault.what, fault.rfc, violation=strict, command=said.text)

    # -- the server ------------------------------------------------------------------------------

    def answer(self, data: bytes) -> Reply | None:
        """The quick way of `received`, for a client in lock-step that reads whole replies.

        Returns:
            The reply that *data* is, judged; ``None``, and nothing has been taken in, when *data*
            is not just one tidy reply of one line: then it belongs to `received`.

        Raises:
            GuardError: the server breaks the protocol.
        """
        reply = self._parser.whole(data)
        asked = self._asked
        if reply is None or asked is None:
            return None
        target = self._calm.get((self._here, asked.trigger, reply.code))
        if target is not None and not self._stray:
            self._here = target
            self._asked = None
            self._tail.append(reply)
        elif not self.lost:
            self._judge(reply)
        return reply

    def received(self, data: bytes) -> list[Reply]:
        """Judge what the server has sent, cut anywhere.

        A reply behind those that are awaited is judged when the next thing happens, so that the
        one before it still reaches the client.

        Returns:
            The replies that are complete now, those that nobody awaits left out.

        Raises:
            GuardError: the server breaks the protocol; only closing is left.
        """
        if self.lost or not data:
            return []
        if self._modes[self._here] is Mode.HANDSHAKE:
            self._plaintext(data)
            return []
        replies: list[Reply] = []
        try:
            if self._unread:
                self._judge_unasked()
            self._parser.feed(data)
            while self._asked is not None and not self.lost:
                reply = self._parser.next_reply()
                if reply is None:
                    break
                self._judge(reply)
                replies.append(reply)
        except MalformedReply as error:
            self._malformed(error)
            return replies
        self._unread = self._asked is None and self._parser.pending
        if self._unread and self._modes[self._here] is Mode.HANDSHAKE:
            self._plaintext(self._parser.buffered)
        return replies

    def _judge_unasked(self) -> None:
        """What came although nothing was awaited."""
        self._unread = False
        try:
            while (reply := self._parser.next_reply()) is not None and not self.lost:
                self._judge(reply)
        except MalformedReply as error:
            self._malformed(error)
            return
        if self._parser.pending and not self.lost:  # half a reply that nobody asked for
            octets = self._parser.buffered
            self._server_broke("reply_2yz", printable(octets[:80]), Kind.REPLY)

    def _judge(self, reply: Reply) -> None:
        """Take the step that *reply* is."""
        trigger = self._words.reply(reply.code)
        asked, self._asked = self._asked, None
        self._tail.append(reply)
        if self._stray:
            self._judge_stray(reply)
            return
        before = self._here
        step = self._recogniser.event(trigger).step(before)
        row = step.row
        if row is None or row.violation:
            self._asked = asked
            self._server_broke(trigger, str(reply), Kind.REPLY)
            return
        if reply.untidy:
            self._untidy(reply, asked)
        self._here = step.target
        listed = asked is None or self._words.is_listed(reply.code, asked.trigger)
        if not listed:
            why, rfc = f"{reply.code} is not listed for this command", "5321 §4.3.2"
            self._reply_finding(Kind.REPLY, why, rfc, str(reply), asked, violation=False)
        if self._modes[step.target] is Mode.OFFERS:
            self._read_offers(reply)
        elif asked is not None and listed and not reply.untidy:
            self._calm[before, asked.trigger, reply.code] = step.target

    def _judge_stray(self, reply: Reply) -> None:
        """The reply to what was illegal, and only recorded."""
        self._stray = False
        if reply.first_digit in (2, 3):
            self.lost = True

    def _read_offers(self, reply: Reply) -> None:
        self._offers = parse_offers(reply)
        for trigger in map(self._words.offer, self._offers):
            if trigger is not None:
                step = self._recogniser.event(trigger).step(self._here)
                self._here = step.target
                if step.row is not None and step.row.note:
                    why, rfc = step.row.note, step.row.rfc
                    self._reply_finding(Kind.REPLY, why, rfc, trigger, None, violation=False)
        self._here = self._recogniser.event("offers_end").step(self._here).target

    def _untidy(self, reply: Reply, asked: Recognised | None) -> None:
        for name in reply.untidy:
            why, rfc = _UNTIDY[name]
            if self.options.replies == "strict" and name in _STRICT:
                self._server_broke("reply_invalid", str(reply), Kind.MALFORMED, why, rfc)
            else:
                self._reply_finding(Kind.REPLY, why, rfc, str(reply), asked, violation=False)

    def _malformed(self, error: MalformedReply) -> None:
        text = printable(error.received)
        self._tail.append(f"S: {text}")
        self._server_broke("reply_invalid", text, Kind.MALFORMED, error.what, error.rfc)

    def _plaintext(self, octets: bytes) -> None:
        text = printable(octets[:80])
        self._tail.append(f"S: {text}")
        self._server_broke("reply_invalid", text, Kind.REPLY)

    def _server_broke(
        self, trigger: str, text: str, kind: Kind, why: str | None = None, rfc: str | None = None
    ) -> None:
        """The server broke the protocol: the session is over."""
        before, asked = self._here, self._asked
        step = self._recogniser.event(trigger).step(before)
        self._here = step.target
        self._parser = ReplyParser(tolerant=self.options.replies == "tolerant")
        row = step.row
        if why is None or rfc is None:
            why = row.note or row.id if row is not None else "a reply without a connection"
            rfc = row.rfc if row is not None else "5321 §4.2"
        self.lost = not self.options.enforces
        self._reply_finding(kind, why, rfc, text, asked, violation=True, state=before.state)

    # -- the connection --------------------------------------------------------------------------

    def connected(self, *, tls: bool = False, verified: bool = True) -> None:
        """A new connection is open.

        Args:
            tls: a handshake came first (RFC 8314 §3.3).
            verified: the certificate was verified in it.
        """
        self._start()
        said = self._recogniser.greeting(tls=tls)
        self._here = said.event.step(self._here).target
        self._asked = said
        if not verified:
            self._exposed(_UNVERIFIED, "3207 §4.1")

    def handshake_begins(self) -> None:
        """The client is about to start the TLS handshake.

        Raises:
            GuardError: the server has not accepted STARTTLS, or octets stand behind its 220.
        """
        if self._unread:
            self._judge_unasked()
        if self.lost or self.handshaking:
            return
        refused = self._machine.refusal(self._here, "tls_up")
        assert isinstance(refused, CommandRefused)
        legal = refused.legal
        self._find(Kind.ORDER, refused.why, refused.rfc, trigger="tls_up", legal=legal)
        self.lost = True

    def tls_up(self, *, verified: bool = True) -> None:
        """The handshake after STARTTLS succeeded: nothing learned before it survives (RFC 3207).

        Args:
            verified: the certificate was verified in it.
        """
        self._link("tls_up", "TLS is up")
        self._parser = ReplyParser(tolerant=self.options.replies == "tolerant")
        if not verified:
            self._exposed(_UNVERIFIED, "3207 §4.1")

    def tls_failed(self) -> None:
        """The handshake after STARTTLS failed; only closing is left."""
        self._link("tls_failed", "the TLS handshake failed")

    def eof(self) -> None:
        """The server has closed the connection. Reported when it should not have; never raised."""
        self._link("eof", "closed by the server")

    def timeout(self) -> None:
        """No reply came in time. Only closing is left."""
        self._link("timeout", "no reply in time")

    def closed(self) -> None:
        """The client has closed the connection. Reported when QUIT was missing; never raised."""
        self._link("close", "closed by the client")

    def _link(self, trigger: str, text: str) -> None:
        step = self._recogniser.event(trigger).step(self._here)
        if self.lost or step.row is None:
            return
        before, self._here = self._here, step.target
        self._asked = None
        row = step.row
        if row.violation:
            self._report(
                Finding(
                    Kind.CLOSE,
                    True,
                    row.violation,
                    before.state,
                    None,
                    trigger,
                    (),
                    row.note or row.id,
                    row.rfc,
                    None,
                    self.transcript,
                )
            )
        self._tail.append(f"-- {text}")

    def _exposed(self, why: str, rfc: str, command: str | None = None) -> None:
        self._find(Kind.EXPOSED, why, rfc, violation=False, command=command)

    # -- findings --------------------------------------------------------------------------------

    def _find(
        self,
        kind: Kind,
        why: str,
        rfc: str,
        *,
        violation: bool = True,
        command: str | None = None,
        trigger: str | None = None,
        legal: tuple[str, ...] = (),
    ) -> None:
        """Something about the client."""
        finding = Finding(
            kind,
            violation,
            "client",
            self._here.state,
            command,
            trigger,
            legal,
            why,
            rfc,
            None,
            self.transcript,
        )
        self._report(finding)
        if violation and self.options.enforces:
            raise self._errors(finding)

    def _reply_finding(
        self,
        kind: Kind,
        why: str,
        rfc: str,
        text: str,
        asked: Recognised | None,
        *,
        violation: bool,
        state: str | None = None,
    ) -> None:
        """Something about the server."""
        finding = Finding(
            kind,
            violation,
            "server",
            state or self._here.state,
            None if asked is None else asked.text,
            None if asked is None else asked.trigger,
            (),
            why,
            rfc,
            text,
            self.transcript,
        )
        self._report(finding)
        if violation and self.options.enforces:
            raise self._errors(finding)

    def _report(self, finding: Finding) -> None:
        quiet = self.options.enforces or not finding.violation
        log.log(logging.INFO if quiet else logging.WARNING, "%s", finding)
        if self.options.on_finding is not None:
            self.options.on_finding(finding)
