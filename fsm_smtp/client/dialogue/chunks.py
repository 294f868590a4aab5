"""Content by BDAT (RFC 3030 §2), chunk by chunk, each with its reply."""

from collections.abc import Iterable, Iterator
from typing import Final

from fsm_smtp.client.dialogue.envelope import Prepared, eight_bit_refused
from fsm_smtp.client.dialogue.exchange import Exchange
from fsm_smtp.client.requests import Flow
from fsm_smtp.client.result import Fates
from fsm_smtp.wire import Reply, canonical_chunks

#: Octets of a chunk: each costs a round trip, and is held in memory whole.
CHUNK: Final = 512 * 1024


def by_chunks(on: Exchange, ready: Prepared, fates: Fates) -> Flow[Reply | None]:
    """All chunks, or those up to the first that is refused; gives the last reply.

    ``None`` if no chunk may be sent.

    The last chunk is not an empty one, unless the content is: some servers answer that twice.
    """
    session = on.session
    if not session.may("send_bdat_last"):
        return None
    pieces: Iterable[bytes | memoryview] = ready.content.pieces
    chunks = _gathered(pieces if ready.binary else canonical_chunks(pieces))
    chunk = next(chunks, b"")
    for following in chunks:
        reply = yield from _chunk(on, ready, chunk, last=False)
        if not session.may("send_bdat"):
            return reply
        chunk = following
    fates.ended = True
    return (yield from _chunk(on, ready, chunk, last=True))


def _chunk(on: Exchange, ready: Prepared, chunk: bytes, *, last: bool) -> Flow[Reply]:
    if ready.seven_bit and not chunk.isascii():
        raise eight_bit_refused()
    on.hear()
    return (yield from on.reply(on.session.send_chunk(chunk, last=last)))


def _gathered(pieces: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """The same octets in chunks of about the same size."""
    waiting: list[bytes | memoryview] = []
    size = 0
    for piece in pieces:
        if size + len(piece) > CHUNK and waiting:
            yield b"".join(waiting)
            waiting.clear()
            size = 0
        waiting.append(piece)
        size += len(piece)
    if waiting:
        yield b"".join(waiting)
