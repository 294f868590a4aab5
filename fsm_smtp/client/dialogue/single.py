"""Single commands that are more than a line and its reply: content, its end, a chunk."""

from fsm_smtp.client.content import Content, Source
from fsm_smtp.client.dialogue.envelope import eight_bit_refused
from fsm_smtp.client.dialogue.exchange import Exchange
from fsm_smtp.client.requests import Flow
from fsm_smtp.wire import Reply


def stream(on: Exchange, source: Source) -> Flow[None]:
    """Send content, dots stuffed, as far as it goes; more of it, or its end, may follow.

    Raises:
        CommandRefused: no content may be sent now; nothing was written.
        InvalidContent: octets above 127, and the server does not offer 8BITMIME.
    """
    content = Content.of(source)
    if on.options.on_progress is not None:
        content.watch(on.options.on_progress)
    seven_bit = "8BITMIME" not in on.session.offers
    for piece in content.pieces:
        if seven_bit and not bytes(piece).isascii():
            raise eight_bit_refused()
        octets = on.session.send_content(piece)
        yield from on.glance()
        yield from on.write(octets)


def dot(on: Exchange) -> Flow[Reply]:
    """The end of data; gives its reply, of several (RFC 2033 §4.2) the last.

    Raises:
        CommandRefused: there is no content to end; nothing was written.
    """
    if on.session.may("send_dot"):  # else the machine says why not
        yield from on.glance()
    return (yield from _answered(on, on.session.end_content()))


def bdat(on: Exchange, chunk: bytes, *, last: bool) -> Flow[Reply]:
    """BDAT with its chunk, unchanged (RFC 3030 §2); gives its reply, of several the last.

    Raises:
        CommandRefused: it is not legal now; nothing was written.
    """
    on.hear()
    return (yield from _answered(on, on.session.send_chunk(chunk, last=last)))


def _answered(on: Exchange, octets: bytes) -> Flow[Reply]:
    reply = yield from on.reply(octets)
    while on.session.replies_due:
        reply = yield from on.reply()
    return reply
