"""A sequence of messages over one connection: what goes into a write, and when.

Whether a command may be sent is asked of the session, always.
"""

from collections.abc import Iterable
from typing import Final

from fsm_smtp.client.delivery.letter import Letter, not_sent
from fsm_smtp.client.delivery.reach import Reach
from fsm_smtp.client.delivery.sending import Sending
from fsm_smtp.client.dialogue import ending
from fsm_smtp.client.dialogue.exchange import LAST_WORDS, Exchange
from fsm_smtp.client.dialogue.transaction import sent as sent_in_lockstep
from fsm_smtp.client.message import Message
from fsm_smtp.client.options import Depth
from fsm_smtp.client.requests import GLANCE, RECONNECT, Answer, Flow, Wait
from fsm_smtp.client.result import SendResult
from fsm_smtp.errors import ConnectionLost, LocalProtocolError, ProtocolError
from fsm_smtp.wire import commands

#: Octets of commands in one write; between two writes replies are read.
_WRITE: Final = 16 * 1024


class Delivery(Sending):
    """Messages on their way over one connection.

    Args:
        on: the session.
        messages: the messages; each is asked for when there is room for it.
        reach: what is known about the server.
        depth: how far to run ahead; see `Reach.depth`.
        many: whether there may be more than one message. If not, what cannot be sent is raised in
            place of a result.
        goodbye: say QUIT behind the last message, if possible in one write with its end.
    """

    def __init__(
        self,
        on: Exchange,
        messages: Iterable[Message],
        reach: Reach,
        depth: Depth | None = None,
        *,
        many: bool = True,
        goodbye: bool = False,
    ) -> None:
        super().__init__(on, messages, reach)
        self._wanted: Depth | None = depth
        self._many = many
        self._wants_goodbye = goodbye

    @property
    def in_the_air(self) -> bool:
        """Whether a message was begun that has no result yet."""
        return bool(self._air)

    def next(self) -> Flow[SendResult | None]:
        """The next result, in the order of the messages; ``None`` when there are no more.

        Raises:
            LocalProtocolError: the only message cannot be sent, or not now; nothing was written.
            ProtocolError: the connection is gone, and no other can be made.
        Exception: whatever the iterator of messages raises. Either once all results are given.
        """
        while not self._results:
            if not self._air and not (yield from self._begun()):
                yield from self._leave_clean()
                if self._broken is not None:
                    raise self._broken
                return None
            if self._air:
                yield from self._round()
        if not self._many:
            yield from self._leave_clean()
        return self._results.popleft()

    def known(self) -> SendResult | None:
        """The next result, if it is known already; `next` finds out."""
        return self._results.popleft() if self._results else None

    # -- beginning and ending --------------------------------------------------------------------

    def _begun(self) -> Flow[bool]:
        """The next message, when nothing is in the air; False when there are no more."""
        taken_back = bool(self._again)
        if taken_back:
            letter: Letter | None = self._again.popleft()
        else:
            letter, self._next = self._next, None
        message = self._drawn() if letter is None else letter.message
        if message is None:
            return False
        session, error = self._session, None
        ready = session.may_ahead("send_mail") or session.may_ahead("send_rset")
        if (self._many or taken_back) and (not ready or session.mails_left == 0):
            error = yield RECONNECT
        if isinstance(error, ProtocolError):
            self._results.append(not_sent(message, error))
            self._give_up(error)
            return True
        self._shutdown = self._on.refusal = None
        many, lmtp = self._many, self._on.options.protocol == "lmtp"
        self._depth = "lockstep" if lmtp else self._reach.depth(session, self._wanted, many=many)
        try:
            if self._depth == "lockstep":
                self._results.append((yield from sent_in_lockstep(self._on, message)))
            else:
                if letter is None:
                    letter = self._letter(message)
                elif taken_back:
                    letter.begin()
                self._air.append(letter)
                yield from self._look()
        except LocalProtocolError as local:
            if not self._many:
                raise
            self._results.append(not_sent(message, local))
        except ProtocolError as remote:
            self._cut(remote)
        return True

    def _look(self) -> Flow[None]:
        """See what an idle connection has to say, before anything is sent."""
        self._on.hear()
        data = yield GLANCE
        if data is not None:
            self._on.seen(data)

    def _leave_clean(self) -> Flow[None]:
        """No transaction stays open behind the last message, and a goodbye has been said.

        What the server does wrong here is told to the observer and not raised: every message has
        its fate.
        """
        session = self._session
        try:
            if self._queue:
                yield from self._answered_goodbye()
            if not session.may("send_mail") and session.may("send_rset"):
                yield from self._on.command(commands.rset())
        except ProtocolError:
            return
        if self._wants_goodbye:
            yield from ending.quit_(self._on)

    def _answered_goodbye(self) -> Flow[None]:
        """Wait for the reply to a QUIT that stood behind an end of data.

        A server may have thrown it away, as it may any command there: see `Reach.swallowed`.
        """
        wait = self._on.wait(b"")
        if not self._reach.behind_end:
            wait.seconds = min(wait.seconds, self._reach.swallowed)
        self._queue.clear()
        data = yield wait
        if self._on.answer(data) is None:
            yield from self._on.rest(wait, data)

    # -- rounds ----------------------------------------------------------------------------------

    def _round(self) -> Flow[None]:
        """Send what may be sent, read what comes, and send what it allows.

        So results are given out while the server is busy with what follows them.
        """
        try:
            yield from self._written()
            if self._session.outstanding:
                self._make_ready()
                yield from self._awaited()
                yield from self._written()
            elif self._air:  # nothing can be said to it, and nothing is awaited
                self._finish(self._air.popleft())
        except ProtocolError as error:
            self._cut(error)

    def _written(self) -> Flow[None]:
        """Write what may be sent."""
        out: list[bytes] = []
        size = 0
        opened = self._air and self._air[0].opened  # then nothing goes before its content
        for octets in () if opened else self._commands():
            if size + len(octets) > _WRITE and out:
                yield from self._put(b"".join(out))
                yield from self._overheard()
                out, size = [], 0
            out.append(octets)
            size += len(octets)
        head = self._air[0] if self._air else None
        if head is not None and not self._session.outstanding:
            end = yield from self._content(head)
            if end:
                out.append(end)
                out.extend(self._commands())
        if self._wants_goodbye:
            out.append(self._goodbye())
        if any(out):
            yield from self._put(b"".join(out))

    def _awaited(self) -> Flow[None]:
        """Wait for replies; take those that come."""
        wait = self._on.wait(b"")
        trying = self._trying
        if trying:
            wait.seconds = min(wait.seconds, self._reach.swallowed)
        elif self._shutdown is not None:
            wait.seconds = min(wait.seconds, LAST_WORDS)
        data = yield wait
        if data is None and trying:
            yield from self._swallowed()
        else:
            yield from self._heard(wait, data)

    def _heard(self, wait: Wait, data: Answer) -> Flow[None]:
        if isinstance(data, bytes) and data:
            self._session.receive(data)
            self._read()
            return
        self._read_singly()
        if data is None and self._shutdown is None:
            self._take((yield from self._on.rest(wait, data)))
            self._read()
        else:
            yield from self._last_words(said=data is not False)

    def _put(self, octets: bytes) -> Flow[None]:
        """Write."""
        written = yield octets
        if written is None:
            raise self._session.timeout(self._on.options.seconds)
        if not written:
            yield from self._last_words(said=False)

    def _overheard(self) -> Flow[None]:
        """Take the replies that are here."""
        data = yield GLANCE
        if data is not None:
            yield from self._heard(Wait(0.0), data)

    def _last_words(self, *, said: bool) -> Flow[None]:
        """The connection is broken: take the replies that can still be read, then give up."""
        wait = Wait(LAST_WORDS)
        while not said and isinstance(data := (yield wait), bytes) and data:
            self._session.receive(data)
            self._read_singly()
        raise self._on.broken_off()

    # -- what goes wrong --------------------------------------------------------------------------

    def _swallowed(self) -> Flow[None]:
        """The server has thrown away what came behind the end of data; begin anew without it."""
        self._reach.behind_end = False
        self._again.extend(self._air)
        self._clear()
        error = yield RECONNECT
        if isinstance(error, ProtocolError):
            self._give_up(error)

    def _give_up(self, error: ProtocolError) -> None:
        """There is no other connection: whatever was asked for and not sent stays unsent."""
        unsent = [*self._again, *([] if self._next is None else [self._next])]
        self._results.extend(not_sent(each.message, error) for each in unsent)
        self._again.clear()
        self._next = None
        self._broken = error if self._many else None

    def _cut(self, error: ProtocolError) -> None:
        """The connection is of no more use: everything in the air gets its fate, or is taken back.

        A message whose content nobody has touched is sent anew if it was not its turn yet. So is
        one with whose envelope the server did not cope: one that protests against a group and
        closes the connection gets its commands one by one from then on.
        """
        shutdown = self._shutdown or self._on.refusal
        lost = isinstance(error, ConnectionLost) and shutdown is None
        for number, letter in enumerate(self._air):
            protested = lost and letter.protested
            if not letter.begun and (number or protested):
                if protested and not letter.behind and not number:
                    self._reach.groups = False
                self._again.append(letter)
            else:
                self._results.append(letter.result(error, shutdown))
        self._clear()
