"""Faults of AUTH (RFC 4954); they show where a check brings credentials."""

import base64
import binascii
import re
from functools import partial
from typing import Any

from fsm_smtp.testing.server.conversation import Refused
from fsm_smtp.testing.server.faults import registry
from fsm_smtp.testing.server.faults.registry import Run, but_for, nothing, refuses
from fsm_smtp.testing.server.session import Session
from fsm_smtp.testing.server.wire import Ended

fault = partial(registry.fault, run=Run.SECURED)
weakness: Any = partial(registry.weakness, run=Run.SECURED)

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

fault("refuses an unknown mechanism with 535", "A03", refuse_mechanism=refuses(
    535, "5.7.8", "not this mechanism"))  # fmt: skip
fault("takes an unknown mechanism for PLAIN", "A03", refuse_mechanism=nothing)
weakness("refuses a wrong password with 550", "A13", refuse_credentials=refuses(550, "5.7.8", "no"))
fault("takes every password", "A13", refuse_credentials=nothing)


def _250(session: Session, code: int, status: str, texts: tuple[str, ...]) -> bytes:
    return Session.reply(session, 250 if code == 235 else code, status, texts)


fault("answers a successful AUTH with 250", "R123", reply=_250)

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
fault("takes = for base64", "A10", decoded_initial=Session.decoded)


async def _login_bears_it(session: Session, initial: bytes | None) -> None:
    user = session.decoded(initial) if initial else await session.challenge("VXNlcm5hbWU6")
    session.check_password(user, await session.challenge("UGFzc3dvcmQ6"))


async def _no_initial(session: Session, initial: bytes | None) -> None:
    if initial is not None:
        raise Refused(501, "5.7.0", "no initial response, please")
    await Session.plain(session, None)


fault("takes an initial response where the server speaks first", "A09", login=_login_bears_it)
fault("refuses an initial response of PLAIN", "A03", plain=_no_initial)
fault("takes lines of 512 octets only in AUTH", "A12", AUTH_LINE=512)


async def _long_is_501(session: Session, encoded: str) -> bytes:
    try:
        return await Session.challenge(session, encoded)
    except Refused as refused:
        raise Refused(501 if refused.code == 500 else refused.code, "5.5.2", "no") from None


fault("refuses a line that is too long for AUTH with 501", "A12", challenge=_long_is_501)

# What EHLO offers


registry.weakness("offers AUTH PLAIN in the clear", "I03", options={"auth_in_clear": True})


def _only_authenticated(session: Session, value: bytes | None) -> None:
    if session.user is None:
        raise Refused(555, "5.5.4", "AUTH= is for the authenticated")
    Session.check_auth(session, value)


fault("knows AUTH= for the authenticated only", "A18", check_auth=_only_authenticated)
fault("takes any value of AUTH=", "A18", check_auth=nothing)
