"""Faults of SIZE, 8BITMIME, DSN, SMTPUTF8 and REQUIRETLS (RFC 1870, 6152, 3461, 6531, 8689)."""

from fsm_smtp.testing.server.conversation import Refused, Transaction
from fsm_smtp.testing.server.faults.registry import Run, fault, nothing, refuses, weakness
from fsm_smtp.testing.server.parameters import Parameters
from fsm_smtp.testing.server.session import Session

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


fault("uses SIZE= to find the end of data", "Z03", read_content=_cuts_by_size)
weakness("refuses a message that has the declared size", "Z04", check_content=_half)
fault("takes any value of SIZE=", "Z05", check_size=_digits_do)
fault("takes SIZE= above the limit that it offers", "Z01", check_size=_no_limit_at_mail)
fault("refuses SIZE= above the limit with 501", "Z01", check_size=_with_code(501))
fault("takes nine digits of SIZE= only", "Z05", check_size=_nine_digits)
fault("takes a message above the limit that it offers", "Z01", refuse_size=nothing)
fault("takes a parameter twice", "D07", repeated_parameter=nothing)

# 8BITMIME (RFC 6152)


def _seven_bits(session: Session, content: bytes) -> None:
    Session.check_content(session, content)
    if not content.isascii():
        raise Refused(554, "5.6.1", "eight bits are too many")


fault("refuses content of BODY=8BITMIME", "B03", check_content=_seven_bits)
fault("takes any value of BODY=", "B02", check_body=nothing)


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

fault("takes UTF-8 addresses without SMTPUTF8", "U06",
      refuse_utf8_sender=nothing, refuse_utf8_recipient=nothing)  # fmt: skip
fault("refuses a UTF-8 recipient without SMTPUTF8 by 501", "U06",
      refuse_utf8_recipient=refuses(501, "5.6.7", "this address needs SMTPUTF8"))  # fmt: skip
fault("refuses a UTF-8 sender without SMTPUTF8 by 501", "U06",
      refuse_utf8_sender=refuses(501, "5.6.7", "this address needs SMTPUTF8"))  # fmt: skip


def _any_flag(session: Session, value: bytes | None) -> None:
    """With a value or without."""


def _ascii_sender(session: Session, path: bytes, parameters: Parameters) -> None:
    if not path.isascii():
        raise Refused(553, "5.6.7", "no UTF-8 here")
    Session.check_sender(session, path, parameters)


def _ascii_recipient(session: Session, path: bytes, transaction: Transaction) -> None:
    if not path.isascii():
        raise Refused(553, "5.6.7", "no UTF-8 here")
    Session.check_recipient(session, path, transaction)


fault("takes SMTPUTF8 with a value", "U04", check_no_value=_any_flag)
fault("refuses UTF-8 senders in spite of SMTPUTF8", "U06", check_sender=_ascii_sender)
fault("refuses UTF-8 recipients in spite of SMTPUTF8", "U06", check_recipient=_ascii_recipient)

# REQUIRETLS (RFC 8689)


def _offers_in_clear(session: Session, keyword: str) -> bool:
    return keyword == "REQUIRETLS" or Session.offered(session, keyword)


fault("takes REQUIRETLS with a value", "T02", run=Run.SECURED, check_no_value=_any_flag)
fault("offers REQUIRETLS in the clear", "T02", offered=_offers_in_clear)
