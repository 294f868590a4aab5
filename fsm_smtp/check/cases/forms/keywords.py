"""Keywords in an answer to EHLO: registered ones, and parameters where an RFC has none."""

import re
from collections.abc import Callable, Sequence

from fsm_smtp.check.cases.forms.grammar import Form, show
from fsm_smtp.wire.replies import Reply

#: Keywords that the IANA registry of SMTP service extensions lists (RFC 5321 §2.2.2). It grows, so
#: what is not here is a remark, not a failure.
REGISTERED = frozenset(
    b"8BITMIME ATRN AUTH BINARYMIME BURL CHECKPOINT CHUNKING CONNEG CONPERM DELIVERBY DSN"
    b" ENHANCEDSTATUSCODES ETRN EXPN FUTURERELEASE HELP LIMITS MT-PRIORITY MTRK NO-SOLICITING ONEX"
    b" PIPELINING REQUIRETLS RRVS SAML SEND SIZE SMTPUTF8 SOML STARTTLS SUBMITTER TURN UTF8SMTP"
    b" VERB VRFY".split()
)

# size-param ::= [1*DIGIT]                                                (RFC 1870 §3)
_SIZE = re.compile(rb"SIZE(?: [0-9]+)?\Z", re.IGNORECASE)


def _registered(reply: Reply, raw: Sequence[bytes]) -> str | None:
    for word in _words(reply):
        if word not in REGISTERED and not word.startswith(b"X"):
            return f"{show(word)} is not a registered keyword, and does not begin with X"
    return None


def _size_parameter(reply: Reply, raw: Sequence[bytes]) -> str | None:
    for line, word in zip(reply.lines[1:], _words(reply), strict=True):
        if word == b"SIZE" and not _SIZE.match(line):
            return f"{show(line)} is not SIZE with one number or none"
    return None


def _bare(keyword: str) -> Form:
    wanted = keyword.upper().encode("ascii")

    def form(reply: Reply, raw: Sequence[bytes]) -> str | None:
        for line, word in zip(reply.lines[1:], _words(reply), strict=True):
            if word == wanted and line.rstrip(b" ").upper() != wanted:
                return f"{show(line)}: the keyword has no parameter"
        return None

    return form


def _words(reply: Reply) -> list[bytes]:
    """The keyword of each line behind the first, in upper case."""
    return [line.split(b" ", 1)[0].upper() for line in reply.lines[1:]]


FORMS: dict[str, Form] = {"registered": _registered, "size parameter": _size_parameter}
#: ``bare KEYWORD``: the keyword stands there without a parameter, or not at all.
WITH_OFFER: dict[str, Callable[[str], Form]] = {"bare": _bare}
