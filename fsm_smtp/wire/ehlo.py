"""What a server offers: the lines of its 250 to EHLO (RFC 5321 §4.1.1.1)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from fsm_smtp.wire.grammar import EHLO_LINE
from fsm_smtp.wire.replies import Reply

# An old server's way of writing AUTH; some still send it beside the line of RFC 4954.
_OLD_AUTH: Final = b"AUTH="

# RFC 9422 §3 with §4: the limits defined so far are numbers from 1 to 999999.
_LIMIT_VALUE: Final = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True, slots=True, eq=False)
class Offers(Mapping[str, tuple[str, ...]]):
    """Extensions by keyword, looked up without regard to case; equal to a dict of upper-case ones.

    Attributes:
        greeting: the first line, the server's domain and perhaps words behind it.
        keywords: keyword in upper case to its parameters, as sent.
        unparsed: lines that count for nothing: against the grammar, or a keyword repeated.
        untidy: lines that count although their spaces are against the grammar, and ``AUTH=``.
    """

    greeting: bytes
    keywords: Mapping[str, tuple[str, ...]]
    unparsed: tuple[bytes, ...] = ()
    untidy: tuple[bytes, ...] = ()

    def __getitem__(self, keyword: str) -> tuple[str, ...]:
        return self.keywords[keyword.upper()]

    def __contains__(self, keyword: object) -> bool:
        return isinstance(keyword, str) and keyword.upper() in self.keywords

    @property
    def limits(self) -> dict[str, int]:
        """What LIMITS says, by name in upper case (RFC 9422 §3); only numbers count."""
        found: dict[str, int] = {}
        for limit in self.keywords.get("LIMITS", ()):
            name, _, value = limit.partition("=")
            if _LIMIT_VALUE.fullmatch(value):
                found.setdefault(name.upper(), int(value))
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.keywords)

    def __len__(self) -> int:
        return len(self.keywords)


def parse_offers(reply: Reply) -> Offers:
    """The offers in a 250 to EHLO or LHLO.

    The first line of a keyword counts. Only AUTH's are added up: ``AUTH=`` for old clients often
    stands beside ``AUTH`` with other mechanisms. A keyword with spaces behind it counts too, lest
    a stray octet turn TLS off.
    """
    keywords: dict[str, tuple[str, ...]] = {}
    unparsed: list[bytes] = []
    untidy: list[bytes] = []
    for line in reply.lines[1:]:
        tidied = _tidied(line)
        if not EHLO_LINE.fullmatch(tidied):
            unparsed.append(line)
            continue
        keyword, *parameters = tidied.decode("ascii").split(" ")
        keyword = keyword.upper()
        if keyword in keywords and keyword != "AUTH":
            unparsed.append(line)
            continue
        if tidied != line:
            untidy.append(line)
        keywords[keyword] = tuple(dict.fromkeys((*keywords.get(keyword, ()), *parameters)))
    return Offers(reply.lines[0], keywords, tuple(unparsed), tuple(untidy))


def _tidied(line: bytes) -> bytes:
    if line[: len(_OLD_AUTH)].upper() == _OLD_AUTH:
        line = line[:4] + b" " + line[5:]
    return b" ".join(part for part in line.split(b" ") if part)
