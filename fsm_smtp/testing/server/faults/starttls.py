"""Faults of STARTTLS (RFC 3207), among them what CVE-2011-0411 and its kin are about."""

from fsm_smtp.testing.server.conversation import Refused
from fsm_smtp.testing.server.faults.registry import (
    Run,
    fault,
    liberty,
    nothing,
    refuses,
    weakness,
)
from fsm_smtp.testing.server.session import Session
from fsm_smtp.testing.server.wire import Ended

# What was said in the clear


def _keeps_the_buffer(session: Session) -> None:
    session.forget_session()


def _keeps_everything(session: Session) -> None:
    session.wire.buffer.clear()


def _keeps_ehlo(session: Session) -> None:
    session.forget_transaction()
    session.user = None
    session.wire.buffer.clear()


def _keeps_the_transaction(session: Session) -> None:
    kept = session.transaction
    Session.forget_before_tls(session)
    session.transaction = kept


def _keeps_the_user(session: Session) -> None:
    kept = session.user
    Session.forget_before_tls(session)
    session.user = kept


fault("runs inside TLS what came in the clear", "S08", forget_before_tls=_keeps_the_buffer)
fault("keeps everything across STARTTLS", "S08", forget_before_tls=_keeps_everything)
fault("keeps EHLO across STARTTLS", "S08", forget_before_tls=_keeps_ehlo)
fault("keeps the transaction across STARTTLS", "S08", forget_before_tls=_keeps_the_transaction)
fault("keeps the user across STARTTLS", "S08", run=Run.AUTHENTICATED,
      forget_before_tls=_keeps_the_user)  # fmt: skip
fault("keeps the user of a submission across STARTTLS", "S08", run=Run.AUTHENTICATED,
      options={"submission": True}, forget_before_tls=_keeps_the_user)  # fmt: skip


async def _runs_first(session: Session, argument: bytes) -> None:
    session.starttls_in_order()
    session.say(220, "2.0.0", "ready for TLS")
    while session.wire.buffer:
        await session.one_command()
    session.forget_before_tls()
    assert session.options.context is not None
    await session.wire.start_tls(session.options.context)
    session.secure = session.record.secured = True


liberty("answers in the clear what came behind STARTTLS", "S08", do_starttls=_runs_first)

# The command


async def _again(session: Session, argument: bytes) -> None:
    if session.secure:
        session.say(220, "2.0.0", "ready for TLS")
    else:
        await Session.do_starttls(session, argument)


def _offered_again(session: Session, keyword: str) -> bool:
    return keyword == "STARTTLS" or Session.offered(session, keyword)


async def _answers_250(session: Session, argument: bytes) -> None:
    session.starttls_in_order()
    session.say(250, "2.0.0", "ready for TLS")


async def _answers_and_stays(session: Session, argument: bytes) -> None:
    Session.starttls_in_order(session)
    session.say(220, "2.0.0", "ready for TLS")


async def _greets_again(session: Session, argument: bytes) -> None:
    await Session.do_starttls(session, argument)
    await session.greet()


async def _hangs_up(session: Session, argument: bytes) -> None:
    Session.starttls_in_order(session)
    session.say(220, "2.0.0", "ready for TLS")
    raise Ended


weakness("takes STARTTLS with an argument", "S02", starttls_with_argument=nothing)
liberty("refuses STARTTLS with an argument by 550", "S02",
        starttls_with_argument=refuses(550, "5.5.4", "no argument, please"))  # fmt: skip
fault("offers STARTTLS under TLS", "S12", offered=_offered_again)
fault("offers STARTTLS under implicit TLS", "S12", run=Run.SECURED, offered=_offered_again)
fault("takes STARTTLS under TLS", "S19", do_starttls=_again)
fault("answers STARTTLS with 250", "S02", do_starttls=_answers_250)
fault("says 220 to STARTTLS and goes on in the clear", "S19", do_starttls=_answers_and_stays)
weakness("says 220 to STARTTLS and hangs up", "S17", do_starttls=_hangs_up)
fault("greets once more inside TLS", "S08", do_starttls=_greets_again)
fault("refuses STARTTLS with 550", "S02", starttls_in_order=refuses(550, "5.7.0", "not now"))

# TLS required


def _550_behind_mail(session: Session, verb: bytes) -> None:
    if verb in (b"RCPT", b"DATA"):
        raise Refused(550, "5.5.1", "not like this")
    Session.admit_without_tls(session, verb)


def _noop_too(session: Session, verb: bytes) -> None:
    if verb not in (b"EHLO", b"STARTTLS", b"QUIT"):
        raise Refused(530, "5.7.0", "STARTTLS first")


def _other_status(session: Session, verb: bytes) -> None:
    try:
        Session.admit_without_tls(session, verb)
    except Refused as refused:
        raise Refused(530, "5.5.1", refused.text) from None


weakness("refuses RCPT with 550 while TLS is required", "S07",
         options={"requires_tls": True}, admit_without_tls=_550_behind_mail)  # fmt: skip
weakness("wants TLS before NOOP", "S07",
         options={"requires_tls": True}, admit_without_tls=_noop_too)  # fmt: skip
weakness("gives 530 another status code while TLS is required", "S07",
         options={"requires_tls": True}, admit_without_tls=_other_status)  # fmt: skip


def _weak_for_ehlo(session: Session, verb: bytes) -> None:
    if session.secure and verb == b"EHLO":
        raise Refused(554, "5.7.0", "this TLS is too weak")


weakness("refuses EHLO only under TLS that is too weak", "S14", admit=_weak_for_ehlo)

# Other sessions


async def _joins(session: Session) -> None:
    session.shared.setdefault("all", []).append(session)
    await Session.greet(session)


async def _all_fail(session: Session, argument: bytes) -> None:
    try:
        await Session.do_starttls(session, argument)
    except Ended:
        for other in session.shared["all"]:
            other.wire.abort()
        raise


fault("a failed handshake ends every session", "S18", greet=_joins, do_starttls=_all_fail)
