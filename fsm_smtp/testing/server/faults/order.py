"""Faults in the order of commands, and in what they clear (RFC 5321 §3.3, §4.1.1, §4.1.4)."""

from fsm_smtp.testing.server.conversation import Refused, Transaction
from fsm_smtp.testing.server.faults.registry import (
    and_then,
    answers,
    but_for,
    fault,
    nothing,
    refuses,
    weakness,
    when_refused,
)
from fsm_smtp.testing.server.parameters import Parameters
from fsm_smtp.testing.server.session import Session
from fsm_smtp.testing.server.wire import Ended


def _code_instead(code: int) -> object:
    async def do_rcpt(session: Session, argument: bytes) -> None:
        if session.transaction is None:
            raise Refused(code, f"{code // 100}.5.1", "MAIL first")
        await Session.do_rcpt(session, argument)

    return do_rcpt


fault("takes RCPT without MAIL", "R019", out_of_order=but_for("rcpt-without-mail"))
fault("answers RCPT without MAIL with 550", "R019", do_rcpt=_code_instead(550))
fault("takes DATA without MAIL", "R020", out_of_order=but_for("data-without-mail"))


fault("takes DATA without recipients", "R020", out_of_order=but_for("data-without-recipient"))


async def _counts_refused(session: Session, argument: bytes) -> None:
    try:
        await Session.do_rcpt(session, argument)
    except Refused as refused:
        if refused.code == 550:
            session.memory["tried"] = True
        raise


def _tried_is_enough(session: Session) -> Transaction:
    if session.transaction is not None and session.memory.pop("tried", False):
        return session.transaction
    return Session.data_in_order(session)


fault("takes DATA after refused recipients only", "R020",
      do_rcpt=_counts_refused, data_in_order=_tried_is_enough)  # fmt: skip

# MAIL


def _keeps_recipients(session: Session, sender: bytes, parameters: Parameters) -> None:
    recipients = session.transaction.recipients if session.transaction else []
    session.transaction = Transaction(sender, parameters, recipients)


fault(
    "a nested MAIL keeps the recipients",
    "R096",
    out_of_order=but_for("mail-nested"),
    begin=_keeps_recipients,
)


def _recalls(session: Session, sender: bytes, parameters: Parameters) -> None:
    session.transaction = Transaction(sender, parameters, session.memory.get("recipients", []))
    session.memory["recipients"] = session.transaction.recipients


fault("MAIL keeps the recipients of the transaction before", "R023", begin=_recalls)


async def _refused_and_taken(session: Session, argument: bytes) -> None:
    try:
        await Session.do_mail(session, argument)
    except Refused:
        if session.transaction is None:
            session.begin(b"", {})
        raise


async def _refused_and_poisoned(session: Session, argument: bytes) -> None:
    if session.memory.get("refused"):
        raise Refused(503, "5.5.1", "RSET first")
    try:
        await Session.do_mail(session, argument)
    except Refused:
        session.memory["refused"] = True
        raise


def _once(session: Session) -> None:
    if session.memory.get("delivered"):
        raise Refused(503, "5.5.1", "one message a session")
    Session.mail_in_order(session)


def _note(session: Session) -> None:
    session.memory["delivered"] = True
    session.forget_transaction()


fault("a refused MAIL is taken", "R095", do_mail=_refused_and_taken)
fault("a refused MAIL makes the next one fail", "R095", do_mail=_refused_and_poisoned)
fault("one transaction only", "R099", mail_in_order=_once, forget_after_content=_note)
fault("answers a refused MAIL with 354", "R022",
      path_behind=refuses(354, "", "go on"))  # fmt: skip
fault("does not know MAIL", "R125", do_mail=answers(500, "5.5.2", "not recognised"))

# RCPT and DATA


def _drop_recipients(session: Session) -> None:
    if session.transaction is not None:
        session.transaction.recipients.clear()


fault("a refused RCPT drops the others", "R053", do_rcpt=when_refused("do_rcpt", _drop_recipients))
fault("a refused RCPT ends the transaction", "R053",
      do_rcpt=when_refused("do_rcpt", Session.forget_transaction))  # fmt: skip
fault("a refused DATA resets", "R096", do_data=when_refused("do_data", Session.forget_transaction))
fault("answers RCPT with 354", "R123", do_rcpt=answers(354, "", "go on"))
fault("answers DATA with 250", "R123", do_data=answers(250, "2.0.0", "go on"))

# What ends a transaction


def _keeps(session: Session) -> None:
    """Nothing is cleared."""


def _keeps_the_sender(session: Session) -> None:
    if session.transaction is not None:
        session.begin(session.transaction.sender, session.transaction.parameters)


def _drops_the_sender(session: Session) -> None:
    session.memory["recipients"] = session.transaction.recipients if session.transaction else []
    session.forget_transaction()


fault("RSET forgets nothing", "R063", forget_by_rset=_keeps)
fault("RSET keeps the sender", "R063", forget_by_rset=_keeps_the_sender)
fault("RSET keeps the recipients", "R063", forget_by_rset=_drops_the_sender, begin=_recalls)
fault("the end of data clears nothing", "R060", forget_after_content=_keeps)
fault("the end of data keeps the sender", "R060", forget_after_content=_keeps_the_sender)

# RSET


async def _wants_ehlo(session: Session, argument: bytes) -> None:
    if session.greeted is None:
        raise Refused(503, "5.5.1", "EHLO first")
    await Session.do_rset(session, argument)


async def _closes(session: Session, argument: bytes) -> None:
    raise Ended


async def _closes_at_the_third(session: Session, argument: bytes) -> None:
    session.memory["resets"] = session.memory.get("resets", 0) + 1
    if session.memory["resets"] == 3:
        raise Ended
    await Session.do_rset(session, argument)


def _forget_hello(session: Session) -> None:
    session.forget_session()


weakness("refuses RSET before EHLO", "R065", do_rset=_wants_ehlo)
fault("RSET closes", "R064", do_rset=_closes)
fault("a third RSET closes", "R064", do_rset=_closes_at_the_third)
fault("RSET forgets EHLO", "R065", do_rset=and_then("do_rset", _forget_hello))
fault("does not know RSET", "R062", do_rset=answers(502, "5.5.1", "not here"))
weakness("takes RSET with an argument", "R039", no_argument=nothing)
weakness("takes DATA with an argument", "R039", data_with_argument=nothing)
