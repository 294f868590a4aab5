"""Domains, paths and parameters as octets (RFC 5321 §4.1.2, §4.1.3; RFC 6531 §3.3)."""

import ipaddress
import re
from typing import NamedTuple

_ATEXT = rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\xff-]"
_DOT_STRING = rb"%s+(?:\.%s+)*" % (_ATEXT, _ATEXT)
_QUOTED_STRING = rb'"(?:[\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\x20-\x7e])*"'
_LABEL = rb"[A-Za-z0-9\x80-\xff](?:[A-Za-z0-9\x80-\xff-]*[A-Za-z0-9\x80-\xff])?"
_DOMAIN = rb"%s(?:\.%s)*" % (_LABEL, _LABEL)
_LITERAL = rb"\[[\x21-\x5a\x5e-\x7e]+\]"

_DOMAIN_ONLY = re.compile(rb"(?:%s)\Z" % _DOMAIN)
_MAILBOX = re.compile(
    rb"(?P<local>%s|%s)@(?P<domain>%s|%s)\Z" % (_DOT_STRING, _QUOTED_STRING, _DOMAIN, _LITERAL)
)
# A-d-l ":" in front of a mailbox; to be accepted, and ignored (RFC 5321 §4.1.1.3).
_SOURCE_ROUTE = re.compile(rb"@(?:%s)(?:,@(?:%s))*:" % (_DOMAIN, _DOMAIN))
_PATH = re.compile(rb'<((?:"(?:\\.|[^"\\])*"|[^<>"])*)>(?: +(.*))?\Z', re.DOTALL)
# esmtp-param = esmtp-keyword ["=" esmtp-value]                    (RFC 5321 §4.1.2, RFC 6531 §3.3)
_PARAMETER = re.compile(rb"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([\x21-\x3c\x3e-\x7e\x80-\xff]+))?\Z")
_GENERAL_LITERAL = re.compile(rb"\[[A-Za-z0-9-]*[A-Za-z0-9]:[\x21-\x5a\x5e-\x7e]+\]\Z")

#: Longest parts of an address (RFC 5321 §4.5.3.1).
MAX_LOCAL_PART, MAX_DOMAIN, MAX_PATH = 64, 255, 256


class Mailbox(NamedTuple):
    """A local-part with its quoting undone, and a domain or address literal."""

    local: bytes
    domain: bytes


def split_path(octets: bytes) -> tuple[bytes, bytes] | None:
    """``<path> parameters`` taken apart; ``None`` if that is not what it is."""
    found = _PATH.match(octets)
    return None if found is None else (found[1], found[2] or b"")


def without_route(path: bytes) -> bytes:
    """The path behind its source route, if it has one."""
    found = _SOURCE_ROUTE.match(path)
    return path[found.end() :] if found else path


def read_mailbox(octets: bytes) -> Mailbox | None:
    """The mailbox, or ``None`` if it is not well formed."""
    found = _MAILBOX.match(octets)
    if found is None or not is_host(found["domain"]):
        return None
    local = found["local"]
    if local.startswith(b'"'):
        local = re.sub(rb"\\(.)", rb"\1", local[1:-1])
    return Mailbox(local, found["domain"])


def is_host(octets: bytes) -> bool:
    """Whether it is a domain or an address literal (RFC 5321 §4.1.3)."""
    if not octets.startswith(b"["):
        return _DOMAIN_ONLY.match(octets) is not None
    inner = octets[1:-1].decode("latin-1")
    try:
        if inner.lower().startswith("ipv6:"):
            ipaddress.IPv6Address(inner[5:])
            return octets.endswith(b"]") and "%" not in inner
        if ":" not in inner:
            ipaddress.IPv4Address(inner)
            return octets.endswith(b"]")
    except ValueError:
        return False
    return _GENERAL_LITERAL.match(octets) is not None


def too_long(path: bytes, mailbox: Mailbox | None) -> bool:
    """Whether a part is longer than a server must take (RFC 5321 §4.5.3.1.1 to 3)."""
    if len(path) + len("<>") > MAX_PATH:
        return True
    return mailbox is not None and (
        len(mailbox.local) > MAX_LOCAL_PART or len(mailbox.domain) > MAX_DOMAIN
    )


def read_parameters(octets: bytes) -> list[tuple[bytes, bytes | None]] | None:
    """Keywords in upper case with their values, or ``None`` if one is not well formed."""
    found = [_PARAMETER.match(item) for item in octets.split()]
    if not all(found):
        return None
    return [(item[1].upper(), item[2]) for item in found if item]


def is_utf8(octets: bytes) -> bool:
    """Whether the octets are UTF-8."""
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True
