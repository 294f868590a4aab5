"""Faults of LMTP (RFC 2033)."""

from functools import partial
from typing import Any

from fsm_smtp.testing.server.conversation import Transaction
from fsm_smtp.testing.server.faults import registry
from fsm_smtp.testing.server.faults.registry import Run, but_for, nothing, refuses, without
from fsm_smtp.testing.server.session import Session

fault = partial(registry.fault, run=Run.LMTP)
weakness: Any = partial(registry.weakness, run=Run.LMTP)

fault("LMTP answers EHLO and HELO", "L01", only_smtp=nothing)


async def _as_helo(session: Session, argument: bytes) -> None:
    session.greeted = "EHLO"
    session.forget_by_hello()
    session.say(250, "", "***")


fault("LMTP answers LHLO without a name", "L02", do_lhlo=_as_helo)


async def _keeps(session: Session, argument: bytes) -> None:
    kept = session.transaction
    await Session.do_lhlo(session, argument)
    session.transaction = kept


fault("LHLO forgets nothing", "L02", do_lhlo=_keeps)
fault("LMTP takes DATA without recipients", "L03", out_of_order=but_for("data-without-recipient"))
fault("LMTP refuses DATA without recipients with 554", "L03", out_of_order=but_for(
    "data-without-recipient", refuses(554, "5.5.1", "nobody wants it")))  # fmt: skip


def _once(session: Session, transaction: Transaction) -> None:
    session.answer_once(transaction)


fault("LMTP answers a message once", "L04", answer_message=_once)
fault("LMTP answers the last chunk once", "L05", answer_message=_once)
fault("LMTP offers no PIPELINING", "L07", options={"extensions": without("PIPELINING")})
weakness("LMTP offers no 8BITMIME", "L09", options={"extensions": without("8BITMIME")})


async def _answers_nobody(session: Session, argument: bytes) -> None:
    if session.transaction is not None and not session.transaction.recipients:
        size, _ = session.chunk_size(argument)
        await session.read_chunk(size)
        session.say(250, "2.0.0", "for nobody")
        return
    await Session.do_bdat(session, argument)


weakness("LMTP answers a last chunk for nobody", "L05", do_bdat=_answers_nobody)
