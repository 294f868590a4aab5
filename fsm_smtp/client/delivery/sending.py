"""What may be sent now, message by message, and the octets of it.

Whether a command may be sent is asked of the session, always.
"""

from collections.abc import Iterable, Iterator

from fsm_smtp.client.delivery.air import Air
from fsm_smtp.client.delivery.letter import Letter
from fsm_smtp.client.delivery.reach import MOST_OUTSTANDING, WINDOW_CONTENT, Reach
from fsm_smtp.client.dialogue.chunks import CHUNK, by_chunks
from fsm_smtp.client.dialogue.envelope import Prepared, prepared
from fsm_smtp.client.dialogue.exchange import Exchange
from fsm_smtp.client.dialogue.transaction import ENOUGH, all_at_once, piece_by_piece
from fsm_smtp.client.message import Message
from fsm_smtp.client.options import Depth
from fsm_smtp.client.requests import Flow
from fsm_smtp.errors import ConnectionLost, LocalProtocolError
from fsm_smtp.wire import canonical, canonical_chunks, commands


class Sending(Air):
    """Letters, and which octets of them go next.

    Args:
        on: the session.
        messages: the messages; each is asked for when there is room for it.
        reach: what is known about the server.
    """

    def __init__(self, on: Exchange, messages: Iterable[Message], reach: Reach) -> None:
        super().__init__(on, reach)
        self._messages: Iterator[Message] = iter(messages)
        self._depth: Depth = "lockstep"
        self._window = on.options.window
        self._broken: Exception | None = None  # raised by the messages themselves
        self._next: Letter | None = None  # made ready while replies were on their way

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
        on = self._on
        told = on.options.on_progress
        ready = prepared(self._session.offers, message, verified=on.verified, told=told)
        size = ready.content.size
        if self._depth == "window" and size is not None and size <= WINDOW_CONTENT:
            ready.by_chunks = True
        return Letter(message, ready)

    def _following(self) -> Letter | None:
        """The letter behind the last one; ``None`` when there are no more messages."""
        letter, self._next = self._next, None
        if letter is None:
            message = self._drawn()
            if message is None:
                return None
            try:
                letter = self._letter(message)
            except LocalProtocolError as error:
                letter = Letter.unsendable(message, error)
        return letter

    def _make_ready(self) -> None:
        """Do what will have to be done, while the server is busy."""
        if self._depth == "window":
            return  # its content has gone with the envelope
        for letter in self._air:
            letter.encode()
        if self._depth != "full":
            return
        if self._next is None and not self._again:
            self._next = self._following()
            if self._next is not None:
                self._next.encode()

    # -- octets ----------------------------------------------------------------------------------

    def _commands(self) -> Iterator[bytes]:
        """The commands that may be sent now, message by message."""
        session = self._session
        while self._air:
            letter = self._air[-1]
            if not letter.ended and letter.refusal is None:
                room = MOST_OUTSTANDING - session.outstanding
                octets = b""
                if not letter.sent:
                    if room <= len(letter.commands) + 1 and room < MOST_OUTSTANDING:
                        return  # until some of what is outstanding has been answered
                    octets = self._as_run(letter)
                if octets:
                    yield octets
                else:
                    yield from self._envelope(letter)
                    if self._one_chunk(letter):
                        yield self._chunk(letter)
            if not letter.ended or not self._may_follow(letter):
                return
            following = self._following()
            if following is None:
                return
            unsure = self._depth == "full" or not letter.ready.by_chunks
            following.behind = unsure and session.outstanding > 0
            self._air.append(following)

    def _may_follow(self, letter: Letter) -> bool:
        """Whether the next envelope may go behind the end of *letter*."""
        session = self._session
        windowed = self._depth == "window" and letter.ready.by_chunks
        if windowed and len(self._air) >= self._window:
            return False
        if session.outstanding + 4 > MOST_OUTSTANDING or self._again or not session.trusted:
            return False
        if session.configuration["link"] != "up":
            return False
        if windowed:
            return True
        alone = len(self._air) == 1 and letter.outstanding == 1
        return self._depth != "group" and self._reach.behind_end is not False and alone

    def _envelope(self, letter: Letter) -> Iterator[bytes]:
        """What is left of its envelope, as far as it may be sent."""
        session = self._session
        while not letter.enveloped and session.outstanding < MOST_OUTSTANDING:
            kind, trigger, command = letter.next_command()
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
        ready, each = letter.ready, letter.commands
        chunked = ready.by_chunks
        if (letter.behind and self._reach.behind_end is None) or len(each) > MOST_OUTSTANDING - 2:
            return b""
        if chunked:
            if self._depth != "window" or (ready.content.size or CHUNK) > WINDOW_CONTENT:
                return b""
            each = [*each]  # the chunk comes behind them
        last = "send_bdat_last" if chunked else "send_data"
        run = self._session.send_run(letter.mail, len(ready.rcpts), last, each)
        if run is None:
            return b""
        lines = [command.line for command in each]
        if run.reset:
            lines.insert(0, commands.rset().line)
        if chunked:
            chunk = _one_chunk_of(ready)
            letter.begun = letter.ended = True
            bdat = commands.bdat(len(chunk), True)
            each.append(bdat)
            lines += (bdat.line, chunk)
        letter.run = run
        letter.sent = len(letter.commands)
        letter.outstanding += len(run.triggers)
        self._queue.append((letter, "run"))
        return b"".join(lines)

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
        chunk = _one_chunk_of(letter.ready)
        letter.begun = letter.ended = True
        return self._send(letter, "end", commands.bdat(len(chunk), True)) + chunk

    def _goodbye(self) -> bytes:
        """QUIT, if the end of the last message has been sent and it may go behind that."""
        letter = self._air[-1] if self._air else None
        if letter is None or not letter.ended or letter.error is not None or self._again:
            return b""
        if self._next is None:
            self._next = self._following()
        behind = self._depth == "window" or self._reach.behind_end is not False
        if self._next is not None or not behind or not self._session.may_ahead("send_quit"):
            return b""
        self._queue.append((letter, "quit"))
        return self._session.send_ahead(commands.quit_())

    def _content(self, letter: Letter) -> Flow[bytes]:
        """The content of *letter*, now that nothing is awaited; its last octets are given back."""
        session, ready = self._session, letter.ready
        if letter.opened:
            if not session.may("send_dot"):
                raise self._dropped()
            letter.begun = True
            if not session.may("send_content"):  # every recipient was refused: the end stands alone
                end = session.end_content()
            elif letter.encoded is not None:
                self._on.hear()
                end = session.send_encoded(letter.encoded)
            elif ready.content.size is not None and ready.content.size < ENOUGH:
                end = all_at_once(self._on, ready)
            else:
                end = yield from piece_by_piece(self._on, ready)
            letter.opened = False
            letter.ended = True
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


def _one_chunk_of(ready: Prepared) -> bytes:
    content = ready.content
    if content.whole is not None:
        return content.whole if ready.binary else canonical(content.whole)
    return b"".join(content.pieces if ready.binary else canonical_chunks(content.pieces))
