"""Replies that are malformed, too many, or lie about their class (RFC 5321 §4.2, RFC 2034)."""

import re
from collections.abc import Callable

from fsm_smtp.testing.server.conversation import Refused
from fsm_smtp.testing.server.faults.registry import (
    Command,
    and_then,
    fault,
    nothing,
    weakness,
    without,
    writes,
)
from fsm_smtp.testing.server.options import NAME
from fsm_smtp.testing.server.session import Session

# Form, shown by NOOP (RFC 5321 §4.2, §4.2.1, §4.3.2)

fault("four digits", "R124", do_noop=writes(b"2500 fine\r\n"))
fault("two digits", "R124", do_noop=writes(b"25 fine\r\n"))
fault("a plus sign before the code", "R124", do_noop=writes(b"+250 fine\r\n"))
fault("a space before the code", "R124", do_noop=writes(b" 250 fine\r\n"))
fault("a first digit of 6", "R106", do_noop=writes(b"650 fine\r\n"))
fault("a first digit of 1", "R106", do_noop=writes(b"150 fine\r\n"))
fault("a second digit of 9", "R110", do_noop=writes(b"290 2.0.0 fine\r\n"))
fault("a bare LF ends replies", "R112", do_noop=writes(b"250 2.0.0 fine\n"))
fault("no separator behind the code", "R112", do_noop=writes(b"250fine\r\n"))
fault("a multiline reply changes its code", "R111",
      do_noop=writes(b"250-2.0.0 fine\r\n251 2.0.0 fine\r\n"))  # fmt: skip
fault("a multiline reply has no hyphens", "R112",
      do_noop=writes(b"250 2.0.0 fine\r\n250 2.0.0 fine\r\n"))  # fmt: skip
fault("text and no code", "R124", do_noop=writes(b"fine\r\n"))
weakness("a code and no space", "R112", options={"extensions": without("ENHANCEDSTATUSCODES")},
         do_noop=writes(b"250\r\n"))  # fmt: skip
weakness("octets above 127 in a reply", "R109", do_noop=writes(b"250 2.0.0 f\xefne\r\n"))
weakness("control characters in a reply", "R109", do_noop=writes(b"250 2.0.0 \x1b[1mfine\r\n"))

# Number (RFC 5321 §4.2)


def _twice(name: str) -> Command:
    def again(session: Session) -> None:
        session.say(250, "2.0.0", "and again")

    return and_then(name, again)


for _verb in ("NOOP", "EHLO", "MAIL", "RCPT", "RSET"):
    fault(f"answers {_verb} twice", "R101",
          hooks={f"do_{_verb.lower()}": _twice(f"do_{_verb.lower()}")})  # fmt: skip


def _refuse_twice(session: Session, refused: Refused) -> None:
    for _ in range(2):
        Session.refuse(session, refused)


async def _never_refused(session: Session, argument: bytes) -> None:
    try:
        await Session.do_rcpt(session, argument)
    except Refused:
        return


fault("refuses twice", "R101", refuse=_refuse_twice)
fault("never refuses a recipient aloud", "R101", do_rcpt=_never_refused)

# Request octets that come back


def _echo(session: Session, verb: bytes) -> None:
    session.transmit(b"500 5.5.2 not recognised: " + verb + b"\r\n")


async def _echo_line(session: Session, line: bytes) -> None:
    verb = line.split(b" ")[0].upper()
    if verb in Session.COMMANDS:
        await Session.dispatch(session, line)
    else:
        session.transmit(b"500 5.5.2 not recognised: " + line + b"\r\n")


async def _echo_raw(session: Session, line: bytes) -> None:
    if line.split(b" ")[0].upper() in Session.COMMANDS:
        await Session.dispatch(session, line)
    else:
        session.transmit(b"500-5.5.2 not recognised:\r\n" + line + b"\r\n500 5.5.2 sorry\r\n")


weakness("echoes octets above 127", "R109", unknown=_echo, check_characters=nothing)
weakness("echoes a line as long as it was", "R138", dispatch=_echo_line)
fault("reflects a request as a line of its own", "R124", dispatch=_echo_raw)

# Enhanced status codes (RFC 2034 §4, RFC 3463 §2)


def _other(change: Callable[[int, bytes], bytes]) -> Callable[..., bytes]:
    def reply(session: Session, code: int, status: str, texts: tuple[str, ...]) -> bytes:
        octets = Session.reply(session, code, status, texts)
        return change(code, octets) if status else octets

    return reply


def _bare(code: int, octets: bytes) -> bytes:
    return re.sub(rb"(?m)^(\d{3}[ -])\d\.\d\.\d+ ", rb"\1", octets)


def _when(codes: tuple[int, ...]) -> Callable[[int, bytes], bytes]:
    return lambda code, octets: _bare(code, octets) if code in codes else octets


def _class_five(code: int, octets: bytes) -> bytes:
    return re.sub(rb"(?m)^(5\d\d[ -])5\.", rb"\g<1>4.", octets)


def _leading_zeros(code: int, octets: bytes) -> bytes:
    return re.sub(rb"(?m)^(\d{3}[ -]\d)\.(\d)\.(\d+) ", rb"\1.0\2.0\3 ", octets)


def _first_line_only(code: int, octets: bytes) -> bytes:
    first, end, rest = octets.partition(b"\r\n")
    return first + end + _bare(code, rest)


def _another_on_the_last(code: int, octets: bytes) -> bytes:
    if b"\r\n" not in octets[:-2]:
        return octets
    return re.sub(rb"(?m)^(\d{3} \d\.)\d\.\d+ ", rb"\g<1>7.7 ", octets)


fault("leaves out status codes", "E01", reply=_other(_bare))
fault("leaves out the status code of refusals", "E01",
      reply=_other(_when((500, 501, 502, 503, 504, 550, 555))))  # fmt: skip
fault("leaves out the status code of QUIT", "E01", reply=_other(_when((221,))))
fault("leaves out the status code of HELP", "E01", reply=_other(_when((214,))))
fault("gives refusals a status code of class 4", "E02", reply=_other(_class_five))
fault("writes status codes with leading zeros", "E05", reply=_other(_leading_zeros))
fault("gives only the first line a status code", "E03", reply=_other(_first_line_only))
fault("gives the last line another status code", "E03", reply=_other(_another_on_the_last))


async def _greets(session: Session) -> None:
    session.say(220, "2.0.0", f"{NAME} ready")


async def _helo(session: Session, argument: bytes) -> None:
    session.greeted = "HELO"
    session.forget_by_hello()
    session.say(250, "2.0.0", NAME)


def _three(session: Session, code: int, status: str, texts: tuple[str, ...]) -> bytes:
    return Session.reply(session, code, status or ("2.0.0" if code == 354 else ""), texts)


fault("gives 354 a status code", "E04", reply=_three)
weakness("gives the greeting a status code", "E01", greet=_greets)
weakness("gives the answer to HELO a status code", "E01", do_helo=_helo)
