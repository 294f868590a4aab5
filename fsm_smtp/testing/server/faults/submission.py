"""Faults of a submission server (RFC 6409), and of one that wants AUTH (RFC 4954 §6)."""

import asyncio
from collections.abc import Callable

from fsm_smtp.testing.server.conversation import Refused
from fsm_smtp.testing.server.faults.registry import Run, fault, liberty, weakness
from fsm_smtp.testing.server.grammar import Mailbox, read_mailbox
from fsm_smtp.testing.server.parameters import Parameters
from fsm_smtp.testing.server.session import Session

#: Only the authenticated may send.
SUBMISSION = {"submission": True}


def _refuses_by(code: int, status: str) -> Callable[[Session, bytes], None]:
    def admit_unauthenticated(session: Session, verb: bytes) -> None:
        try:
            Session.admit_unauthenticated(session, verb)
        except Refused as refused:
            raise Refused(code, status, refused.text) from None

    return admit_unauthenticated


def _rcpt_by_550(session: Session, verb: bytes) -> None:
    if verb == b"RCPT":
        raise Refused(550, "5.7.1", "mail for this domain is not taken")


weakness("submission refuses RCPT of the unauthenticated with 550", "A20", run=Run.SECURED,
         options=SUBMISSION, admit_unauthenticated=_rcpt_by_550)  # fmt: skip
weakness("submission gives 530 another status code", "A20", run=Run.SECURED,
         options=SUBMISSION, admit_unauthenticated=_refuses_by(530, "5.5.1"))  # fmt: skip


def _wants_somebody(session: Session, path: bytes, parameters: Parameters) -> None:
    if not path:
        raise Refused(550, "5.7.1", "who?")
    Session.check_sender(session, path, parameters)


def _with_etrn(session: Session) -> list[str]:
    return [*Session.offer_lines(session), "ETRN"]


def _noop_wants_auth(session: Session, verb: bytes) -> None:
    if verb not in (b"AUTH", b"EHLO", b"HELO", b"QUIT"):
        raise Refused(530, "5.7.0", "AUTH first")


fault("submission refuses the null reverse-path", "M03", run=Run.SECURED, options=SUBMISSION,
      check_sender=_wants_somebody)  # fmt: skip
liberty("submission offers ETRN", "M06", run=Run.SECURED, options=SUBMISSION,
        offer_lines=_with_etrn)  # fmt: skip
weakness("wants AUTH before NOOP and RSET", "A20", run=Run.SECURED, options=SUBMISSION,
         admit_unauthenticated=_noop_wants_auth)  # fmt: skip


def _any_address(session: Session, path: bytes) -> Mailbox:
    return read_mailbox(path) or Mailbox(b"rcpt", b"example.test")


weakness("submission takes an address that is none", "M04", run=Run.SECURED, options=SUBMISSION,
         mailbox=_any_address)  # fmt: skip


async def _slow(session: Session) -> bytes:
    content = await Session.read_content(session)
    await asyncio.sleep(130)
    return content


weakness("submission takes two minutes for a message", "M05", run=Run.SECURED, options=SUBMISSION,
         read_content=_slow)  # fmt: skip
