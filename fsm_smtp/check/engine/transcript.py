"""The record of one session: what each side wrote, when, printable and free of credentials."""

import re
from collections.abc import Callable, Iterable

#: Lines kept of one session; a case that writes more is not read to its end by anybody.
MAX_LINES = 300
#: Octets shown of one line.
MAX_SHOWN = 160
#: Octets of a line without an end that are waited for before it is recorded.
MAX_PARTIAL = 4096

#: What stands behind octets of ours that no CRLF ends.
UNFINISHED = " (no CRLF)"

_AUTH = re.compile(rb"(\s*AUTH[ \t]+[^\s]+)[ \t]+[^\r\n]*", re.IGNORECASE)


def printable(octets: bytes) -> str:
    """*octets* as ASCII text; everything else, and the backslash, as an escape."""
    return octets.decode("latin-1").translate(_SHOWN)


_ESCAPES = {9: "\\t", 10: "\\n", 13: "\\r", 92: "\\\\"}
_SHOWN = {
    octet: _ESCAPES.get(octet, f"\\x{octet:02x}")
    for octet in range(256)
    if octet in _ESCAPES or not 32 <= octet < 127
}


def redacted(line: bytes) -> bytes:
    """*line* without what follows the mechanism of an AUTH command."""
    return _AUTH.sub(rb"\1 [redacted]", line)


class Redaction:
    """Hides what nobody may see: what follows AUTH, and the run's own credentials anywhere."""

    def __init__(self, secrets: Iterable[bytes] = ()) -> None:
        found = {secret for secret in secrets if secret}
        self._secrets = sorted(found, key=len, reverse=True)

    def hide(self, octets: bytes) -> bytes:
        """*octets* of the server without the credentials, which it may repeat."""
        for secret in self._secrets:
            octets = octets.replace(secret, b"[redacted]")
        return octets

    def hide_command(self, octets: bytes) -> bytes:
        """*octets* of ours without the credentials, and without what follows AUTH."""
        return redacted(self.hide(octets))

    def hide_text(self, text: str) -> str:
        """The same, of text that was made printable."""
        for secret in self._secrets:
            text = text.replace(printable(secret), "[redacted]")
        return text


class Transcript:
    """Lines ``seconds C: …`` and ``seconds S: …``, seconds since the connection was asked for.

    With a *session*, its name stands before the C or S. Sessions of one case have the same *start*.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        start: float | None = None,
        session: str = "",
        redaction: Redaction | None = None,
    ) -> None:
        self._clock = clock
        self._start = clock() if start is None else start
        self._session = f"{session} " if session else ""
        self._redaction = redaction or Redaction()
        self._lines: list[tuple[float, str]] = []
        self._dropped = 0
        self._partial = b""

    @property
    def entries(self) -> tuple[tuple[float, str], ...]:
        """What was recorded so far, each line with its time."""
        now = self._clock()
        rest = [(now, self._line("S", self._partial))] if self._partial else []
        more = [(now, f"… {self._dropped} more lines")] if self._dropped else []
        return (*self._lines, *more, *rest)

    @property
    def lines(self) -> tuple[str, ...]:
        """What was recorded so far."""
        return tuple(line for _, line in self.entries)

    def client(self, data: bytes, *, secret: bool = False) -> None:
        """Record what we wrote; *secret* hides it whole."""
        if secret:
            self._add(self._line("C", b"[redacted]\r\n"))
            return
        for line in data.split(b"\r\n")[:-1]:
            self._add(self._line("C", line + b"\r\n"))
        if rest := data.rsplit(b"\r\n", 1)[-1]:
            self._add(self._line("C", rest) + UNFINISHED)

    def server(self, data: bytes) -> None:
        """Record what the server wrote, a line at a time."""
        self._partial += data
        *whole, self._partial = self._partial.split(b"\n")
        for line in whole:
            self._add(self._line("S", line + b"\n"))
        if len(self._partial) > MAX_PARTIAL:
            self._add(self._line("S", self._partial))
            self._partial = b""

    def note(self, what: str) -> None:
        """Record something that is no octet: the connection closed, TLS came up."""
        self._add(f"{self._time()} {self._session}-- {what}")

    def _time(self) -> str:
        return f"{self._clock() - self._start:8.3f}"

    def _line(self, who: str, octets: bytes) -> str:
        # Hidden before it is cut: half a secret is one.
        hide = self._redaction.hide_command if who == "C" else self._redaction.hide
        hidden = hide(octets)
        shown = hidden.removesuffix(b"\r\n")
        # A line without its CRLF shows how it ends, and a lone CRLF would show nothing.
        text = printable(shown[:MAX_SHOWN])
        if len(shown) > MAX_SHOWN:
            text += f"… ({len(octets)} octets)"
        return f"{self._time()} {self._session}{who}: {text}"

    def _add(self, line: str) -> None:
        if len(self._lines) < MAX_LINES:
            self._lines.append((self._clock(), line))
        else:
            self._dropped += 1


def merged(transcripts: Iterable[Transcript]) -> tuple[str, ...]:
    """The lines of several sessions of one case, in the order of time."""
    entries = [entry for transcript in transcripts for entry in transcript.entries]
    return tuple(line for _, line in sorted(entries, key=lambda entry: entry[0]))
