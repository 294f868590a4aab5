"""Faults in the reading of lines and verbs (RFC 5321 §2.3.8, §2.4, §4.1.1)."""

from fsm_smtp.testing.server.conversation import Refused
from fsm_smtp.testing.server.faults.registry import (
    fault,
    liberty,
    nothing,
    same,
    weakness,
    without,
)
from fsm_smtp.testing.server.grammar import Mailbox, read_mailbox
from fsm_smtp.testing.server.session import COMMAND_LINE, Session

fault("any line end ends a command", "R001", LINE_ENDS=(b"\r\n", b"\n", b"\r"))
fault("a bare LF ends a command", "R056", LINE_ENDS=(b"\r\n", b"\n"))
fault("a bare CR ends a command", "R001", LINE_ENDS=(b"\r\n", b"\r"))


def _before_crlf(session: Session, octets: bytes) -> tuple[int, int] | None:
    return (4, 4) if octets == b"NOOP" else Session.find_line_end(session, octets)


def _segment(session: Session, octets: bytes) -> tuple[int, int] | None:
    whole = (len(octets), len(octets)) if octets else None
    return Session.find_line_end(session, octets) or whole


fault("acts before CRLF", "R005", find_line_end=_before_crlf)
fault("takes a segment for a command", "R005", find_line_end=_segment)
fault("wants verbs in upper case", "R003", folded=same)


def _exact(session: Session, keyword: bytes, argument: bytes) -> tuple[bytes, bytes]:
    if not argument.startswith(keyword):
        raise Refused(501, "5.5.4", "FROM: and TO: in upper case, please")
    return Session.path_behind(session, keyword, argument)


fault("wants FROM and TO in upper case", "R003", path_behind=_exact)


async def _by_four_letters(session: Session, line: bytes) -> None:
    verb, separator, argument = line.partition(b" ")
    if verb.upper() not in Session.COMMANDS and verb[:4].upper() in Session.COMMANDS:
        verb = verb[:4]
    await Session.dispatch(session, verb + separator + argument)


weakness("knows verbs by their first four letters", "R118", dispatch=_by_four_letters)


def _any_octets(session: Session, path: bytes) -> Mailbox:
    return read_mailbox(path) or Mailbox(b"", b"")


weakness(
    "takes octets above 127 in an envelope",
    "R008",
    options={"extensions": without("SMTPUTF8")},
    check_characters=nothing,
    refuse_utf8_sender=nothing,
    mailbox=_any_octets,
)
weakness("takes white space at the end for an argument", "R037", without_trailing_space=same)
fault("takes control characters", "R086", check_characters=nothing, mailbox=_any_octets)


async def _tail_is_a_command(session: Session, limit: int) -> bytes:
    line = await Session.line(session, limit)
    if len(line) > COMMAND_LINE:
        session.wire.buffer[:0] = line[COMMAND_LINE:] + b"\r\n"
    return line[:COMMAND_LINE]


fault("takes the tail of a long line for a command", "R144", line=_tail_is_a_command)
liberty("takes a line of any length", "R144", line_too_long=nothing)
