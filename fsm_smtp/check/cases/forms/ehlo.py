"""The answers to EHLO and HELO (RFC 5321 §4.1.1.1)."""

import re
from collections.abc import Callable, Sequence

from fsm_smtp.check.cases.forms.grammar import Form, no_name, show
from fsm_smtp.check.cases.offers import Condition, Facts
from fsm_smtp.wire.replies import Reply

# ehlo-line = ehlo-keyword *( SP ehlo-param )                             (RFC 5321 §4.1.1.1)
_EHLO_LINE = re.compile(rb"[A-Za-z0-9][A-Za-z0-9-]*(?: [\x21-\x7e]+)*\Z")
# ehlo-greet = 1*(%d0-9 / %d11-12 / %d14-127)                             (RFC 5321 §4.1.1.1)
_EHLO_GREET = re.compile(rb"[^\r\n\x80-\xff]*\Z")

#: Keywords that only an answer to EHLO has.
_EXTENSIONS = frozenset(
    b"8BITMIME AUTH BINARYMIME CHUNKING DELIVERBY DSN ENHANCEDSTATUSCODES ETRN EXPN HELP"
    b" PIPELINING SIZE SMTPUTF8 STARTTLS VRFY".split()
)


def _ehlo(reply: Reply, raw: Sequence[bytes]) -> str | None:
    name, _, greet = reply.lines[0].partition(b" ")
    if problem := no_name(name):
        return problem
    if not _EHLO_GREET.match(greet):
        return f"the greeting text {show(greet)} has characters that are not ASCII"
    for line in reply.lines[1:]:
        if not _EHLO_LINE.match(line):
            return f"{show(line)} is no keyword with parameters"
    return None


def _helo(reply: Reply, raw: Sequence[bytes]) -> str | None:
    for line in reply.lines[1:]:
        word = line.split(b" ", 1)[0].upper()
        if word in _EXTENSIONS:
            return f"the answer to HELO lists the extension {show(word)}"
    return None


def _lists(offer: str) -> Form:
    condition = Condition(offer)

    def form(reply: Reply, raw: Sequence[bytes]) -> str | None:
        holds = condition.holds(Facts().after_ehlo(reply.lines))
        return None if holds else f"{offer} is not listed"

    return form


def _lacks(offer: str) -> Form:
    lists = _lists(offer)
    return lambda reply, raw: None if lists(reply, raw) else f"{offer} is listed"


FORMS: dict[str, Form] = {"ehlo": _ehlo, "helo": _helo}
#: ``lists KEYWORD``, ``lists KEYWORD PARAM``, ``lists SIZE limit``, and the contrary.
WITH_OFFER: dict[str, Callable[[str], Form]] = {"lists": _lists, "lacks": _lacks}
