"""Replies: what a server says, parsed without guessing (RFC 5321 §4.2).

The ABNF, with what we bear beside it:

    Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
    Reply-code = %x32-35 %x30-35 %x30-39
    textstring = 1*(%d09 / %d32-126)

Borne, and noted in `Reply.untidy`: ``bare-code`` (no space behind the last code, §4.2.1),
``8bit-text``, ``control-text`` (a control octet other than HT, NUL, CR, LF), ``long-line``
(§4.5.3.1.5). A tolerant parser, for a client that reads lines by their LF in any case, bears also
``bare-lf`` (a line that ends with LF alone) and ``odd-code`` (a second digit above 5). Whatever
two readers could take for different replies is refused: another line end than CRLF, NUL, codes
that are not three digits in range, a separator that is neither SP nor hyphen, two codes in one
reply.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from fsm_smtp.errors import MalformedReply
from fsm_smtp.wire import grammar, limits
from fsm_smtp.wire.text import printable

# One tidy reply of one line: nearly every reply there is. The length is the RFC's, so that this
# path needs no other limit.
_TIDY: Final = re.compile(rb"([2-5][0-5][0-9]) ([\t -~]{0,%d}+)\r\n" % (limits.MAX_REPLY_LINE - 6))

# A line that begins as a refusal does.
_REFUSES: Final = re.compile(rb"(?:\A|\n)[45]")

_CODE: Final = re.compile(rb"[2-5][0-5][0-9]")
_ODD_CODE: Final = re.compile(rb"[2-5][6-9][0-9]")
_CONTROL: Final = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")

# What may stand behind a code; CR is the bare code's.
_SEPARATORS: Final = (b" ", b"-", b"\r")


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of the server, complete.

    Attributes:
        code: the reply code, 200 to 559.
        lines: the text of each line, as received, without code, separator and CRLF.
        untidy: the names of what was borne, each once, in the order of the module's docstring.
    """

    code: int
    lines: tuple[bytes, ...]
    untidy: tuple[str, ...] = ()

    @property
    def first_digit(self) -> int:
        """What decides when the code itself is not listed (RFC 5321 §4.2): 2, 3, 4 or 5."""
        return self.code // 100

    @property
    def text(self) -> str:
        """The lines, joined by newlines, safe to print: see `text.printable`."""
        return "\n".join(map(printable, self.lines))

    @property
    def enhanced(self) -> tuple[int, int, int] | None:
        """The enhanced status code of the first line (RFC 2034 §4, RFC 3463 §2).

        ``None`` if there is none, or if its class is not the reply's first digit.
        """
        status, _, _ = self.lines[0].partition(b" ")
        match = grammar.ENHANCED_STATUS.fullmatch(status)
        if match is None or int(match[1]) != self.first_digit:
            return None
        return int(match[1]), int(match[2]), int(match[3])

    @property
    def raw(self) -> bytes:
        """The octets that were received, CRLFs included."""
        code = b"%d" % self.code
        last = b"" if "bare-code" in self.untidy else b" " + self.lines[-1]
        return b"".join(
            [*(code + b"-" + line + b"\r\n" for line in self.lines[:-1]), code, last, b"\r\n"]
        )

    def __str__(self) -> str:
        """``250 2.1.0 Ok``; a reply of several lines in as many, with hyphens; safe to print."""
        shown = [f"{self.code}-{printable(line)}" for line in self.lines[:-1]]
        last = printable(self.lines[-1])
        return "\n".join([*shown, f"{self.code} {last}" if last else f"{self.code}"])


@lru_cache(maxsize=256)
def tidy_reply(line: bytes) -> Reply | None:
    """The reply that *line* is, if it is just one, of one line, and tidy.

    Servers say the same few things again and again.
    """
    match = _TIDY.fullmatch(line)
    return None if match is None else Reply(int(match[1]), (match[2],))


def tidy(line: bytes) -> Reply:
    """The reply that *line* is, which is known to be a tidy one."""
    reply = tidy_reply(line)
    assert reply is not None
    return reply


