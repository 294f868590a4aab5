"""Content: message octets made fit for DATA or BDAT, and taken apart again.

What leaves here has no bare CR or LF, and in DATA form holds CRLF.CRLF once, at its end, whatever
the message says (RFC 5321 §2.3.8, §4.1.1.4, §4.5.2). One pass, chunk by chunk; a chunk that needs
no change is handed on as it is.

Whole-chunk operations that look for a single octet run at the speed of memory, those for two
octets several times slower. Hence the form of the tests below.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, Literal, NoReturn

from fsm_smtp.errors import InvalidContent

LineEnds = Literal["canonical", "strict"]
Chunk = bytes | bytearray | memoryview

_BARE: Final = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_LEADING_DOT: Final = re.compile(rb"\n\.")
_SECTION: Final = "5321 §2.3.8"


class _LineEnds:
    """Canonical line ends across chunks. A CR at the end of a chunk waits for the next one."""

    __slots__ = ("_closed", "_column", "_cr", "_error", "_max_line", "_octets", "_strict")

    def __init__(self, line_ends: LineEnds, max_line: int | None) -> None:
        self._strict = line_ends == "strict"
        self._max_line = max_line
        self._cr = False  # the input so far ends with a CR, not handed on yet
        self._column = 0  # octets of the line that the output so far ends in
        self._octets = 0  # handed on, for error messages
        self._error: InvalidContent | None = None
        self._closed = False  # by its end or an error

    def _feed(self, chunk: Chunk) -> bytes:
        if self._closed:
            self._refuse_more()
        octets = chunk if isinstance(chunk, bytes) else bytes(chunk)
        if not octets:
            return octets
        if self._cr:
            octets = b"\r" + octets
        self._cr = octets.endswith(b"\r")
        if self._cr:
            octets = octets[:-1]
        octets = self._canonical(octets)
        self._octets += len(octets)
        if self._max_line is not None:
            self._measure(octets, self._max_line)
        return octets

    def _close(self) -> bytes:
        if self._closed:
            self._refuse_more()
        self._closed = True
        if not self._cr:
            return b""
        if self._strict:
            raise self._refuse(f"a bare CR at octet {self._octets} of the content")
        return b"\r\n"

    def _refuse_more(self) -> NoReturn:
        if self._error is not None:
            raise self._error.with_traceback(None)
        raise InvalidContent("content behind its own end", "5321 §4.1.1.4")

    def _canonical(self, octets: bytes) -> bytes:
        # Equal to the octets themselves, if every CR belongs to a CRLF and every LF too.
        canonical = octets.replace(b"\r", b"").replace(b"\n", b"\r\n")
        if canonical == octets:
            return octets
        if self._strict:
            self._refuse_bare(octets)
        if b"\r" not in octets:
            return canonical
        return octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")

    def _refuse_bare(self, octets: bytes) -> None:
        bare = _BARE.search(octets)
        assert bare is not None
        name = "CR" if bare[0] == b"\r" else "LF"
        raise self._refuse(f"a bare {name} at octet {self._octets + bare.start()} of the content")

    def _measure(self, octets: bytes, most: int) -> None:
        first, *rest = octets.split(b"\n")
        lengths = [self._column + len(first), *map(len, rest)]
        self._column = lengths.pop()
        # A complete line lacks its LF here; one that is not complete, CR and LF.
        if max(lengths, default=0) + 1 > most or self._column + 2 > most:
            raise self._refuse(f"a line longer than {most} octets", "5321 §4.5.3.1.6")

    def _refuse(self, what: str, rfc: str = _SECTION) -> InvalidContent:
        self._closed = True
        self._error = InvalidContent(what, rfc)
        return self._error


class ContentEncoder(_LineEnds):
    """Message content in the form that DATA wants, dots stuffed, chunk by chunk.

    Args:
        line_ends: ``"canonical"`` turns a bare LF and a bare CR each into CRLF; ``"strict"``
            refuses them.
        max_line: the most octets of a line, CRLF included and the stuffed dot not counted
            (`limits.MAX_TEXT_LINE`); ``None`` for any length.

    After an `InvalidContent` the encoder only raises it again, so that no end of data can follow
    half a message.
    """

    __slots__ = ("_at_line_start",)

    def __init__(self, line_ends: LineEnds = "canonical", max_line: int | None = None) -> None:
        super().__init__(line_ends, max_line)
        self._at_line_start = True

    def encode(self, chunk: Chunk) -> bytes:
        """The wire form of *chunk*, behind what came before; the chunk itself if nothing changes.

        A CR at the end is handed on with the next chunk, or by `finish`.

        Raises:
            InvalidContent: strict, and a bare CR or LF; a line beyond *max_line*; or the content
                was finished already.
        """
        octets = self._feed(chunk)
        if not octets:
            return octets
        # Base64 has no dots, and looking for a single octet costs nothing.
        if b"." in octets:
            dot_first = self._at_line_start and octets.startswith(b".")
            if _LEADING_DOT.search(octets):
                octets = octets.replace(b"\n.", b"\n..")
            if dot_first:
                octets = b"." + octets
        self._at_line_start = octets.endswith(b"\n")
        return octets

    def finish(self) -> bytes:
        """The end of data: ``.CRLF``, with a CRLF before it if the content lacks one.

        Raises:
            InvalidContent: strict, and the content ends with a bare CR; or it was finished before.
        """
        rest = self._close()
        if self._at_line_start and not rest:
            return b".\r\n"
        return b"\r\n.\r\n"


class Encoded(bytes):
    """A whole content in the form that DATA wants, end of data included; see `encoded`."""

    __slots__ = ()


def encoded(content: bytes) -> Encoded:
    """The wire form of a whole content, its end of data included (RFC 5321 §4.5.2)."""
    encoder = ContentEncoder()
    octets = encoder.encode(content)
    return Encoded(octets + encoder.finish())


def canonical(content: bytes) -> bytes:
    """A whole content with canonical line ends: what `canonical_chunks` makes of it."""
    # Twice as quick as counting CR, LF and CRLF, as long as copies are small.
    if content.replace(b"\r", b"").replace(b"\n", b"\r\n") == content:
        return content
    return b"".join(canonical_chunks((content,)))


class _Chunks(_LineEnds):
    """Content with canonical line ends and nothing else changed."""

    __slots__ = ()

    def of(self, chunks: Iterable[Chunk]) -> Iterator[bytes]:
        for chunk in chunks:
            octets = self._feed(chunk)
            if octets:
                yield octets
        rest = self._close()
        if rest:
            yield rest


def canonical_chunks(
    chunks: Iterable[Chunk], line_ends: LineEnds = "canonical", max_line: int | None = None
) -> Iterator[bytes]:
    """The same content for BDAT: line ends canonical, no dots stuffed, no end of data.

    Chunks keep their bounds, but for a CR at the end; none is empty. Nothing is appended: a last
    line without CRLF stays so.

    Raises:
        InvalidContent: as for `ContentEncoder`.
    """
    yield from _Chunks(line_ends, max_line).of(chunks)


def decode_content(wire: bytes) -> bytes:
    """The content whose whole wire form, end of data included, is *wire*.

    Raises:
        InvalidContent: the end of data is missing or has something behind it, or there is a bare
            CR or LF.
    """
    bare = _BARE.search(wire)
    if bare is not None:
        raise InvalidContent(f"a bare CR or LF at octet {bare.start()}", _SECTION)
    # The CRLF of the DATA command is the first half of the end of an empty content.
    end = (b"\r\n" + wire).find(b"\r\n.\r\n")
    if end < 0 or end + 3 != len(wire):
        raise InvalidContent("content whose end is not where its data end", "5321 §4.1.1.4")
    body = wire[:end]
    if body.startswith(b"."):
        body = body[1:]
    return body.replace(b"\r\n.", b"\r\n")
