"""One mail transaction in lock-step: envelope, content, and a fate for each recipient."""

from collections.abc import Sequence
from typing import Final

from fsm_smtp.client.content import Content
from fsm_smtp.client.dialogue.envelope import Parameters, eight_bit_refused, envelope
from fsm_smtp.client.dialogue.exchange import Exchange
from fsm_smtp.client.requests import GLANCE, Flow
from fsm_smtp.client.result import Fates, SendResult
from fsm_smtp.errors import ProtocolError
from fsm_smtp.wire import commands

#: Octets of content that are worth a write; smaller pieces wait for each other.
ENOUGH: Final = 16 * 1024


def sent(
    on: Exchange,
    sender: str,
    recipients: Sequence[str],
    content: Content,
    parameters: Parameters | None = None,
) -> Flow[SendResult]:
    """One mail transaction; gives a fate for each recipient, whatever happens.

    Raises:
        LocalProtocolError: the message cannot be sent, or not now; nothing was written.
    """
    session = on.session
    mail, rcpts = envelope(session.offers, sender, recipients, content, parameters)
    fates = Fates(sender, recipients)
    on.refusal = None
    try:
        if session.may("send_mail"):  # else the machine says why not
            on.hear()
            data = yield GLANCE
            if data is not None:
                on.seen(data)
    except ProtocolError as error:
        return _cut_short(on, fates, error)
    may, ask, answer = session.may, on.ask, on.answer
    wait = on.wait(session.send(mail))
    try:
        data = yield wait
        reply = answer(data) or (yield from on.rest(wait, data))
        for number, rcpt in enumerate(rcpts):
            if not may("send_rcpt"):
                break
            data = yield (wait := ask(rcpt))
            reply = answer(data) or (yield from on.rest(wait, data))
            if reply.code >= 300:
                fates.refuse(number, reply)
        if may("send_data"):
            data = yield (wait := ask(commands.data()))
            reply = answer(data) or (yield from on.rest(wait, data))
            if may("send_content"):
                if content.size is not None and content.size < ENOUGH:
                    end = _all_at_once(on, content)
                else:
                    end = yield from _piece_by_piece(on, content)
                fates.ended = True
                data = yield (wait := on.wait(end))
                reply = answer(data) or (yield from on.rest(wait, data))
        fates.decide(reply)
        if may("send_rset") and not may("send_mail"):
            yield from on.command(commands.rset())
    except ProtocolError as error:
        return _cut_short(on, fates, error)
    return fates.result()


def _cut_short(on: Exchange, fates: Fates, error: ProtocolError) -> SendResult:
    if on.refusal is not None:
        fates.decide(on.refusal)
    return fates.result(error)


def _all_at_once(on: Exchange, content: Content) -> bytes:
    """Short content with its end."""
    pieces = [*map(on.session.send_content, content.pieces)]
    if on.session.unread:
        on.hear()
    return b"".join([*pieces, on.session.end_content()])


def _piece_by_piece(on: Exchange, content: Content) -> Flow[bytes]:
    """Long content, and such as may take its time: all but its end is written."""
    send_content = on.session.send_content
    seven_bit = content.eight_bit is None and "8BITMIME" not in on.session.offers
    waiting: list[bytes] = []
    size = 0
    for piece in content.pieces:
        if size >= ENOUGH:
            yield from on.glance()
            yield from on.write(b"".join(waiting))
            waiting.clear()
            size = 0
        octets = send_content(piece)
        waiting.append(octets)
        size += len(octets)
        if seven_bit and not octets.isascii():
            raise eight_bit_refused()
    # An answer that came before the end of data is none to it.
    yield from on.glance()
    waiting.append(on.session.end_content())
    return b"".join(waiting)
