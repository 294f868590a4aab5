"""Faults of SIZE, 8BITMIME, DSN, SMTPUTF8 and REQUIRETLS (RFC 1870, 6152, 3461, 6531, 8689)."""

import re

from fsm_smtp.testing.server.conversation import Refused, Transaction
from fsm_smtp.testing.server.faults.registry import (
    Run,
    fault,
    liberty,
    nothing,
    refuses,
    weakness,
    without,
    yes,
)
from fsm_smtp.testing.server.parameters import Check, Parameters
from fsm_smtp.testing.server.session import Session

Checks = dict[bytes, tuple[bool, Check]]

# SIZE (RFC 1870)


async def _cuts_by_size(session: Session) -> bytes:
    transaction = session.transaction
    declared = transaction.parameters.get(b"SIZE") if transaction else None
    if not declared:
        return await Session.read_content(session)
    return await session.take(int(declared))


def _half(session: Session, content: bytes) -> None:
    declared = session.transaction.parameters.get(b"SIZE") if session.transaction else None
    if declared is not None:
        raise Refused(552, "5.3.4", "too big after all")
    Session.check_content(session, content)


def _digits_do(session: Session, value: bytes | None) -> None:
    if value is not None and value.isdigit() and session.too_big(int(value)):
        session.refuse_size()


def _no_limit_at_mail(session: Session, value: bytes | None) -> None:
    if value is None or not value.isdigit() or len(value) > 20:
        raise Refused(501, "5.5.4", "SIZE is a number of at most 20 digits")


def _nine_digits(session: Session, value: bytes | None) -> None:
    if value is None or not value.isdigit() or len(value) > 9:
        raise Refused(501, "5.5.4", "SIZE is a number of at most 9 digits")
    Session.check_size(session, value)


def _with_code(code: int) -> object:
    def check_size(session: Session, value: bytes | None) -> None:
        try:
            Session.check_size(session, value)
        except Refused as refused:
            if refused.code != 552:
                raise
            raise Refused(code, f"{code // 100}.3.4", refused.text) from None

    return check_size


def _a_megabyte_at_most(session: Session, octets: int) -> bool:
    return octets > 1_000_000


fault("uses SIZE= to find the end of data", "Z03", read_content=_cuts_by_size)
weakness("refuses a message that has the declared size", "Z04", check_content=_half)
liberty("takes any value of SIZE=", "R095", check_size=_digits_do)
weakness("takes SIZE= above the limit that it offers", "Z01", check_size=_no_limit_at_mail)
fault("refuses SIZE= above the limit with 501", "Z01", check_size=_with_code(501))
fault("takes nine digits of SIZE= only", "Z01", check_size=_nine_digits)
weakness("takes a message above the limit that it offers", "Z01", refuse_size=nothing)
fault("refuses large messages in spite of SIZE 0", "Z01", options={"size": 0},
      too_big=_a_megabyte_at_most)  # fmt: skip
fault("takes a parameter twice", "D07", repeated_parameter=nothing)


def _no_value_of_size(session: Session, octets: bytes, checks: Checks) -> Parameters:
    return Session.parameters(session, re.sub(rb"SIZE=(?= |\Z)", b"", octets), checks)


liberty("takes SIZE= without a value", "R095", parameters=_no_value_of_size)

# 8BITMIME (RFC 6152)


def _seven_bits(session: Session, content: bytes) -> None:
    Session.check_content(session, content)
    if not content.isascii():
        raise Refused(554, "5.6.1", "eight bits are too many")


fault("refuses content of BODY=8BITMIME", "B03", check_content=_seven_bits)
weakness("takes any value of BODY=", "R077", check_body=nothing)
weakness("takes BODY=BINARYMIME without offering it", "R077",
         options={"extensions": without("BINARYMIME")}, check_body=nothing)  # fmt: skip


def _no_7bit(session: Session, value: bytes | None) -> None:
    if (value or b"").upper() == b"7BIT":
        raise Refused(501, "5.5.4", "why say so?")
    Session.check_body(session, value)


