"""One mail transaction in lock-step: envelope, content, and a fate for each recipient."""

from typing import Final

from fsm_smtp.client.dialogue.chunks import by_chunks
from fsm_smtp.client.dialogue.envelope import Prepared, eight_bit_refused, prepared
from fsm_smtp.client.dialogue.exchange import Exchange
from fsm_smtp.client.dialogue.limits import batches
from fsm_smtp.client.message import Message
from fsm_smtp.client.requests import Flow
from fsm_smtp.client.result import Fates, SendResult
from fsm_smtp.errors import ProtocolError
from fsm_smtp.wire import Reply, commands, encoded

#: Octets of content that are worth a write; smaller pieces wait for each other.
ENOUGH: Final = 16 * 1024


def sent(on: Exchange, message: Message) -> Flow[SendResult]:
    """One message; gives a fate for each recipient, whatever happens.

    One mail transaction, or as many as the server's limits ask for (RFC 9422).

    Raises:
        LocalProtocolError: the message cannot be sent, or not now; nothing was written.
    """
    if "LIMITS" in on.session.offers.keywords:
        return batches(on, message, _sent)
    return _sent(on, message)


def _sent(on: Exchange, message: Message) -> Flow[SendResult]:
    session = on.session
    ready = prepared(session.offers, message, verified=on.verified, told=on.options.on_progress)
    fates = Fates(message.sender, message.addresses)
    on.refusal = None
    try:
        if session.may("send_mail"):  # else the machine says why not
            yield from on.glance()
    except ProtocolError as error:
        return _cut_short(on, fates, error)
    may, ask, answer = session.may, on.ask, on.answer
    wait = on.wait(session.send(ready.mail))
    try:
        data = yield wait
        reply = answer(data) or (yield from on.rest(wait, data))
        for number, rcpt in enumerate(ready.rcpts):
            if not may("send_rcpt"):
                break
            data = yield (wait := ask(rcpt))
            reply = answer(data) or (yield from on.rest(wait, data))
            if reply.code >= 300:
                fates.refuse(number, reply)
        transmit = by_chunks if ready.by_chunks else _by_data
        reply = (yield from transmit(on, ready, fates)) or reply
        if session.replies_due:
            reply = yield from _of_each(on, fates, reply)
        fates.decide(reply)
        if may("send_rset") and not may("send_mail"):
            yield from on.command(commands.rset())
    except ProtocolError as error:
        return _cut_short(on, fates, error)
    return fates.result()


def _by_data(on: Exchange, ready: Prepared, fates: Fates) -> Flow[Reply | None]:
    """DATA, the content and its end; gives the last reply, ``None`` if DATA may not be sent."""
    session, content = on.session, ready.content
    if not session.may("send_data"):
        return None
    ahead = None
    if content.whole is None:
        data = yield (wait := on.ask(commands.data()))
    else:  # which is encoded while the server thinks about DATA
        on.hear()
        yield from on.write(session.send(commands.data()))
        ahead = encoded(content.whole)
        data = yield (wait := on.wait(b""))
    reply = on.answer(data) or (yield from on.rest(wait, data))
    if not session.may("send_content"):
        return reply
    if ahead is not None:
        if session.unread:
            on.hear()
        end = session.send_encoded(ahead)
    elif content.size is not None and content.size < ENOUGH:
        end = all_at_once(on, ready)
    else:
        end = yield from piece_by_piece(on, ready)
    fates.ended = True
    data = yield (wait := on.wait(end))
    return on.answer(data) or (yield from on.rest(wait, data))


def _of_each(on: Exchange, fates: Fates, reply: Reply) -> Flow[Reply]:
    """One reply for each recipient that is still open (RFC 2033 §4.2); gives the last one."""
    for number in fates.open:
        fates.settle(number, reply)
        reply = yield from on.reply()
        if not on.session.replies_due:
            break
    return reply


def _cut_short(on: Exchange, fates: Fates, error: ProtocolError) -> SendResult:
    if on.refusal is not None:
        fates.decide(on.refusal)
    return fates.result(error)


def all_at_once(on: Exchange, ready: Prepared) -> bytes:
    """Short content with its end."""
    pieces = [*map(on.session.send_content, ready.content.pieces)]
    if on.session.unread:
        on.hear()
    return b"".join([*pieces, on.session.end_content()])


def piece_by_piece(on: Exchange, ready: Prepared) -> Flow[bytes]:
    """Long content, and such as may take its time: all but its end is written."""
    send_content = on.session.send_content
    waiting: list[bytes] = []
    size = 0
    for piece in ready.content.pieces:
        if size >= ENOUGH:
            yield from on.glance()
            yield from on.write(b"".join(waiting))
            waiting.clear()
            size = 0
        octets = send_content(piece)
        waiting.append(octets)
        size += len(octets)
        if ready.seven_bit and not octets.isascii():
            raise eight_bit_refused()
    # An answer that came before the end of data is none to it.
    yield from on.glance()
    waiting.append(on.session.end_content())
    return b"".join(waiting)
