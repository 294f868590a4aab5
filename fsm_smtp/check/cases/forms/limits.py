"""The LIMITS line of EHLO (RFC 9422 §3, §4)."""

import re
from collections.abc import Iterator, Sequence

from fsm_smtp.check.cases.forms.grammar import Form, show
from fsm_smtp.wire.replies import Reply

# limit-name-value = limit-name ["=" limit-value]
# limit-name = 1*(ALPHA / DIGIT / "-" / "_"); limit-value = any VCHAR but ";"   (RFC 9422 §3)
_LIMIT = re.compile(rb"[A-Za-z0-9_-]+(?:=[\x21-\x3a\x3c-\x7e]+)?\Z")
# %x31-39 0*5DIGIT                                                        (RFC 9422 §4.1 to §4.3)
_VALUE = re.compile(rb"[1-9][0-9]{0,5}\Z")
_NUMBERS = (b"MAILMAX", b"RCPTMAX", b"RCPTDOMAINMAX")


def _lines(reply: Reply) -> Iterator[bytes]:
    for line in reply.lines[1:]:
        keyword, _, limits = line.partition(b" ")
        if keyword.upper() == b"LIMITS":
            yield limits


def _limits(reply: Reply, raw: Sequence[bytes]) -> str | None:
    found = list(_lines(reply))
    if len(found) != 1:
        return f"LIMITS is listed {len(found)} times"
    for limit in found[0].split(b" "):
        if not _LIMIT.match(limit):
            return f"{show(limit)} is no limit"
    return None


def _values(reply: Reply, raw: Sequence[bytes]) -> str | None:
    for limit in b" ".join(_lines(reply)).split():
        name, _, value = limit.partition(b"=")
        if name.upper() in _NUMBERS and not _VALUE.match(value):
            return f"{show(limit)} is no number from 1 to 999999"
    return None


FORMS: dict[str, Form] = {"limits": _limits, "limit values": _values}
