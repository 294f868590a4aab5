"""Faults in the greeting, EHLO and HELO (RFC 5321 §3.1, §3.2, §4.1.1.1, §4.1.4)."""

import asyncio

from fsm_smtp.testing.server.conversation import Refused
from fsm_smtp.testing.server.faults.registry import (
    Run,
    answers,
    fault,
    liberty,
    nothing,
    weakness,
    when_refused,
)
from fsm_smtp.testing.server.options import NAME
from fsm_smtp.testing.server.session import Session
from fsm_smtp.testing.server.wire import Ended

#: A server that refuses the whole session.
REFUSING = {"greeting": 554}


async def _unnamed(session: Session) -> None:
    session.say(220, "", "*** ready")


async def _loud(session: Session) -> None:
    session.say(220, "", f"{NAME} [bold red]loud[/] \x1b[31mred\x07")


async def _late(session: Session) -> None:
    await asyncio.sleep(30)


async def _refuse_and_close(session: Session) -> None:
    session.say(554, "", f"{NAME} no SMTP service here")
    raise Ended


fault("greets without a name", "R114", greet=_unnamed)
weakness("greets with markup and controls", "R109", greet=_loud)
fault("is silent at first", "R012", unreachable=True, greet=_late)
fault("refuses the session and closes", "R014", options=REFUSING, greet=_refuse_and_close)
weakness("serves behind a 554 greeting", "R015", options=REFUSING, admit=nothing)


def _not_even_quit(session: Session, verb: bytes) -> None:
    raise Refused(503, "5.5.1", "no SMTP service here")


fault("refuses QUIT behind a 554 greeting", "R014", options=REFUSING, admit=_not_even_quit)


async def _helo_with_extensions(session: Session, argument: bytes) -> None:
    session.greeted = "HELO"
    session.forget_by_hello()
    session.say(250, "", NAME, "PIPELINING", "SIZE 1000")


def _twice(session: Session) -> None:
    if session.greeted is not None:
        raise Refused(503, "5.5.1", "again?")


async def _once(session: Session, argument: bytes) -> None:
    _twice(session)
    await Session.do_ehlo(session, argument)


def _forget_hello(session: Session) -> None:
    session.forget_session()


fault("lists extensions to HELO", "R016", do_helo=_helo_with_extensions)
fault("does not know HELO", "R042", do_helo=answers(500, "", "not recognised"))
fault("refuses a second EHLO", "R090", do_ehlo=_once)
fault("a refused EHLO resets", "R091", do_ehlo=when_refused("do_ehlo", Session.forget_transaction))
fault("a refused EHLO ends the session that was open", "R091",
      do_ehlo=when_refused("do_ehlo", _forget_hello))  # fmt: skip


async def _helo_keeps(session: Session, argument: bytes) -> None:
    kept = session.transaction
    await Session.do_helo(session, argument)
    session.transaction = kept


async def _ehlo_keeps(session: Session, argument: bytes) -> None:
    kept = session.transaction
    await Session.do_ehlo(session, argument)
    session.transaction = kept


async def _ehlo_keeps_the_sender(session: Session, argument: bytes) -> None:
    kept = session.transaction
    await Session.do_ehlo(session, argument)
    if kept is not None:
        session.begin(kept.sender, kept.parameters)


fault("HELO forgets nothing", "R043", do_helo=_helo_keeps)
fault("EHLO forgets nothing", "R043", do_ehlo=_ehlo_keeps)
fault("EHLO keeps the sender", "R090", do_ehlo=_ehlo_keeps_the_sender)


def _no_literal(session: Session, argument: bytes) -> bytes:
    if argument.startswith(b"["):
        raise Refused(501, "", "no address literals, please")
    return Session.host_name(session, argument)


def _any_name(session: Session, argument: bytes) -> bytes:
    if not argument:
        raise Refused(501, "", "a name, please")
    return argument


def _any_utf8_name(session: Session, argument: bytes) -> bytes:
    return Session.host_name(session, argument) if argument.isascii() else argument


fault("refuses an address literal in EHLO", "R087", host_name=_no_literal)
fault("greets without a name inside TLS", "I04", run=Run.SECURED, greet=_unnamed)
liberty("takes an address literal that is none", "R087", host_name=_any_name)
liberty("takes UTF-8 in EHLO", "U07", host_name=_any_utf8_name, check_characters=nothing)


def _quoted(session: Session, argument: bytes) -> bytes:
    if not argument.isascii():
        session.transmit(b"501 5.5.4 no such name: " + argument + b"\r\n")
        raise _Said
    return Session.host_name(session, argument)


class _Said(Exception):
    """The reply is out."""


async def _said(session: Session, line: bytes) -> None:
    try:
        await Session.dispatch(session, line)
    except _Said:
        return


fault("quotes a UTF-8 name in its answer to EHLO", "U07", check_characters=nothing,
      host_name=_quoted, dispatch=_said)  # fmt: skip


def _short_name(session: Session, argument: bytes) -> bytes:
    if len(argument) > 64:
        raise Refused(501, "", "the name is too long")
    return Session.host_name(session, argument)


fault("takes names of 64 octets only in EHLO", "R135", host_name=_short_name)


def _ipv4_only(session: Session, argument: bytes) -> bytes:
    if argument.startswith(b"[IPv6:"):
        raise Refused(501, "", "a domain name or address literal, please")
    return Session.host_name(session, argument)


fault("refuses an IPv6 literal in EHLO", "R087", host_name=_ipv4_only)


def _not_here(session: Session, argument: bytes) -> bytes:
    try:
        return Session.host_name(session, argument)
    except Refused:
        raise Refused(502, "", "not like this") from None


weakness("answers an EHLO that it does not like with 502", "R127", host_name=_not_here)


# Sessions that know of each other


def _inherits(session: Session) -> None:
    session.transaction = session.shared.pop("left", None)


def _leaves(session: Session) -> None:
    session.shared["left"] = session.transaction
    Session.vanish(session)


async def _notes_content(session: Session) -> bytes:
    session.shared["left"] = session.transaction
    content = await Session.read_content(session)
    session.shared.pop("left", None)
    return content


fault("a new session goes on with the content that another left", "R075",
      forget_by_hello=_inherits, read_content=_notes_content)  # fmt: skip
weakness("a new session goes on with the transaction that another left", "R066",
         forget_by_hello=_inherits, vanish=_leaves)  # fmt: skip
