"""ESMTP parameters of MAIL and RCPT: written for a line of ours, read from a line of others."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

from fsm_smtp.errors import InvalidCommand
from fsm_smtp.wire import grammar, limits

#: Keyword and value in order; ``None`` for a keyword without a value.
Value = str | bytes | None
Parameters = Mapping[str, Value] | Iterable[tuple[str, Value]]

#: A value that has passed its rule, ``None`` for none, and whether UTF-8 may stand in it.
_Rule = Callable[[bytes | None, bool], bool]


def _matches(pattern: bytes) -> _Rule:
    rule = grammar.Rule(rb"(?i:" + pattern + rb")")
    return lambda value, _utf8: value is not None and rule.fullmatch(value) is not None


def _absent(value: bytes | None, _utf8: bool) -> bool:
    return value is None


def _xtext(most: int) -> _Rule:
    return lambda value, _utf8: value is not None and len(value) <= most and grammar.is_xtext(value)


def _orcpt(value: bytes | None, utf8: bool) -> bool:
    rule = grammar.ORCPT_UTF8 if utf8 else grammar.ORCPT
    return value is not None and len(value) <= limits.MAX_ORCPT and bool(rule.fullmatch(value))


# What each parameter's own RFC asks of its value, beyond esmtp-value.
_VALUES: Final[dict[str, tuple[_Rule, str]]] = {
    "SIZE": (_matches(rb"[0-9]{1,20}"), "1870 §6"),
    "BODY": (_matches(rb"7BIT|8BITMIME|BINARYMIME"), "6152 §3"),
    "SMTPUTF8": (_absent, "6531 §3.4"),
    "REQUIRETLS": (_absent, "8689 §2"),
    "AUTH": (_xtext(limits.MAX_COMMAND_LINE), "4954 §5"),
    "RET": (_matches(rb"FULL|HDRS"), "3461 §4.3"),
    "ENVID": (_xtext(limits.MAX_ENVID), "3461 §4.4"),
    "NOTIFY": (
        _matches(rb"NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY)){0,2}"),
        "3461 §4.1",
    ),
    "ORCPT": (_orcpt, "3461 §4.2"),
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """Parameters as they stand on a line.

    Attributes:
        octets: each with a space before it.
        utf8: whether UTF-8 may stand in this transaction's paths.
        limit: the length that the line may have, CRLF included.
    """

    octets: bytes
    utf8: bool
    limit: int


def render_parameters(
    parameters: Parameters, growth: Mapping[str, tuple[str, int]], *, utf8: bool = False
) -> Rendered:
    """Validate *parameters* and write them out, in their order.

    Raises:
        InvalidCommand: a keyword or value against its grammar (RFC 5321 §4.1.2 and the RFC of
            each known parameter), or a keyword twice.
    """
    items = _items(parameters)
    utf8 = utf8 or any(keyword.upper() == "SMTPUTF8" for keyword, _ in items)
    seen: set[str] = set()
    grown: dict[str, int] = {}
    octets = b""
    for keyword, value in items:
        name = keyword.upper()
        if name in seen:
            raise InvalidCommand(f"the parameter {name} twice", "5321 §4.1.1.11")
        seen.add(name)
        octets += b" " + _one_parameter(keyword, value, utf8)
        if name in growth:
            extension, by = growth[name]
            grown[extension] = by
    return Rendered(octets, utf8, limits.MAX_COMMAND_LINE + sum(grown.values()))


def _items(parameters: Parameters) -> list[tuple[str, Value]]:
    if isinstance(parameters, Mapping):
        return list(cast(Mapping[str, Value], parameters).items())
    return list(parameters)


@lru_cache(maxsize=1024)
def _one_parameter(keyword: str, value: Value, utf8: bool) -> bytes:
    written = keyword.encode("ascii", "backslashreplace")
    if not grammar.ESMTP_KEYWORD.fullmatch(written):
        raise InvalidCommand(f"{keyword!r} is no keyword of a parameter", "5321 §4.1.2")
    if isinstance(value, str):
        # Surrogates pass through as octets that are no UTF-8, and are refused by the grammar.
        value = value.encode("utf-8", "surrogatepass")
    rule = grammar.ESMTP_VALUE_UTF8 if utf8 else grammar.ESMTP_VALUE
    if value is not None and not rule.fullmatch(value):
        raise InvalidCommand(f"a value of {keyword} that is no esmtp-value", "5321 §4.1.2")
    known = _VALUES.get(keyword.upper())
    if known is not None and not known[0](value, utf8):
        raise InvalidCommand(f"a value that {keyword} does not take", known[1])
    return written if value is None else written + b"=" + value


# The path ends where its bracket closes outside quotes. Without brackets, at the first space.
_ENVELOPE: Final = grammar.Rule(
    rb'(?s)(?i:FROM|TO): *+(<(?:"(?:[^"\\]|\\.)*+"|[^">])*+>|(?!<)[^ ]++)((?: .*+)?)'
)


def _envelope(argument: bytes) -> re.Match[bytes]:
    match = _ENVELOPE.fullmatch(argument)
    if match is None:
        raise InvalidCommand("an argument of MAIL or RCPT without a path", "5321 §4.1.1.2")
    return match


def envelope_path(argument: bytes) -> bytes:
    """The path in the argument of somebody's MAIL or RCPT, without its brackets.

    Lenient: spaces behind the colon and missing brackets are borne.

    Raises:
        InvalidCommand: not ``FROM:`` or ``TO:`` and a path.
    """
    path = _envelope(argument)[1]
    return path[1:-1] if path.startswith(b"<") else path


def mail_parameters(argument: bytes) -> dict[str, bytes | None]:
    """The parameters in the argument of somebody's MAIL or RCPT, keywords in upper case.

    Lenient about the keywords' and values' grammar.

    Raises:
        InvalidCommand: no path before them, or a keyword twice: two readers might believe
            different ones.
    """
    found: dict[str, bytes | None] = {}
    for parameter in _envelope(argument)[2].split():
        keyword, equals, value = parameter.partition(b"=")
        name = keyword.decode("ascii", "backslashreplace").upper()
        if name in found:
            raise InvalidCommand(f"the parameter {name} twice", "5321 §4.1.1.11")
        found[name] = value if equals else None
    return found
