"""Checks of a reply beside its code: grammar, length, characters (RFC 5321 §4.2, §4.1.1.1).

Each takes the reply and its lines as they came, and returns what is wrong, or ``None``.
"""

import re
from collections.abc import Callable, Sequence

from fsm_smtp.wire.replies import Reply

Form = Callable[[Reply, Sequence[bytes]], str | None]

#: Longest reply line with code and CRLF (RFC 5321 §4.5.3.1.5).
MAX_REPLY_LINE = 512

# Domain = sub-domain *("." sub-domain); address-literal = "[" … "]"      (RFC 5321 §4.1.2)
_LABEL = rb"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_NAME = re.compile(rb"(?:%s(?:\.%s)*|\[[\x21-\x5a\x5e-\x7e]+\])\Z" % (_LABEL, _LABEL))
# ehlo-line = ehlo-keyword *( SP ehlo-param )                             (RFC 5321 §4.1.1.1)
_EHLO_LINE = re.compile(rb"[A-Za-z0-9][A-Za-z0-9-]*(?: [\x21-\x7e]+)*\Z")
# ehlo-greet = 1*(%d0-9 / %d11-12 / %d14-127)                             (RFC 5321 §4.1.1.1)
_EHLO_GREET = re.compile(rb"[^\r\n\x80-\xff]*\Z")
# textstring = 1*(%d09 / %d32-126)                                        (RFC 5321 §4.2)
_TEXT = re.compile(rb"[\t\x20-\x7e]*\Z")

#: Keywords that only an answer to EHLO has.
_EXTENSIONS = frozenset(
    b"8BITMIME AUTH BINARYMIME CHUNKING DELIVERBY DSN ENHANCEDSTATUSCODES ETRN EXPN HELP"
    b" PIPELINING SIZE SMTPUTF8 STARTTLS VRFY".split()
)


def _greeting(reply: Reply, raw: Sequence[bytes]) -> str | None:
    name = reply.lines[0].split(b" ", 1)[0]
    return None if _NAME.match(name) else f"{_show(name)} is no domain name or address literal"


def _ehlo(reply: Reply, raw: Sequence[bytes]) -> str | None:
    name, _, greet = reply.lines[0].partition(b" ")
    if not _NAME.match(name):
        return f"{_show(name)} is no domain name or address literal"
    if not _EHLO_GREET.match(greet):
        return f"the greeting text {_show(greet)} has characters that are not ASCII"
    for line in reply.lines[1:]:
        if not _EHLO_LINE.match(line):
            return f"{_show(line)} is no keyword with parameters"
    return None


def _helo(reply: Reply, raw: Sequence[bytes]) -> str | None:
    for line in reply.lines[1:]:
        word = line.split(b" ", 1)[0].upper()
        if word in _EXTENSIONS:
            return f"the answer to HELO lists the extension {_show(word)}"
    return None


def _text(reply: Reply, raw: Sequence[bytes]) -> str | None:
    for line in reply.lines:
        if not _TEXT.match(line):
            return f"the text {_show(line)} has characters that are not printable ASCII"
    return None


def _length(reply: Reply, raw: Sequence[bytes]) -> str | None:
    longest = max(map(len, raw), default=0)
    return f"a reply line of {longest} octets" if longest > MAX_REPLY_LINE else None


def _tidy(reply: Reply, raw: Sequence[bytes]) -> str | None:
    return "; ".join(reply.untidy) or None


def _show(octets: bytes) -> str:
    return ascii(octets[:60].decode("latin-1"))


#: By the name that a suite uses.
FORMS: dict[str, Form] = {
    "greeting": _greeting,
    "ehlo": _ehlo,
    "helo": _helo,
    "text": _text,
    "length": _length,
    "tidy": _tidy,
}
