"""What AUTH lists in EHLO, and how a challenge begins (RFC 4954 §3, §4)."""

import re
from collections.abc import Sequence

from fsm_smtp.check.cases.forms.grammar import Form, show
from fsm_smtp.wire.replies import Reply

# sasl-mech = 1*20mech-char; mech-char = UPPER-ALPHA / DIGIT / HYPHEN / UNDERSCORE   (RFC 4422 §3.1)
_MECHANISM = re.compile(rb"[A-Z0-9_-]{1,20}\Z")


def _mechanisms(reply: Reply, raw: Sequence[bytes]) -> str | None:
    listed = [line for line in reply.lines[1:] if line.upper().split()[:1] == [b"AUTH"]]
    if not listed:
        return "AUTH is not listed"
    for line in listed:
        names = line.split(b" ")[1:]
        if not names:
            return "AUTH is listed without a mechanism"
        for name in names:
            if not _MECHANISM.match(name):
                return f"{show(name)} is no name of a mechanism"
    return None


def _with_data(reply: Reply, raw: Sequence[bytes]) -> str | None:
    return None if any(reply.lines) else "the challenge is empty"


def _without_data(reply: Reply, raw: Sequence[bytes]) -> str | None:
    """continue-req = "334" SP [base64] CRLF (RFC 4954 §8)."""
    line = b"".join(raw)
    return None if line == b"334 \r\n" else f"{show(line)} is not '334 ' and CRLF"


FORMS: dict[str, Form] = {
    "mechanisms": _mechanisms,
    "challenge with data": _with_data,
    "challenge without data": _without_data,
}
