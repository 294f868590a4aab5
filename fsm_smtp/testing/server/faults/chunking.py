"""Faults of BDAT and BINARYMIME (RFC 3030)."""

import re

from fsm_smtp.testing.server.conversation import Refused, Transaction
from fsm_smtp.testing.server.faults.registry import (
    answers,
    but_for,
    fault,
    nothing,
    says,
    without,
)
from fsm_smtp.testing.server.record import Recipient
from fsm_smtp.testing.server.session import Session
from fsm_smtp.testing.server.wire import Ended


async def _refuses_first(session: Session, argument: bytes) -> None:
    session.chunk_size(argument)
    session.bdat_in_order()
    await Session.do_bdat(session, argument)


fault("takes the octets of a refused chunk for commands", "H09", do_bdat=_refuses_first)


async def _closes(session: Session, argument: bytes) -> None:
    try:
        await Session.do_bdat(session, argument)
    except Refused as refused:
        session.say(521, refused.status, refused.text)
        raise Ended from None


def _closes_at_nonsense(session: Session, argument: bytes) -> tuple[int, bool]:
    try:
        return Session.chunk_size(session, argument)
    except Refused:
        raise Ended from None


fault("closes at a refused chunk", "R032", do_bdat=_closes)
fault("closes at a BDAT without a size", "H04", chunk_size=_closes_at_nonsense)


def _any_size(session: Session, argument: bytes) -> tuple[int, bool]:
    found = re.search(rb"[0-9]+", argument)
    return int(found[0]) if found else 0, argument.upper().endswith(b"LAST")


fault("takes any argument of BDAT", "H04", chunk_size=_any_size)


async def _one_less(session: Session, size: int) -> bytes:
    return await session.take(max(size - 1, 0))


async def _one_more(session: Session, size: int) -> bytes:
    return await session.take(size + 1)


async def _up_to_a_dot(session: Session, size: int) -> bytes:
    octets = await session.take(size)
    found = re.search(rb"\r\n\.\r\n", octets)
    if found is None:
        return octets
    session.wire.buffer[:0] = octets[found.end() :]
    return octets[: found.start() + 2]


async def _by_lines(session: Session, size: int) -> bytes:
    octets = await session.take(size)
    return octets + await session.take(octets.count(b"\r\n"))


fault("reads one octet less of a chunk", "H05", read_chunk=_one_less)
fault("reads one octet more of a chunk", "H05", read_chunk=_one_more)
fault("a dot on a line ends a chunk", "H05", read_chunk=_up_to_a_dot)
fault("counts a line end of a chunk twice", "H05", read_chunk=_by_lines)

# Replies


async def _two_to_nothing(session: Session, argument: bytes) -> None:
    await Session.do_bdat(session, argument)
    size, last = session.chunk_size(argument)
    if last and not size:
        session.say(250, "2.0.0", "message taken")


async def _no_empty_last(session: Session, argument: bytes) -> None:
    size, last = session.chunk_size(argument)
    if last and not size:
        raise Refused(501, "5.5.4", "an empty chunk?")
    await Session.do_bdat(session, argument)


fault("answers BDAT 0 LAST twice", "R101", do_bdat=_two_to_nothing)
fault("refuses BDAT 0 LAST", "H05", do_bdat=_no_empty_last)
fault("answers the last chunk only", "H05", answer_chunk=nothing)
fault("answers a chunk with 354", "H05",
      answer_chunk=says(354, "", "more"))  # fmt: skip


def _per_recipient(session: Session, transaction: Transaction) -> None:
    Session.last_chunk(session, transaction)
    for _ in transaction.recipients[1:]:
        session.say(250, "2.0.0", "message taken")


fault("answers the last chunk per recipient", "R059", last_chunk=_per_recipient)

# Order


async def _at_any_time(session: Session, argument: bytes) -> None:
    if session.transaction is not None and session.transaction.recipients:
        await Session.do_bdat(session, argument)
        return
    size, _ = session.chunk_size(argument)
    await session.read_chunk(size)
    session.say(250, "2.0.0", f"{size} octets")


async def _behind_last(session: Session, argument: bytes) -> None:
    size, last = session.chunk_size(argument)
    if session.transaction is None and session.memory.get("last"):
        await session.read_chunk(size)
        session.say(250, "2.0.0", f"{size} octets")
        return
    await Session.do_bdat(session, argument)
    session.memory["last"] = last


fault("takes BDAT at any time", "R096", do_bdat=_at_any_time)
fault("takes BDAT behind the last chunk", "H07", do_bdat=_behind_last)
fault("takes BDAT without recipients", "R020", out_of_order=but_for("bdat-without-recipient"))


fault("takes DATA behind BDAT", "H12", out_of_order=but_for("data-after-chunk"))
fault("takes DATA for BODY=BINARYMIME", "H15", data_unmixed=nothing)


def _recalls_chunks(session: Session) -> None:
    kept = session.transaction.chunks if session.transaction else None
    session.forget_transaction()
    session.memory["chunks"] = kept


def _with_chunks(session: Session, recipient: Recipient, transaction: Transaction) -> None:
    Session.add(session, recipient, transaction)
    transaction.chunks = session.memory.pop("chunks", transaction.chunks)


fault("RSET keeps the chunks", "H13", forget_by_rset=_recalls_chunks, add=_with_chunks)


async def _not_between_chunks(session: Session, argument: bytes) -> None:
    if session.transaction is not None and session.transaction.chunks is not None:
        raise Refused(503, "5.5.1", "the content has begun")
    await Session.do_rset(session, argument)


fault("refuses RSET between chunks", "H13", do_rset=_not_between_chunks)


async def _drops_the_pipe(session: Session, argument: bytes) -> None:
    try:
        await Session.do_bdat(session, argument)
    except Refused:
        session.wire.buffer.clear()
        raise


fault("throws away what follows a refused chunk", "H11", do_bdat=_drops_the_pipe)
fault("answers BDAT with 500", "R048", do_bdat=answers(500, "5.5.2", "not recognised"))


# The command and its chunk


def _wraps(session: Session, argument: bytes) -> tuple[int, bool]:
    size, last = Session.chunk_size(session, argument)
    return size % (1 << 64), last


def _last_in_capitals(session: Session, argument: bytes) -> tuple[int, bool]:
    if argument != argument.upper():
        raise Refused(501, "5.5.4", "BDAT takes a number of octets, and LAST")
    return Session.chunk_size(session, argument)


def _seven_bits(session: Session, transaction: Transaction) -> None:
    if transaction.chunks is not None and not transaction.chunks.isascii():
        raise Refused(554, "5.6.1", "eight bits are too many")


fault("reads the size of a chunk modulo 2^64", "H04", chunk_size=_wraps)
fault("wants LAST in upper case", "R003", chunk_size=_last_in_capitals)
fault("refuses chunks of eight bits", "B03", check_chunks=_seven_bits)


def _asks_for_more(session: Session, transaction: Transaction) -> None:
    session.say(354, "", "and the end of it?")
    session.forget_after_content()


fault("answers the last chunk with 354", "H05", last_chunk=_asks_for_more)
fault("offers BINARYMIME without CHUNKING", "H19", options={"extensions": without("CHUNKING")})
