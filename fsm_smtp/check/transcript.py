"""The record of one session: what each side wrote, when, printable and free of credentials."""

import re
from collections.abc import Callable

#: Lines kept of one session; a case that writes more is not read to its end by anybody.
MAX_LINES = 300
#: Octets shown of one line.
MAX_SHOWN = 160

#: What stands behind octets of ours that no CRLF ends.
UNFINISHED = " (no CRLF)"

_AUTH = re.compile(rb"(\s*AUTH[ \t]+[^\s]+)[ \t]+[^\r\n]*", re.IGNORECASE)


def printable(octets: bytes) -> str:
    """*octets* as ASCII text; everything else, and the backslash, as an escape."""
    return "".join(
        chr(octet) if 32 <= octet < 127 and octet != 92 else _ESCAPES.get(octet, f"\\x{octet:02x}")
        for octet in octets
    )


_ESCAPES = {9: "\\t", 10: "\\n", 13: "\\r", 92: "\\\\"}


def redacted(line: bytes) -> bytes:
    """*line* without what follows the mechanism of an AUTH command."""
    return _AUTH.sub(rb"\1 [redacted]", line)


class Transcript:
    """Lines ``seconds C: …`` and ``seconds S: …``, seconds since the connection was asked for."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._start = clock()
        self._lines: list[str] = []
        self._dropped = 0
        self._partial = b""

    @property
    def lines(self) -> tuple[str, ...]:
        """What was recorded so far."""
        rest = [self._line("S", self._partial)] if self._partial else []
        more = [f"… {self._dropped} more lines"] if self._dropped else []
        return (*self._lines, *more, *rest)

    def client(self, data: bytes, *, secret: bool = False) -> None:
        """Record what we wrote; *secret* hides it whole."""
        if secret:
            self._add(self._line("C", b"[redacted]\r\n"))
            return
        for line in data.split(b"\r\n")[:-1]:
            self._add(self._line("C", redacted(line) + b"\r\n"))
        if rest := data.rsplit(b"\r\n", 1)[-1]:
            self._add(self._line("C", redacted(rest)) + UNFINISHED)

    def server(self, data: bytes) -> None:
        """Record what the server wrote, a line at a time."""
        self._partial += data
        *whole, self._partial = self._partial.split(b"\n")
        for line in whole:
            self._add(self._line("S", line + b"\n"))
        if len(self._partial) > MAX_SHOWN:
            self._add(self._line("S", self._partial))
            self._partial = b""

    def note(self, what: str) -> None:
        """Record something that is no octet: the connection closed, TLS came up."""
        self._add(f"{self._clock() - self._start:8.3f} -- {what}")

    def _line(self, who: str, octets: bytes) -> str:
        shown = octets.removesuffix(b"\r\n")
        # A line without its CRLF shows how it ends, and a lone CRLF would show nothing.
        text = printable(shown[:MAX_SHOWN])
        if len(shown) > MAX_SHOWN:
            text += f"… ({len(octets)} octets)"
        return f"{self._clock() - self._start:8.3f} {who}: {text}"

    def _add(self, line: str) -> None:
        if len(self._lines) < MAX_LINES:
            self._lines.append(line)
        else:
            self._dropped += 1
