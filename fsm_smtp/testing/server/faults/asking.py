"""Faults of NOOP, QUIT, VRFY, EXPN, HELP and of unknown commands (RFC 5321 §4.1.1)."""

import asyncio

from fsm_smtp.testing.server.conversation import Refused
from fsm_smtp.testing.server.faults.registry import (
    answers,
    fault,
    liberty,
    no,
    refuses,
    says,
    weakness,
)
from fsm_smtp.testing.server.options import EXTENSIONS, NAME
from fsm_smtp.testing.server.session import Session
from fsm_smtp.testing.server.wire import Ended

_BREAKS = {"NOOP": "R070", "VRFY": "R067", "EXPN": "R068", "HELP": "R069"}
for _verb, _breaks in _BREAKS.items():
    _hook = f"do_{_verb.lower()}"

    async def _forgets(session: Session, argument: bytes, hook: str = _hook) -> None:
        session.forget_transaction()
        await getattr(Session, hook)(session, argument)

    fault(f"{_verb} resets", _breaks,
          hooks={_hook: _forgets})  # fmt: skip

    async def _wants_ehlo(session: Session, argument: bytes, hook: str = _hook) -> None:
        if session.greeted is None:
            raise Refused(503, "5.5.1", "EHLO first")
        await getattr(Session, hook)(session, argument)

    weakness(f"refuses {_verb} before EHLO", "R089", hooks={_hook: _wants_ehlo})


async def _no_argument(session: Session, argument: bytes) -> None:
    if argument:
        raise Refused(501, "5.5.4", "no argument, please")
    await Session.do_noop(session, argument)


fault("does not know NOOP", "R129", do_noop=answers(502, "5.5.1", "not here"))
weakness("refuses NOOP with an argument", "R071", do_noop=_no_argument)
weakness("answers HELP with 250", "R069", do_help=answers(250, "2.0.0", "help yourself"))

# VRFY and EXPN


async def _everybody(session: Session, argument: bytes) -> None:
    session.say(250, "2.1.5", "<somebody@example.test>")


fault("verifies everybody", "R030", do_vrfy=_everybody)
fault("expands everything", "R030", do_expn=_everybody)
weakness("answers VRFY with 500", "R031", do_vrfy=answers(500, "5.5.2", "not recognised"))

# QUIT


async def _vanishes(session: Session, argument: bytes) -> None:
    raise Ended


async def _stays(session: Session, argument: bytes) -> None:
    session.say(221, "2.0.0", f"{NAME} goodbye")


async def _not_in_a_transaction(session: Session, argument: bytes) -> None:
    if session.transaction is not None:
        raise Refused(503, "5.5.1", "a transaction is open")
    await Session.do_quit(session, argument)


async def _not_before_ehlo(session: Session, argument: bytes) -> None:
    if session.greeted is None:
        raise Refused(503, "5.5.1", "EHLO first")
    await Session.do_quit(session, argument)


async def _answers_250(session: Session, argument: bytes) -> None:
    session.say(250, "2.0.0", "goodbye")
    raise Ended


fault("QUIT is not answered", "R072", do_quit=_vanishes)
fault("QUIT does not close", "R072", do_quit=_stays)
fault("QUIT is answered with 250", "R072", do_quit=_answers_250)
fault("refuses QUIT in a transaction", "R076", do_quit=_not_in_a_transaction)
fault("refuses QUIT before EHLO", "R076", do_quit=_not_before_ehlo)


async def _bears_an_argument(session: Session, argument: bytes) -> None:
    await Session.do_quit(session, b"")


weakness("takes QUIT with an argument", "R039", do_quit=_bears_an_argument)

# Commands that are not understood, and errors


def _count(session: Session) -> int:
    session.memory["unknown"] = session.memory.get("unknown", 0) + 1
    return int(session.memory["unknown"])


def _closes(session: Session, verb: bytes) -> None:
    raise Ended


def _gives_up(session: Session, verb: bytes) -> None:
    if _count(session) == 3:
        session.say(500, "5.5.2", "goodbye")
        raise Ended
    Session.unknown(session, verb)


def _shuts_down(session: Session, verb: bytes) -> None:
    if _count(session) == 3:
        session.shut_down(text=f"{NAME} too many errors")
        raise Ended
    Session.unknown(session, verb)


def _closes_on_errors(session: Session, refused: Refused) -> None:
    Session.refuse(session, refused)
    if refused.code in (501, 503):
        raise Ended


def _resets(session: Session, verb: bytes) -> None:
    session.forget_transaction()
    Session.unknown(session, verb)


def _silent(session: Session, verb: bytes) -> None:
    """No reply at all."""


fault("closes on an unknown command", "R033", unknown=_closes)
fault("gives up after three unknown commands", "R032", unknown=_gives_up)
liberty("shuts down after three unknown commands", "R032", unknown=_shuts_down)
fault("closes after an error", "R073", refuse=_closes_on_errors)
fault(
    "takes every unknown command",
    "R033",
    unknown=says(250, "2.0.0", "fine"),
)
fault("an unknown command resets", "R123", unknown=_resets)
fault("never answers an unknown command", "R101", unknown=_silent)
weakness("answers unknown commands with 502", "R118", unknown=refuses(502, "5.5.1", "not here"))


def _unknown_x(session: Session, verb: bytes) -> None:
    if verb.startswith(b"X"):
        session.say(250, "2.0.0", "as you like")
    else:
        Session.unknown(session, verb)


weakness("takes every private command", "R100", unknown=_unknown_x)


async def _never(session: Session, argument: bytes) -> None:
    """No reply at all."""


fault("never answers NOOP", "R070", do_noop=_never)


async def _hangs_up_at_mail(session: Session, argument: bytes) -> None:
    raise Ended


async def _closes_idle(session: Session) -> None:
    try:
        async with asyncio.timeout(400):
            await Session.one_command(session)
    except TimeoutError:
        session.say(451, "4.4.2", "idle for too long")
        raise Ended from None


fault("closes at MAIL with no 421", "R032", do_mail=_hangs_up_at_mail)
fault("closes when idle with 451 and no 421", "R032", one_command=_closes_idle)
weakness("gives up after a minute without a command", "R152", options={"patience": 60.0})


def _blurts(session: Session, code: int, status: str, text: str) -> None:
    session.say(250, "2.0.0", "are you still there?")
    Session.shut_down(session, code, status, text)


fault("speaks unasked before it gives up", "R035", options={"patience": 400.0},
      shut_down=_blurts)  # fmt: skip
fault("refuses SMTPUTF8 behind VRFY", "U08", may_answer_in_utf8=no)
fault("lists ETRN without having it", "R048", options={"extensions": {*EXTENSIONS, "ETRN"}},
      do_etrn=answers(502, "5.5.1", "not here"))  # fmt: skip