def _upper_case_only(session: Session, value: bytes | None) -> None:
    if value is not None and value != value.upper():
        raise Refused(501, "5.5.4", "a BODY that is not known here")
    Session.check_body(session, value)


fault("refuses BODY=7BIT", "B03", check_body=_no_7bit)
fault("wants the value of BODY= in upper case", "R003", check_body=_upper_case_only)

# DSN (RFC 3461)

fault("takes any value of RET=", "D07", check_ret=nothing)
fault("takes any value of ENVID=", "D07", check_envid=nothing)
weakness("takes any value of NOTIFY=", "D07", check_notify=nothing)
weakness("takes any value of ORCPT=", "D07", check_orcpt=nothing)


def _no_never(session: Session, value: bytes | None) -> None:
    if (value or b"").upper() == b"NEVER":
        raise Refused(501, "5.5.4", "never say never")
    Session.check_notify(session, value)


def _no_lists(session: Session, value: bytes | None) -> None:
    if b"," in (value or b""):
        raise Refused(501, "5.5.4", "one word, please")
    Session.check_notify(session, value)


fault("refuses NOTIFY=NEVER", "D06", check_notify=_no_never)
fault("refuses a list behind NOTIFY=", "D06", check_notify=_no_lists)
fault("refuses RET=HDRS", "D06", check_ret=refuses(501, "5.5.4", "FULL only"))
fault("refuses ENVID=", "D06", check_envid=refuses(501, "5.5.4", "no names"))
fault("refuses ORCPT=", "D06", check_orcpt=refuses(501, "5.5.4", "no originals"))

# SMTPUTF8 (RFC 6531)

weakness("takes UTF-8 addresses without SMTPUTF8", "U06",
         refuse_utf8_sender=nothing, refuse_utf8_recipient=nothing)  # fmt: skip
weakness("takes UTF-8 recipients without SMTPUTF8", "U06",
         refuse_utf8_recipient=nothing, is_known=yes)  # fmt: skip
liberty("refuses a UTF-8 recipient without SMTPUTF8 by 501", "U06",
        refuse_utf8_recipient=refuses(501, "5.6.7", "this address needs SMTPUTF8"))  # fmt: skip
liberty("refuses a UTF-8 sender without SMTPUTF8 by 501", "U06",
        refuse_utf8_sender=refuses(501, "5.6.7", "this address needs SMTPUTF8"))  # fmt: skip
weakness("gives the refusal of a UTF-8 path another status code", "U06",
         refuse_utf8_sender=refuses(550, "5.1.3", "this address needs SMTPUTF8"),
         refuse_utf8_recipient=refuses(553, "5.1.3", "this address needs SMTPUTF8"))  # fmt: skip


def _any_flag(session: Session, value: bytes | None) -> None:
    """With a value or without."""


def _ascii_sender(session: Session, path: bytes, parameters: Parameters) -> None:
    if not path.isascii():
        raise Refused(501, "5.1.7", "no UTF-8 here")
    Session.check_sender(session, path, parameters)


def _ascii_recipient(session: Session, path: bytes, transaction: Transaction) -> None:
    if not path.isascii():
        raise Refused(501, "5.1.3", "no UTF-8 here")
    Session.check_recipient(session, path, transaction)


fault("takes SMTPUTF8 with a value", "U10", check_no_value=_any_flag)
fault("refuses UTF-8 senders in spite of SMTPUTF8", "U11", check_sender=_ascii_sender)
fault("refuses UTF-8 recipients in spite of SMTPUTF8", "U11", check_recipient=_ascii_recipient)


def _ascii_header(session: Session, content: bytes) -> None:
    Session.check_content(session, content)
    if not content.partition(b"\r\n\r\n")[0].isascii():
        raise Refused(500, "5.6.0", "a header is ASCII")


def _keeps_smtputf8(session: Session, path: bytes, parameters: Parameters) -> None:
    if b"SMTPUTF8" in parameters:
        session.memory["utf8"] = True
    elif session.memory.get("utf8"):
        parameters[b"SMTPUTF8"] = None
    Session.check_sender(session, path, parameters)


