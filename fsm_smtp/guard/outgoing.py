"""The client's side of a guard: octets are taken apart into lines, content and chunks, each judged.

The quick path at the top of `sending` is what nearly every octet of a client in lock-step takes.
"""

from fsm_smtp.errors import CommandRefused, InvalidCommand
from fsm_smtp.guard import content
from fsm_smtp.guard.findings import Kind
from fsm_smtp.guard.incoming import Incoming
from fsm_smtp.guard.modes import Mode
from fsm_smtp.guard.recognise import MAX_LINE_HELD, Recognised
from fsm_smtp.wire import parse_command, printable


class Outgoing(Incoming):
    """What the client is about to send."""

    __slots__ = ()

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
        if self._quick:
            here = self._here
            after = self._after_content.get(here)
            if after is None:
                said = self._known.get(data) or self._recogniser.fresh(data)
                if said is None:  # more or less than a line, not fit to be one, or a secret
                    return self._scan(data)
                target = said.moves.get(here)
                if target is not None and not said.remarkable:
                    self._before = here
                    self._here = target
                    self._asked = said
                    self._tail.append(said)
                    return data
            elif content.is_plain(data):
                self._before = here
                self._here = after
                self._asked = self._end
                self._tail.append(len(data))
                return data
        elif self.lost:
            return data
        if self._unread:
            self._judge_unasked()
        return self._scan(data)

    def _take(self, said: Recognised) -> None:
        """The step that *said* is, which is legal."""
        if self._flight is not None:
            self._ahead(said)
            return
        before = self._here
        self._here = said.event.step(before).target
        if said is self._content:
            return
        self._before = before
        self._asked = said
        said.moves[before] = self._here
        if self._replies is not None:
            self._replies.expect(said.trigger)

    def _ahead(self, said: Recognised) -> None:
        """*said* is sent ahead of replies, if the rules of command groups allow it."""
        pipeline, flight = self._pipeline, self._flight
        assert pipeline is not None
        if flight is None:
            assert self._asked is not None
            flight = pipeline.send(pipeline.begin(self._before), self._asked.trigger)
            self._queue = (self._asked,)
        hindrance = pipeline.hindrance(flight, said.trigger)
        if hindrance is not None:
            refused = pipeline.refusal(flight, said.trigger, hindrance, said.text)
            self._refused(said, refused)
            return
        departure = pipeline.departure(flight, said.trigger)
        if departure is not None:
            why, rfc = departure.why, departure.rfc
            self._find(Kind.ORDER, why, rfc, violation=False, command=said.text)
        self._flight = pipeline.send(flight, said.trigger)
        self._here = self._flight.confirmed
        if self._flight.outstanding:
            self._queue = (*self._queue, said)
            self._asked = self._queue[0]

    def _content_passed(self, octets: int) -> None:
        last = self._tail[-1] if self._tail else None
        if isinstance(last, int):
            self._tail[-1] = last + octets
        else:
            self._tail.append(octets)

    def _scan(self, data: bytes) -> bytes:
        """The way for everything: octets cut anywhere, all or nothing of them."""
        kept = (self._here, self._asked, self._stray, self._held, self._watch, self._chunk)
        ahead = (self._before, self._flight, self._queue)
        before = None if self._watch is None else self._watch.before
        octets = self._held + data
        try:
            judged = self._scan_all(octets)
        except BaseException:
            self._here, self._asked, self._stray, self._held, self._watch, self._chunk = kept
            self._before, self._flight, self._queue = ahead
            if self._watch is not None and before is not None:
                self._watch.before = before
            else:
                self._held = b""  # the refused line's beginning; its client starts a new one
            self._look_again()
            raise
        blocks = self.options.enforces and not self.lost
        self._held = b"" if self.lost else octets[judged:]
        self._look_again()
        return octets[:judged] if blocks else data

    def _scan_all(self, octets: bytes) -> int:
        """Judge *octets* as far as they are complete; how far that is."""
        position = 0
        while position < len(octets) and not self.lost:
            if self._chunk:
                taken = min(self._chunk, len(octets) - position)
                self._chunk -= taken
                position += taken
                continue
            mode = self._modes[self._expected]
            if mode is Mode.CONTENT:
                until = self._scan_content(octets, position)
                if until == position:
                    break
            else:
                until = octets.find(b"\n", position) + 1
                if not until:
                    self._incomplete(octets[position:])
                    break
                if self._content_ended:
                    self._behind_content(octets[position:until], len(octets) - position)
                self._line(octets[position:until], sasl=mode is Mode.SASL)
            position = until
        return position

    def _scan_content(self, octets: bytes, position: int) -> int:
        """Judge content as far as it is there; how far that is."""
        if self._watch is None:
            self._watch = content.ContentWatch()
        until, ended = self._watch.measure(octets, position)
        piece = octets[position:until]
        before = self._here
        if piece:
            wrong = self._watch.fault(piece)
            if wrong is not None:
                self._find(Kind.CONTENT, *wrong)
            if not ended or len(piece) > len(b".\r\n"):
                self._take(self._content)
            self._content_passed(len(piece))
            if ended:
                self._take(self._end)
                self._watch = None
                if len(piece) > len(b".\r\n") and self._flight is None:
                    self._after_content[before] = self._here
        return until

    def _behind_content(self, line: bytes, rest: int) -> None:
        """A line behind the end of data, whose reply has not come.

        With a client that sends ahead of replies it may be a command, but one that is known: text
        that was meant to be content is none.
        """
        if self._pipeline is not None and self._recogniser.knows(line):
            return
        why = f"the content ends {rest} octets before the end of what is sent"
        self._find(Kind.CONTENT, why, "5321 §4.1.1.4")
        self.lost = True

    @property
    def _content_ended(self) -> bool:
        """Whether the end of data was the last that was sent, and no reply has come since."""
        last = self._queue[-1] if self._queue else self._asked
        return last is self._end and self._replies is None

    def _may_follow(self) -> bool:
        """Whether any command at all may be sent now."""
        pipeline, flight = self._pipeline, self._flight
        if self._asked is None or self._stray:
            return True
        if pipeline is None:
            return False
        if flight is None:
            flight = pipeline.send(pipeline.begin(self._before), self._asked.trigger)
        return any(pipeline.may(flight, name) for name in self._recogniser.commands)

    def _incomplete(self, octets: bytes) -> None:
        """The beginning of a line: what is wrong in it already, is wrong."""
        if not self._may_follow():
            if self._content_ended:
                self._behind_content(b"", len(octets))
            else:
                self._find(Kind.ORDER, "a reply is awaited", "5321 §4.3.1")
                self.lost = True
            return
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
        waiting = self._flight is not None or self._asked is not None
        if waiting and not self._stray and self._pipeline is not None:
            if said.remarkable:
                self._examine(said)
            self._ahead(said)
        elif said.event.step(self._here).row is None:
            refused = self._machine.refusal(self._here, said.trigger, said.text)
            assert isinstance(refused, CommandRefused)
            self._refused(said, refused)
        else:
            if said.remarkable:
                self._examine(said)
            self._take(said)
        if not self._stray:
            self._chunk = said.chunk
            self._tail.append(said)

    def _refused(self, said: Recognised, refused: CommandRefused) -> None:
        """A command out of order; returns only when that is merely recorded."""
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
