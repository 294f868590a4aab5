"""Faults of AUTH (RFC 4954); they show where a check brings credentials."""

import base64
import binascii
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from fsm_smtp.testing.server.conversation import Refused
from fsm_smtp.testing.server.faults import registry
from fsm_smtp.testing.server.faults.registry import Run, but_for, nothing, refuses
from fsm_smtp.testing.server.parameters import Parameters
from fsm_smtp.testing.server.session import Session
from fsm_smtp.testing.server.wire import Ended

fault = partial(registry.fault, run=Run.SECURED)
weakness: Any = partial(registry.weakness, run=Run.SECURED)
liberty: Any = partial(registry.liberty, run=Run.SECURED)

# Order


fault("takes a second AUTH", "A01", out_of_order=but_for("auth-again"))
fault("refuses a second AUTH with 535", "A01",
      out_of_order=but_for("auth-again", refuses(535, "5.5.1", "once is enough")))  # fmt: skip
fault("takes AUTH in a transaction", "A02", out_of_order=but_for("auth-in-transaction"))
fault("AUTH in a transaction resets it", "R096",
      out_of_order=but_for("auth-in-transaction", Session.forget_transaction))  # fmt: skip


async def _refuse_and_close(session: Session, argument: bytes) -> None:
    try:
        await Session.do_auth(session, argument)
    except Refused as refused:
        if refused.code != 535:
            raise
        Session.refuse(session, refused)
        raise Ended from None


weakness("closes after one wrong password", "A21", do_auth=_refuse_and_close)

# Mechanisms and codes

weakness("refuses an unknown mechanism with 535", "A03", refuse_mechanism=refuses(
    535, "5.7.8", "not this mechanism"))  # fmt: skip
fault("takes an unknown mechanism for PLAIN", "A03", refuse_mechanism=nothing)
weakness("refuses a wrong password with 550", "A13", refuse_credentials=refuses(550, "5.7.8", "no"))
fault("takes every password", "A13", refuse_credentials=nothing)


def _250(session: Session, code: int, status: str, texts: tuple[str, ...]) -> bytes:
    return Session.reply(session, 250 if code == 235 else code, status, texts)


fault("answers a successful AUTH with 250", "A13", reply=_250)

# Challenges


def _text_challenge(session: Session, code: int, status: str, texts: tuple[str, ...]) -> bytes:
    return Session.reply(session, code, status, ("go on: say it!",) if code == 334 else texts)


def _bare_challenge(session: Session, code: int, status: str, texts: tuple[str, ...]) -> bytes:
    octets = Session.reply(session, code, status, texts)
    return b"334\r\n" if octets == b"334 \r\n" else octets


def _coded_challenge(session: Session, code: int, status: str, texts: tuple[str, ...]) -> bytes:
    return Session.reply(session, code, status or ("3.0.0" if code == 334 else ""), texts)


fault("asks with text that is no base64", "A04", reply=_text_challenge)
fault("asks with a code and no space", "A06", reply=_bare_challenge)
fault("gives 334 a status code", "A04", reply=_coded_challenge)

# Responses


async def _deaf_to_cancel(session: Session, encoded: str) -> bytes:
    while True:
        session.say(334, "", encoded)
        line = await session.line(session.AUTH_LINE)
        if line != b"*":
            return session.decoded(line)


fault("refuses a cancelled AUTH with 535", "A05", refuse_cancelled=refuses(535, "5.7.0", "no"))
fault("does not let AUTH be cancelled", "A05", challenge=_deaf_to_cancel)


def _lax(session: Session, encoded: bytes) -> bytes:
    try:
        return base64.b64decode(re.sub(rb"[^A-Za-z0-9+/=]", b"", encoded))
    except binascii.Error:
        raise Refused(501, "5.5.2", "this is no base64") from None


def _wrong_code(session: Session, encoded: bytes) -> bytes:
    try:
        return Session.decoded(session, encoded)
    except Refused:
        raise Refused(535, "5.7.8", "not with these credentials") from None


def _closes(session: Session, encoded: bytes) -> bytes:
    try:
        return Session.decoded(session, encoded)
    except Refused:
        raise Ended from None


def _up_to_the_pad(session: Session, encoded: bytes) -> bytes:
    letters = encoded.split(b"=")[0]
    return Session.decoded(session, letters + b"=" * (-len(letters) % 4))


