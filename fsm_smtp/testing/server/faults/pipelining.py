"""Input that is lost and replies that come in the wrong order (RFC 2920 §3.2, RFC 2197 §4.2)."""

from fsm_smtp.testing.server.conversation import Refused, Transaction
from fsm_smtp.testing.server.faults.registry import but_for, fault, weakness
from fsm_smtp.testing.server.session import Session


async def _flushes(session: Session, limit: int) -> bytes:
    line = await Session.line(session, limit)
    session.wire.buffer.clear()
    return line


async def _flushes_at_errors(session: Session, line: bytes) -> None:
    try:
        await Session.dispatch(session, line)
    except Refused:
        session.wire.buffer.clear()
        raise


async def _flushes_behind_content(session: Session) -> bytes:
    content = await Session.read_content(session)
    session.wire.buffer.clear()
    return content


async def _flushes_at_reset(session: Session, argument: bytes) -> None:
    await Session.do_rset(session, argument)
    session.wire.buffer.clear()


fault("throws away what follows", "P12", line=_flushes)


async def _small_buffer(session: Session, limit: int) -> bytes:
    line = await Session.line(session, limit)
    del session.wire.buffer[1024:]
    return line


fault("throws away what its buffer does not hold", "P12", line=_small_buffer)
fault("throws away what follows an error", "P12", dispatch=_flushes_at_errors)
fault("loses commands behind the end of data", "P12", read_content=_flushes_behind_content)
fault("throws away what follows RSET", "P12", do_rset=_flushes_at_reset)


def _backwards(session: Session, octets: bytes) -> None:
    held: list[bytes] = session.memory.setdefault("held", [])
    held.insert(0, octets)
    if not session.wire.buffer:
        for each in held:
            Session.transmit(session, each)
        held.clear()


def _errors_first(session: Session, octets: bytes) -> None:
    held: list[bytes] = session.memory.setdefault("held", [])
    held.append(octets)
    if not session.wire.buffer:
        for each in sorted(held, key=lambda reply: not reply.startswith(b"5")):
            Session.transmit(session, each)
        held.clear()


def _keeps_the_last(session: Session, octets: bytes) -> None:
    held: list[bytes] = session.memory.setdefault("held", [])
    held.append(octets)
    if len(held) > 1 and not session.wire.buffer:
        Session.transmit(session, b"".join(held[:-1]))
        del held[:-1]
    elif not session.wire.buffer:
        Session.transmit(session, held.pop())


def _one_for_all(session: Session, octets: bytes) -> None:
    if not session.wire.buffer:
        Session.transmit(session, octets)


fault("answers a group backwards", "P11", transmit=_backwards)
fault("answers the refused commands of a group first", "P11", transmit=_errors_first)
fault("holds the last reply of a group back", "P16", transmit=_keeps_the_last)
fault("answers the last command of a group only", "R101", transmit=_one_for_all)


async def _sees_no_group(session: Session, line: bytes) -> None:
    if session.wire.buffer and line[:4].upper() == b"RCPT":
        session.memory["group"] = True
    await Session.dispatch(session, line)


def _data_of_a_group(session: Session) -> Transaction:
    if session.memory.pop("group", False) and session.transaction is not None:
        return session.transaction
    return Session.data_in_order(session)


weakness("takes DATA in a group whose recipients were refused", "P13",
      dispatch=_sees_no_group, data_in_order=_data_of_a_group)  # fmt: skip


def _wants_no_input(session: Session, octets: bytes) -> None:
    held: list[bytes] = session.memory.setdefault("held", [])
    held.append(octets)
    if not session.wire.buffer:
        Session.transmit(session, b"".join(held))
        held.clear()


fault("holds replies back while input is left", "P15", transmit=_wants_no_input)


def _not_for_nobody(session: Session, transaction: Transaction, content: bytes) -> None:
    if transaction.recipients:
        Session.take_message(session, transaction, content)
    else:
        session.say(554, "5.5.1", "nobody wants it")


weakness("says 354 for nobody, and refuses the message", "P13",
         out_of_order=but_for("data-without-recipient"), take_message=_not_for_nobody)  # fmt: skip


def _all_or_none(session: Session) -> Transaction:
    transaction = Session.data_in_order(session)
    if session.memory.pop("refused", False):
        raise Refused(503, "5.5.1", "a recipient was refused")
    return transaction


async def _notes_refusals(session: Session, argument: bytes) -> None:
    try:
        await Session.do_rcpt(session, argument)
    except Refused:
        session.memory["refused"] = True
        raise


weakness("refuses DATA where one recipient was refused", "P13",
         do_rcpt=_notes_refusals, data_in_order=_all_or_none)  # fmt: skip
