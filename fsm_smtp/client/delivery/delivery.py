"""A sequence of messages over one connection: what goes into a write, and when.

Whether a command may be sent is asked of the session, always.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from fsm_smtp.ahead import shape
from fsm_smtp.client.delivery.air import Air
from fsm_smtp.client.delivery.letter import Kind, Letter, not_sent
from fsm_smtp.client.delivery.reach import MOST_OUTSTANDING, WINDOW, WINDOW_CONTENT, Reach
from fsm_smtp.client.dialogue.chunks import CHUNK, by_chunks
from fsm_smtp.client.dialogue.envelope import prepared
from fsm_smtp.client.dialogue.exchange import LAST_WORDS, Exchange
from fsm_smtp.client.dialogue.transaction import ENOUGH, all_at_once, piece_by_piece
from fsm_smtp.client.dialogue.transaction import sent as sent_in_lockstep
from fsm_smtp.client.message import Message
from fsm_smtp.client.options import Depth
from fsm_smtp.client.requests import GLANCE, RECONNECT, Answer, Flow, Wait
from fsm_smtp.client.result import SendResult
from fsm_smtp.errors import ConnectionLost, LocalProtocolError, ProtocolError
from fsm_smtp.wire import canonical_chunks, commands

#: Octets of commands in one write; between two writes replies are read.
_WRITE: Final = 16 * 1024

_RSET: Final[tuple[Kind, ...]] = ("rset",)
_MAIL: Final[tuple[Kind, ...]] = ("mail",)
_RCPT: Final[tuple[Kind, ...]] = ("rcpt",)
_DATA: Final[tuple[Kind, ...]] = ("data",)
_END: Final[tuple[Kind, ...]] = ("end",)


class Delivery(Air):
    """Messages on their way over one connection.

    Args:
        on: the session.
        messages: the messages; each is asked for when there is room for it.
        reach: what is known about the server.
        depth: how far to run ahead; see `Reach.depth`.
        many: whether there may be more than one message. If not, what cannot be sent is raised in
            place of a result.
    """

    def __init__(
        self,
        on: Exchange,
        messages: Iterable[Message],
        reach: Reach,
        depth: Depth | None = None,
        *,
        many: bool = True,
    ) -> None:
        super().__init__(on, reach)
        self._messages: Iterator[Message] = iter(messages)
        self._wanted: Depth | None = depth
        self._many = many
        self._depth: Depth = "lockstep"
        self._broken: Exception | None = None  # raised by the messages themselves

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

    # -- beginning and ending --------------------------------------------------------------------

    def _begun(self) -> Flow[bool]:
        """The next message, when nothing is in the air; False when there are no more."""
        message = self._again[0].message if self._again else self._drawn()
        if message is None:
            return False
        session, error = self._session, None
        ready = session.may_ahead("send_mail") or session.may_ahead("send_rset")
        if (self._many or self._again) and (not ready or session.mails_left == 0):
            error = yield RECONNECT
        if isinstance(error, ProtocolError):
            self._again.clear()
            self._results.append(not_sent(message, error))
            self._broken = error if self._many else None
            return True
        self._shutdown = self._on.refusal = None
        many, lmtp = self._many, self._on.options.protocol == "lmtp"
        self._depth = "lockstep" if lmtp else self._reach.depth(session, self._wanted, many=many)
        try:
            if self._depth == "lockstep":
                if self._again:
                    self._again.popleft()
                self._results.append((yield from sent_in_lockstep(self._on, message)))
            else:
                self._air.append(self._letter(message))
                yield from self._look()
        except LocalProtocolError as local:
            if not self._many:
                raise
            self._results.append(not_sent(message, local))
        except ProtocolError as remote:
            self._cut(remote)
        return True

    def _drawn(self) -> Message | None:
        """The next message, if there is one; what its iterator raises is kept for later."""
        if self._broken is not None:
            return None
        try:
            return next(self._messages, None)
        except Exception as error:  # noqa: BLE001 - raised again once all that was sent has a fate
            self._broken = error
            return None

    def _letter(self, message: Message) -> Letter:
        """The message as commands.

        Raises:
            LocalProtocolError: it cannot be sent to this server.
        """
        if self._again:
            letter = self._again.popleft()
            letter.begin()
            return letter
        on = self._on
        told = on.options.on_progress
        ready = prepared(self._session.offers, message, verified=on.verified, told=told)
        size = ready.content.size
        if self._depth == "window" and size is not None and size <= WINDOW_CONTENT:
            ready.by_chunks = True
        return Letter(message, ready)

    def _look(self) -> Flow[None]:
        """See what an idle connection has to say, before anything is sent."""
        self._on.hear()
        data = yield GLANCE
        if data is not None:
            self._on.seen(data)

    def _leave_clean(self) -> Flow[None]:
        """No transaction stays open behind the last message."""
        session = self._session
        if not session.may("send_mail") and session.may("send_rset"):
            try:
                yield from self._on.command(commands.rset())
            except ProtocolError:
                return  # every message has its fate, and the observer is told

    # -- rounds ----------------------------------------------------------------------------------

    def _round(self) -> Flow[None]:
        """Send what may be sent, then read what has come."""
        try:
            out = yield from self._written()
            if out or self._session.outstanding:
                yield from self._awaited(out)
            elif self._air:  # nothing can be said to it, and nothing is awaited
                self._finish(self._air.popleft())
        except ProtocolError as error:
            self._cut(error)

    def _written(self) -> Flow[bytes]:
        """Write what may be sent; the last of it is given back, to go with the wait for replies."""
        out: list[bytes] = []
        size = 0
        for octets in self._commands():
            if size + len(octets) > _WRITE and out:
                yield from self._put(b"".join(out))
                out, size = [], 0
            out.append(octets)
            size += len(octets)
        head = self._air[0] if self._air else None
        if head is not None and not self._session.outstanding:
            end = yield from self._content(head)
            if end:
                out.append(end)
                out.extend(self._commands())
        return b"".join(out)

    def _awaited(self, out: bytes) -> Flow[None]:
        """Wait for replies, *out* written before; take those that come."""
        wait = self._on.wait(out)
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
        """Write, and take the replies that are here by then."""
        written = yield octets
        if written is None:
            raise self._session.timeout(self._on.options.seconds)
        if not written:
            yield from self._last_words(said=False)
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

    # -- what is sent ----------------------------------------------------------------------------

    def _commands(self) -> Iterator[bytes]:
        """The commands that may be sent now, message by message."""
        session = self._session
        while self._air:
            letter = self._air[-1]
            if letter.refusal is None and not letter.ended:
                if not letter.sent and self._too_many(letter):
                    return  # until some of what is outstanding has been answered
                octets = b"" if letter.sent else self._as_run(letter)
                if octets:
                    yield octets
                else:
                    yield from self._envelope(letter)
                if self._one_chunk(letter):
                    yield self._chunk(letter)
            if not letter.ended or not self._may_follow(letter):
                return
            message = self._drawn()
            if message is None:
                return
            try:
                following = self._letter(message)
            except LocalProtocolError as error:
                self._air.append(Letter.unsendable(message, error))
                continue
            unsure = self._depth == "full" or not letter.ready.by_chunks
            following.behind = unsure and session.outstanding > 0
            self._air.append(following)

    def _may_follow(self, letter: Letter) -> bool:
        """Whether the next envelope may go behind the end of *letter*."""
        session = self._session
        if session.configuration["link"] != "up" or not session.trusted or self._again:
            return False
        if session.outstanding + 4 > MOST_OUTSTANDING:
            return False
        if self._depth == "window" and letter.ready.by_chunks:
            return len(self._air) < WINDOW
        alone = len(self._air) == 1 and letter.outstanding == 1
        return self._depth != "group" and self._reach.behind_end is not False and alone

    def _envelope(self, letter: Letter) -> Iterator[bytes]:
        """What is left of its envelope, as far as it may be sent."""
        session = self._session
        while not letter.enveloped and session.outstanding < MOST_OUTSTANDING:
            kind, trigger, command = letter.lines[letter.sent]
            if not session.may_ahead(trigger):
                if kind != "mail" or not session.may_ahead("send_rset"):
                    return
                yield self._send(letter, "rset", commands.rset())
            letter.sent += 1
            yield self._send(letter, kind, command)

    def _as_run(self, letter: Letter) -> bytes:
        """Its envelope, and in a window its content, as a run; nothing if it has to be otherwise.

        What may go wrong here at a price is sent command by command: the first try behind an end.
        """
        session, ready, count = self._session, letter.ready, len(letter.ready.rcpts)
        chunked = ready.by_chunks
        if (letter.behind and self._reach.behind_end is None) or (chunked and not self._whole):
            return b""
        if chunked and (ready.content.size or CHUNK) > WINDOW_CONTENT:
            return b""
        if count + 3 > MOST_OUTSTANDING:
            return b""
        last = "send_bdat_last" if chunked else "send_data"
        mail = letter.lines[0][1]
        reset = False
        each = [command for _, _, command in letter.lines]
        if not session.send_run(shape(reset, mail, count, last), each):
            reset = True
            each.insert(0, commands.rset())
            if not session.send_run(shape(reset, mail, count, last), each):
                return b""
        octets = b"".join([command.line for command in each])
        if chunked:
            pieces = ready.content.pieces
            chunk = b"".join(pieces if ready.binary else canonical_chunks(pieces))
            letter.begun = letter.ended = letter.fates.ended = True
            each.append(commands.bdat(len(chunk), True))
            octets += each[-1].line + chunk
        letter.run = (
            *(_RSET if reset else ()),
            *_MAIL,
            *_RCPT * count,
            *(_END if chunked else _DATA),
        )
        letter.sent = len(letter.lines)
        letter.outstanding += len(letter.run)
        self._queue.append((letter, "run"))
        return octets

    def _too_many(self, letter: Letter) -> bool:
        """Whether its commands do not fit beside those that are outstanding, but would alone."""
        room = MOST_OUTSTANDING - len(letter.lines) - 2
        return self._session.outstanding > max(room, 0)

    @property
    def _whole(self) -> bool:
        """Whether the content goes with its envelope."""
        return self._depth == "window"

    def _one_chunk(self, letter: Letter) -> bool:
        """Whether its content goes now, as one chunk."""
        ready = letter.ready
        if not ready.by_chunks or not letter.enveloped or letter.ended:
            return False
        size = ready.content.size
        sure = not letter.behind or self._reach.behind_end
        if size is None or size > CHUNK:
            return False
        if letter.outstanding and not (sure and self._depth == "window"):
            return False
        return self._session.may_ahead("send_bdat_last")

    def _chunk(self, letter: Letter) -> bytes:
        ready = letter.ready
        pieces = ready.content.pieces
        chunk = b"".join(pieces if ready.binary else canonical_chunks(pieces))
        letter.begun = letter.ended = letter.fates.ended = True
        return self._send(letter, "end", commands.bdat(len(chunk), True)) + chunk

    def _content(self, letter: Letter) -> Flow[bytes]:
        """The content of *letter*, now that nothing is awaited; its last octets are given back."""
        session, ready = self._session, letter.ready
        if letter.opened:
            if not session.may("send_dot"):
                raise self._dropped()
            letter.begun = True
            end = b""
            if not session.may("send_content"):  # every recipient was refused: the end stands alone
                end = session.end_content()
            elif ready.content.size is not None and ready.content.size < ENOUGH:
                end = all_at_once(self._on, ready)
            else:
                end = yield from piece_by_piece(self._on, ready)
            letter.opened = False
            letter.ended = letter.fates.ended = True
            letter.outstanding += 1
            self._queue.append((letter, "end"))
            return end
        if ready.by_chunks and letter.enveloped and not letter.ended and letter.refusal is None:
            letter.begun = True
            reply = yield from by_chunks(self._on, ready, letter.fates)
            if reply is not None:
                letter.ended = letter.fates.ended
                letter.outstanding += 1
                letter.answered("end", reply)
        return b""

    def _dropped(self) -> ConnectionLost:
        """354 to a DATA whose message has come to nothing: an empty one would go out."""
        session = self._session
        state, command = session.configuration.state, session.last_command
        what = "closed, since the server wants a content that must not be sent"
        return ConnectionLost(what, state=state, command=command, who="client")

    # -- what goes wrong --------------------------------------------------------------------------

    def _swallowed(self) -> Flow[None]:
        """The server has thrown away what came behind the end of data; begin anew without it."""
        self._reach.behind_end = False
        self._again.extend(self._air)
        self._clear()
        error = yield RECONNECT
        if isinstance(error, ProtocolError):
            self._results.extend(not_sent(each.message, error) for each in self._again)
            self._again.clear()
            self._broken = error

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