class ReplyParser:
    """Octets in, replies out, one at a time; how the octets are cut does not matter.

    After a `MalformedReply` the parser is dead: `feed` and `next_reply` raise the same error again.

    Args:
        tolerant: bear ``bare-lf`` and ``odd-code``; see the module's docstring.
    """

    __slots__ = ("_borne", "_buffer", "_code", "_error", "_line", "_lines", "_scanned", "_tolerant")

    def __init__(self, *, tolerant: bool = False) -> None:
        self._tolerant = tolerant
        self._borne: set[str] = set()  # by a tolerant parser, in this reply
        self._buffer = bytearray()  # begins with the reply that is not complete yet
        self._code = b""  # of the lines that are here already
        self._lines: list[bytes] = []
        self._line = 0  # where in the buffer the next line begins
        self._scanned = 0  # up to where all its LFs are known
        self._error: MalformedReply | None = None

    @property
    def buffered(self) -> bytes:
        """The octets received that are no reply taken from `next_reply` yet."""
        return bytes(self._buffer)

    @property
    def pending(self) -> bool:
        """Whether there are such octets."""
        return bool(self._buffer)

    def clear(self) -> None:
        """Forget the octets received. A dead parser stays dead."""
        self._buffer.clear()
        self._start_anew()

    def _start_anew(self) -> None:
        self._code = b""
        self._lines.clear()
        self._borne.clear()
        self._line = self._scanned = 0

    def feed(self, data: bytes) -> None:
        """Take in octets from the server.

        Raises:
            MalformedReply: an earlier reply was malformed, or more octets than
                `limits.MAX_UNREAD_OCTETS` wait to be taken out as replies.
        """
        if self._error is not None:
            raise self._error.with_traceback(None)
        self._buffer += data
        if len(self._buffer) > limits.MAX_UNREAD_OCTETS:
            raise self._died("more replies than anybody takes", bytes(self._buffer[:80]))

    def whole(self, data: bytes) -> Reply | None:
        """The reply that *data* is, without taking it in; ``None`` when it has to be fed.

        It is one tidy reply of one line, nothing waits before it, and the parser is alive: what
        `feed` and `next_reply` would give, with nothing left over.
        """
        if self._buffer or self._error is not None or len(data) > limits.MAX_REPLY_LINE:
            return None
        return tidy_reply(data)

    def take(self, wanted: re.Pattern[bytes], lines: int) -> bytes | bool:
        """The replies that *wanted* matches, taken out: the last of them, its line as received.

        Args:
            wanted: matches only tidy replies of one line; its first group is the last one.
            lines: how many lines that are.

        Returns:
            the line; False when fewer lines are here; True when what is here is something else, and
            `next_reply` has to be asked.
        """
        buffer = self._buffer
        match = None if self._scanned else wanted.match(buffer)
        if match is None:
            if self._error is not None or len(buffer) > lines * limits.MAX_REPLY_LINE:
                return True
            return buffer.count(b"\n") >= lines or _REFUSES.search(buffer) is not None
        last, end = match[1], match.end()
        del buffer[:end]
        return last

    def next_reply(self) -> Reply | None:
        """The next complete reply, or ``None`` until more octets come.

        Raises:
            MalformedReply: the octets are no reply, or it passes a limit (see `limits`).
        """
        if self._error is not None:
            raise self._error.with_traceback(None)
        buffer = self._buffer
        if not buffer:
            return None
        if not self._scanned:
            end = buffer.find(b"\n", 0, limits.MAX_REPLY_LINE) + 1
            reply = tidy_reply(bytes(buffer[:end])) if end else None
            if reply is not None:
                del buffer[:end]
                return reply
        return self._parse_lines()

    def _parse_lines(self) -> Reply | None:
        while (line := self._take_line()) is not None:
            if self._tolerant:
                line = self._tolerated(line)
            wrong = self._what_is_wrong(line)
            if wrong:
                raise self._died(wrong, line + b"\n")
            self._code = line[:3]
            self._lines.append(line[4:-1])
            if line[3:4] != b"-":
                return self._complete(bare=len(line) == len(b"250\r"))
            if len(self._lines) >= limits.MAX_REPLY_LINES:
                what = f"a reply of more than {limits.MAX_REPLY_LINES} lines"
                raise self._died(what, line)
        return None

    def _take_line(self) -> bytes | None:
        """The next line without its LF, or ``None`` if it is not complete."""
        buffer, start = self._buffer, self._line
        # A limit counts from the stream alone, never from how it was cut: what lies behind the
        # limit must not be looked at, though it may be in the buffer already.
        of_reply = limits.MAX_REPLY_OCTETS - start
        allowed = min(of_reply, limits.MAX_REPLY_LINE_HARD)
        end = buffer.find(b"\n", max(start, self._scanned), start + allowed)
        if end < 0:
            self._scanned = len(buffer)
            if self._scanned - start < allowed:
                return None
            what = (
                f"a reply line longer than {limits.MAX_REPLY_LINE_HARD} octets"
                if allowed < of_reply
                else f"a reply longer than {limits.MAX_REPLY_OCTETS} octets"
            )
            raise self._died(what, bytes(buffer[start : start + min(80, allowed)]), "4.5.3.1.5")
        self._line = self._scanned = end + 1
        return bytes(buffer[start:end])

    def _tolerated(self, line: bytes) -> bytes:
        """*line* as if it ended with CR; what is borne is noted."""
        if line[-1:] != b"\r":
            self._borne.add("bare-lf")
            line += b"\r"
        if _ODD_CODE.match(line):
            self._borne.add("odd-code")
        return line

    def _what_is_wrong(self, line: bytes) -> str | None:
        code = line[:3]
        faults = (
            (line[-1:] != b"\r", "a reply line that ends with a bare LF"),
            (b"\r" in line[:-1], "a bare CR in a reply line"),
            (b"\0" in line, "NUL in a reply line"),
            (not self._is_code(line), "a reply line that does not begin with a reply code"),
            (
                line[3:4] not in _SEPARATORS,
                "a reply code followed by neither space, hyphen nor CRLF",
            ),
            (code != (self._code or code), "a reply with two codes"),
        )
        return next((what for wrong, what in faults if wrong), None)

    def _is_code(self, line: bytes) -> bool:
        return bool(_CODE.match(line)) or "odd-code" in self._borne

    def _complete(self, *, bare: bool) -> Reply:
        lines = tuple(self._lines)
        longest = max(map(len, lines)) + 6
        text = b"".join(lines)
        found = (
            ("bare-code", bare),
            ("8bit-text", not text.isascii()),
            ("control-text", _CONTROL.search(text) is not None),
            ("long-line", longest > limits.MAX_REPLY_LINE),
            ("bare-lf", "bare-lf" in self._borne),
            ("odd-code", "odd-code" in self._borne),
        )
        reply = Reply(int(self._code), lines, tuple(name for name, here in found if here))
        del self._buffer[: self._line]
        self._start_anew()
        return reply

    def _died(self, what: str, received: bytes, section: str = "4.2") -> MalformedReply:
        self._error = MalformedReply(what, f"5321 §{section}", received)
        self.clear()
        return self._error