fault("refuses UTF-8 in a header in spite of SMTPUTF8", "U09", check_content=_ascii_header)
weakness("keeps SMTPUTF8 for the next message", "U06",
         check_sender=_keeps_smtputf8, is_known=yes)  # fmt: skip


async def _quotes_all(session: Session, line: bytes) -> None:
    session.memory["line"] = line
    await Session.dispatch(session, line)


def _quoting(session: Session, code: int, status: str, texts: tuple[str, ...]) -> bytes:
    line = session.memory.pop("line", b"")
    octets = Session.reply(session, code, status, texts)
    if line[:4].upper() == b"EHLO" and code == 250:
        return octets
    return octets[:-2] + b" (" + line[:60] + b")\r\n" if not line.isascii() else octets


fault("quotes what it refuses, UTF-8 and all", "U12", dispatch=_quotes_all, reply=_quoting)

# REQUIRETLS (RFC 8689)


def _offers_in_clear(session: Session, keyword: str) -> bool:
    return keyword == "REQUIRETLS" or Session.offered(session, keyword)


fault("takes REQUIRETLS with a value", "T02", run=Run.SECURED, check_no_value=_any_flag)
liberty("offers REQUIRETLS in the clear", "T06", offered=_offers_in_clear)


def _not_beside_the_field(session: Session, content: bytes) -> None:
    Session.check_content(session, content)
    if b"TLS-Required: No" in content:
        raise Refused(550, "5.7.1", "what do you want?")


def _not_beside_full(session: Session, octets: bytes) -> Parameters:
    found = Session.mail_parameters(session, octets)
    if b"REQUIRETLS" in found and (found.get(b"RET") or b"").upper() == b"FULL":
        raise Refused(501, "5.5.4", "RET=FULL and REQUIRETLS exclude each other")
    return found


fault("refuses a message with TLS-Required beside REQUIRETLS", "T08", run=Run.SECURED,
      check_content=_not_beside_the_field)  # fmt: skip
fault("refuses RET=FULL beside REQUIRETLS", "T09", run=Run.SECURED,
      mail_parameters=_not_beside_full)  # fmt: skip

# Which parameter belongs where


def _mails_own(session: Session) -> Checks:
    return Session.mail_checks(session) | Session.rcpt_checks(session)


def _rcpts_own(session: Session) -> Checks:
    return Session.rcpt_checks(session) | Session.mail_checks(session)


def _in_capitals(session: Session, octets: bytes, checks: Checks) -> Parameters:
    if any(word != word.upper() for word in re.findall(rb"(?:^| )([^ =]+)", octets)):
        session.unknown_parameter()
    return Session.parameters(session, octets, checks)


def _equals_sign(session: Session, octets: bytes, checks: Checks) -> Parameters:
    encoded = re.sub(rb"(=[^ =]+)=", rb"\1+3D", octets)
    return Session.parameters(session, encoded, checks)


fault("takes the parameters of RCPT at MAIL", "D10", mail_checks=_mails_own)
fault("takes the parameters of MAIL at RCPT", "D10", rcpt_checks=_rcpts_own)
fault("takes SMTPUTF8 at RCPT", "U10", rcpt_checks=_rcpts_own)
fault("takes REQUIRETLS at RCPT", "T02", run=Run.SECURED, rcpt_checks=_rcpts_own)
fault("wants parameters in upper case", "R003", parameters=_in_capitals)
fault("wants REQUIRETLS in upper case", "R003", run=Run.SECURED, parameters=_in_capitals)
fault("takes an equals sign inside a value", "D07", parameters=_equals_sign)


def _anybody_with_notify(session: Session, octets: bytes) -> Parameters:
    found = Session.rcpt_parameters(session, octets)
    session.memory["notify"] = b"NOTIFY" in found
    return found


def _or_with_notify(session: Session, local_part: bytes) -> bool:
    return bool(session.memory.get("notify")) or Session.is_known(session, local_part)


fault("takes any recipient that has NOTIFY=", "D06",
      rcpt_parameters=_anybody_with_notify, is_known=_or_with_notify)  # fmt: skip
