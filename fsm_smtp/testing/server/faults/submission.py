"""Faults of a submission server (RFC 6409), and of one that wants AUTH (RFC 4954 §6)."""

from collections.abc import Callable

from fsm_smtp.testing.server.conversation import Refused
from fsm_smtp.testing.server.faults.registry import Run, fault, nothing, refuses, weakness
from fsm_smtp.testing.server.parameters import Parameters
from fsm_smtp.testing.server.session import Session

#: Only the authenticated may send.
SUBMISSION = {"submission": True}


def _refuses_by(code: int) -> Callable[[Session, bytes], None]:
    def admit_unauthenticated(session: Session, verb: bytes) -> None:
        try:
            Session.admit_unauthenticated(session, verb)
        except Refused as refused:
            raise Refused(code, f"{code // 100}.7.0", refused.text) from None

    return admit_unauthenticated


fault("submission takes MAIL from everybody", "M01", run=Run.SECURED, options=SUBMISSION,
      admit_unauthenticated=nothing)  # fmt: skip
fault("submission refuses the unauthenticated with 550", "M01", run=Run.SECURED,
      options=SUBMISSION, admit_unauthenticated=_refuses_by(550))  # fmt: skip


def _wants_somebody(session: Session, path: bytes, parameters: Parameters) -> None:
    if not path:
        raise Refused(550, "5.7.1", "who?")
    Session.check_sender(session, path, parameters)


def _with_etrn(session: Session) -> list[str]:
    return [*Session.offer_lines(session), "ETRN"]


def _without_auth(session: Session, keyword: str) -> bool:
    return keyword != "AUTH" and Session.offered(session, keyword)


def _noop_wants_auth(session: Session, verb: bytes) -> None:
    if verb not in (b"AUTH", b"EHLO", b"HELO", b"QUIT"):
        raise Refused(530, "5.7.0", "AUTH first")


fault("submission refuses the null reverse-path", "M03", run=Run.SECURED, options=SUBMISSION,
      check_sender=_wants_somebody)  # fmt: skip
fault("submission offers ETRN", "M06", run=Run.SECURED, options=SUBMISSION,
      offer_lines=_with_etrn)  # fmt: skip
fault("submission does not offer AUTH", "M06", run=Run.SECURED, options=SUBMISSION,
      offered=_without_auth)  # fmt: skip
weakness("wants AUTH before NOOP and RSET", "A20", run=Run.SECURED, options=SUBMISSION,
         admit_unauthenticated=_noop_wants_auth)  # fmt: skip
weakness("submission refuses a bad address with 550", "M04", run=Run.SECURED, options=SUBMISSION,
         path_behind=refuses(550, "5.1.7", "this is no address"))  # fmt: skip
