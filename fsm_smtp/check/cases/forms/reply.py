"""Any reply: its text, length and line ends (RFC 5321 §4.2, §4.5.3.1.5)."""

import re
from collections.abc import Sequence

from fsm_smtp.check.cases.forms.grammar import Form, no_name, show
from fsm_smtp.wire.replies import Reply

#: Longest reply line with code and CRLF (RFC 5321 §4.5.3.1.5).
MAX_REPLY_LINE = 512

# textstring = 1*(%d09 / %d32-126)                                        (RFC 5321 §4.2)
_TEXT = re.compile(rb"[\t\x20-\x7e]*\Z")


def _text(reply: Reply, raw: Sequence[bytes]) -> str | None:
    for line in reply.lines:
        if not _TEXT.match(line):
            return f"the text {show(line)} has characters that are not printable ASCII"
    return None


def _length(reply: Reply, raw: Sequence[bytes]) -> str | None:
    longest = max(map(len, raw), default=0)
    return f"a reply line of {longest} octets" if longest > MAX_REPLY_LINE else None


def _tidy(reply: Reply, raw: Sequence[bytes]) -> str | None:
    return "; ".join(reply.untidy) or None


def _names_itself(reply: Reply, raw: Sequence[bytes]) -> str | None:
    return no_name(reply.lines[0].split(b" ", 1)[0])


FORMS: dict[str, Form] = {
    "text": _text,
    "length": _length,
    "tidy": _tidy,
    "greeting": _names_itself,
    "names itself": _names_itself,
}