fault("ignores what is no base64", "A10", decoded=_lax)
fault("takes a pad in the middle for the end", "A10", decoded=_up_to_the_pad)
fault("answers what is no base64 with 535", "A10", decoded=_wrong_code)
fault("closes at what is no base64", "A10", decoded=_closes)


async def _login_bears_it(session: Session, initial: bytes | None) -> None:
    user = session.decoded(initial) if initial else await session.challenge("VXNlcm5hbWU6")
    session.check_password(user, await session.challenge("UGFzc3dvcmQ6"))


async def _no_initial(session: Session, initial: bytes | None) -> None:
    if initial is not None:
        raise Refused(501, "5.7.0", "no initial response, please")
    await Session.plain(session, None)


async def _cram_bears_it(session: Session, initial: bytes | None) -> None:
    await Session.cram_md5(session, None)


fault("takes an initial response where the server speaks first", "A09", cram_md5=_cram_bears_it)
liberty("takes an initial response of LOGIN", "A09", login=_login_bears_it)
fault("refuses an initial response of PLAIN", "A25", plain=_no_initial)
fault("takes lines of 512 octets only in AUTH", "A12", AUTH_LINE=512)


async def _long_is_501(session: Session, encoded: str) -> bytes:
    try:
        return await Session.challenge(session, encoded)
    except Refused as refused:
        raise Refused(501 if refused.code == 500 else refused.code, "5.5.2", "no") from None


liberty("refuses a line that is too long for AUTH with 501", "A12", challenge=_long_is_501)

# What EHLO offers


def _under_tls_only(session: Session, mechanism: bytes) -> Callable[..., Any]:
    if not session.secure:
        raise Refused(538, "5.7.11", "not without TLS")
    return Session.exchange(session, mechanism)


def _offered_under_tls(session: Session, keyword: str) -> bool:
    return Session.offered(session, keyword) and (keyword != "AUTH" or session.secure)


registry.weakness("offers mechanisms in the clear that wait for TLS", "A31",
                  options={"auth_in_clear": True}, exchange=_under_tls_only)  # fmt: skip
registry.weakness("takes passwords in the clear where it does not list AUTH", "A17",
                  options={"auth_in_clear": True}, offered=_offered_under_tls)  # fmt: skip
registry.liberty("offers AUTH PLAIN in the clear", "I03", options={"auth_in_clear": True})


def _only_authenticated(session: Session, value: bytes | None) -> None:
    if session.user is None:
        raise Refused(555, "5.5.4", "AUTH= is for the authenticated")
    Session.check_auth(session, value)


fault("knows AUTH= for the authenticated only", "A18", check_auth=_only_authenticated)
liberty("takes any value of AUTH=", "A30", check_auth=nothing)


# What a session remembers


def _rset_forgets(session: Session) -> None:
    session.forget_transaction()
    session.user = None


async def _once_only(session: Session, argument: bytes) -> None:
    if session.memory.get("failed"):
        raise Refused(503, "5.5.1", "you had your chance")
    try:
        await Session.do_auth(session, argument)
    except Refused:
        session.memory["failed"] = True
        raise


fault("RSET ends the authentication", "A01", forget_by_rset=_rset_forgets)
fault("EHLO ends the authentication", "A01", forget_by_hello=_rset_forgets)
fault("gives one try to authenticate", "A28", do_auth=_once_only)

# Arguments, and lines of the exchange


async def _plain_by_default(session: Session, argument: bytes) -> None:
    await Session.do_auth(session, argument or b"PLAIN")


async def _one_or_none(session: Session, argument: bytes) -> None:
    words = argument.split()
    await Session.do_auth(session, words[0] if len(words) > 2 else argument)


def _nothing_is_none(session: Session, initial: bytes) -> bytes:
    if initial == b"=":
        session.say(334, "", "")
        raise _Aside
    return Session.decoded_initial(session, initial)


class _Aside(Exception):
    """The exchange is over, and everything is said."""


async def _with_asides(session: Session, argument: bytes) -> None:
    try:
        await Session.do_auth(session, argument)
    except _Aside:
        return


