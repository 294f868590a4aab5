"""The server's side of a guard: replies are judged, one for each command that awaits one."""

from typing import Final

from fsm_smtp.errors import MalformedReply
from fsm_smtp.guard.findings import Kind
from fsm_smtp.guard.modes import Mode
from fsm_smtp.guard.recognise import Recognised
from fsm_smtp.guard.watching import PLAIN, Watching
from fsm_smtp.wire import Reply, ReplyParser, parse_offers, printable

_STRICT: Final = frozenset({"8bit-text", "control-text", "long-line"})
_UNTIDY: Final = {
    "bare-code": ("a reply code without the space behind it", "5321 §4.2.1"),
    "8bit-text": ("octets above 7F in a reply", "5321 §4.2"),
    "control-text": ("a control octet in a reply", "5321 §4.2"),
    "bare-lf": ("a reply line that ends with LF alone", "5321 §2.3.8"),
    "odd-code": ("a reply code whose second digit is above 5", "5321 §4.2"),
    "long-line": ("a reply line longer than 512 octets", "5321 §4.5.3.1.5"),
}


class Incoming(Watching):
    """What the server has sent."""

    __slots__ = ()

    def answer(self, data: bytes) -> Reply | None:
        """The quick way of `received`, for a client in lock-step that reads whole replies.

        Returns:
            The reply that *data* is, judged; ``None``, and nothing has been taken in, when *data*
            is not just one tidy reply of one line: then it belongs to `received`.

        Raises:
            GuardError: the server breaks the protocol.
        """
        asked = self._asked
        if not self._quick or asked is None:
            return None
        reply = self._said.get(data) or self._recogniser.reply(data)
        if reply is not None:
            target = self._calm.get((self._here, asked.trigger, reply.code))
            if target is None:
                self._judge(reply)
            else:
                self._here = target
                self._asked = None
                self._tail.append(reply)
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
        try:
            return self._received(data)
        finally:
            self._look_again()

    def _received(self, data: bytes) -> list[Reply]:
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
        asked = self._asked
        self._tail.append(reply)
        if self._stray:
            self._asked = None
            self._judge_stray(reply)
            return
        code = reply.code
        if self._replies is not None:
            counted = self._replies.code(None if asked is None else asked.trigger, reply)
            if counted is None:
                return  # one of several
            code = counted
        trigger = self._words.reply(code)
        if self._flight is not None:
            self._judge_ahead(reply, trigger)
            return
        self._asked = None
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
        elif (
            asked is not None
            and listed
            and not reply.untidy
            and self._replies is None
            and self._modes[step.target] in PLAIN
        ):
            self._calm[before, asked.trigger, reply.code] = step.target
        self._look_again()

    def _judge_ahead(self, reply: Reply, trigger: str) -> None:
        """The reply to the oldest of several commands."""
        pipeline, flight, asked = self._pipeline, self._flight, self._asked
        assert pipeline is not None
        assert flight is not None
        answer = pipeline.answer(flight, trigger)
        if answer.step.row is None or answer.step.row.violation:
            self._server_broke(trigger, str(reply), Kind.REPLY)
            return
        if reply.untidy:
            self._untidy(reply, asked)
        self._flight, self._here = answer.flight, answer.flight.confirmed
        self._queue = self._queue[1:]
        self._asked = self._queue[0] if self._queue else None
        if not answer.flight.outstanding and answer.flight.trusted and not answer.flight.doomed:
            self._flight = None
        if self._modes[self._here] is Mode.OFFERS:
            self._read_offers(reply)

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
        self._flight, self._queue, self._asked = None, (), None
        self._parser = ReplyParser(tolerant=self.options.replies == "tolerant")
        row = step.row
        if why is None or rfc is None:
            why = row.note or row.id if row is not None else "a reply without a connection"
            rfc = row.rfc if row is not None else "5321 §4.2"
        self.lost = not self.options.enforces
        self._reply_finding(kind, why, rfc, text, asked, violation=True, state=before.state)
