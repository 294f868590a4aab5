"""What a server delivered, as bytes: Maildir folders, and the trace on top of a message."""

import re
from collections.abc import Iterable
from pathlib import Path

# Fields that a server puts on top of what it received (RFC 5321 §4.4 and local habits).
_TRACE = re.compile(
    rb"(?:(?:Return-Path|Received|Delivered-To|X-Original-To|Envelope-to|Delivery-date"
    rb"|Authentication-Results):"
    rb"[^\n]*\n(?:[ \t][^\n]*\n)*)*",
    re.IGNORECASE,
)


def local_part(recipient: str) -> str:
    """``rcpt`` for ``rcpt@example.test``: the folder that its mail lands in."""
    return recipient.partition("@")[0].lower()


def oldest_first(files: Iterable[Path]) -> list[bytes]:
    """Contents of files, by the time of their last change."""
    return [path.read_bytes() for path in sorted(files, key=lambda p: (p.stat().st_mtime_ns, p))]


def maildir(folder: Path) -> list[Path]:
    """Files of the messages in a Maildir, in no order; none when it does not exist."""
    return [path for part in ("new", "cur") for path in (folder / part).glob("*")]


def split_trace(stored: bytes) -> tuple[bytes, bytes]:
    """Part the fields that the server prepended from the message that it was given.

    Servers store lines with LF, as files here do; both parts come back with CRLF, as on the wire.
    A message that itself starts with a trace field would lose it: the tests' messages do not.
    """
    wire = re.sub(rb"\r?\n", b"\r\n", stored)
    trace = _TRACE.match(wire)
    end = trace.end() if trace else 0
    return wire[:end], wire[end:]
