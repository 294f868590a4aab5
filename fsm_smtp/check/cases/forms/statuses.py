"""Where an enhanced status code must not stand, and what it looks like (RFC 2034 §4, 3463 §2)."""

import re
from collections.abc import Sequence

from fsm_smtp.check.cases.forms.grammar import Form, show
from fsm_smtp.wire.replies import Reply

#: What looks like an attempt at a status code: three numbers between dots.
_ATTEMPT = re.compile(rb"([0-9]+)\.([0-9]+)\.([0-9]+)(?![0-9.])")


def _no_status(reply: Reply, raw: Sequence[bytes]) -> str | None:
    for line in reply.lines:
        if _ATTEMPT.match(line):
            return f"{show(line)} begins with a status code"
    return None


def _same_status(reply: Reply, raw: Sequence[bytes]) -> str | None:
    codes = [line.split(b" ", 1)[0] for line in reply.lines]
    for code, line in zip(codes, reply.lines, strict=True):
        if code != codes[0] or not _ATTEMPT.match(line):
            return f"{show(line)} does not begin with the status code of the first line"
    return None


def _status_syntax(reply: Reply, raw: Sequence[bytes]) -> str | None:
    for line in reply.lines:
        found = _ATTEMPT.match(line)
        if found is None:
            continue
        if found[1] not in (b"2", b"4", b"5"):
            return f"the class in {show(line)} is not 2, 4 or 5"
        for number in (found[2], found[3]):
            if len(number) > 3:
                return f"{show(number)} in {show(line)} has more than three digits"
            if len(number) > 1 and number.startswith(b"0"):
                return f"{show(number)} in {show(line)} has a leading zero"
    return None


FORMS: dict[str, Form] = {
    "no status": _no_status,
    "same status": _same_status,
    "status syntax": _status_syntax,
}