async def _commands_too(session: Session, encoded: str) -> bytes:
    session.say(334, "", encoded)
    line = await session.line(session.AUTH_LINE)
    if line.split(b" ")[0].upper() in session.COMMANDS:
        await session.dispatch(line)
        raise _Aside
    session.wire.buffer[:0] = line + b"\r\n"
    return await _unasked(session)


async def _unasked(session: Session) -> bytes:
    line = await session.line(session.AUTH_LINE)
    if line == b"*":
        session.refuse_cancelled()
    return session.decoded(line)


async def _asks_again(session: Session, encoded: str) -> bytes:
    session.say(334, "", encoded)
    while not session.wire.buffer or session.wire.buffer.startswith(b"\r\n"):
        if session.wire.buffer:
            del session.wire.buffer[:2]
            session.say(334, "", encoded)
        await session.more()
    return await _unasked(session)


async def _tail_is_a_command(session: Session, encoded: str) -> bytes:
    session.say(334, "", encoded)
    line = await session.line(1 << 20)
    if len(line) > 4096:
        session.wire.buffer[:0] = line[4096:] + b"\r\n"
    return session.decoded(line[:4096])


fault("takes AUTH without a mechanism for PLAIN", "A25", do_auth=_plain_by_default)
fault("takes two initial responses for none", "A25", do_auth=_one_or_none)
fault("takes = for no initial response", "A27",
      decoded_initial=_nothing_is_none, do_auth=_with_asides)  # fmt: skip
registry.fault("takes commands inside the AUTH exchange", "A25", run=Run.AUTHENTICATED,
               challenge=_commands_too, do_auth=_with_asides)  # fmt: skip
fault("asks again at an empty response", "A25", challenge=_asks_again)
fault("takes the tail of a long response for a command", "A12", challenge=_tail_is_a_command)


def _anonymous(session: Session, user: bytes, password: bytes) -> None:
    if user or password:
        Session.check_password(session, user, password)


fault("takes an empty user name", "A23", check_password=_anonymous)


def _upper_case_only(session: Session, verb: bytes) -> bytes:
    return verb if verb.upper() == b"AUTH" else verb.upper()


fault("wants AUTH in upper case", "R003", folded=_upper_case_only)


async def _flushes_behind_rset(session: Session, argument: bytes) -> None:
    await Session.do_rset(session, argument)
    session.wire.buffer.clear()


async def _flushes_behind_auth(session: Session, argument: bytes) -> None:
    await Session.do_auth(session, argument)
    session.wire.buffer.clear()


fault("throws away AUTH behind RSET", "P12", do_rset=_flushes_behind_rset)
fault("throws away what follows AUTH", "A26", do_auth=_flushes_behind_auth)

# The parameter of MAIL, and the keyword


def _nobody_only(session: Session, value: bytes | None) -> None:
    if value != b"<>":
        raise Refused(501, "5.5.4", "AUTH=<>, please")


def _lower_case_is_unknown(session: Session, octets: bytes) -> Parameters:
    if re.search(rb"(?:^| )(?:a[uU]|A?u)[A-Za-z]*=", octets):
        session.unknown_parameter()
    return Session.mail_parameters(session, octets)


def _short_mail(session: Session, verb: bytes) -> int:
    return min(Session.limit_of(session, verb), 512)


def _no_mechanism(session: Session) -> str:
    return ""


def _with_text(session: Session) -> str:
    return "PLAIN, LOGIN"


fault("takes AUTH=<> only", "A18", check_auth=_nobody_only)
fault("wants AUTH= in upper case", "R003", mail_parameters=_lower_case_is_unknown)
fault("does not lengthen MAIL for AUTH=", "A19", limit_of=_short_mail)
fault("lists AUTH with no mechanism", "A22", mechanisms=_no_mechanism)
fault("lists mechanisms with commas", "A22", mechanisms=_with_text)

# Status codes (RFC 4954 §6)


def _other_status(code: int, wrong: str) -> dict[str, object]:
    def reply(session: Session, said: int, status: str, texts: tuple[str, ...]) -> bytes:
        return Session.reply(session, said, wrong if said == code else status, texts)

    return {"reply": reply}


for _code, _status in ((235, "2.0.0"), (535, "5.0.0"), (504, "5.0.0"), (501, "5.0.0")):
    weakness(f"gives {_code} another status code", "A24", hooks=_other_status(_code, _status))
