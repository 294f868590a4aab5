"""The content of a message, from whatever the caller has, in pieces of bounded size."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from typing import BinaryIO, cast

from fsm_smtp.client.headers import without_bcc

#: Octets handled at once: large enough that the cost of a piece does not matter, small enough
#: that memory does not grow with the message.
PIECE = 64 * 1024

Source = bytes | bytearray | memoryview | Message | BinaryIO | Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the content has been sent.

    Attributes:
        increment: octets since the last report.
        current: octets so far.
        total: octets in all; ``None`` when that cannot be known.
    """

    increment: int
    current: int
    total: int | None


@dataclass(slots=True)
class Content:
    """Message content.

    Attributes:
        pieces: the octets, to be gone through once.
        size: how many octets, for SIZE (RFC 1870); ``None`` when it cannot be known beforehand.
        eight_bit: whether there are octets above 127; ``None`` when it cannot be known.
        whole: all of it, if it is one piece that nobody watches and that may be used again.
    """

    pieces: Iterator[bytes | memoryview]
    size: int | None
    eight_bit: bool | None
    whole: bytes | None = None

    @classmethod
    def of(cls, source: Source, *, seven_bit: bool = False, utf8: bool = False) -> "Content":
        """The content that *source* holds.

        Octets, an `email` message, a binary file (from where it stands; gone through twice when it
        can be rewound), or an iterable of octets.

        Args:
            source: these.
            seven_bit: of an `EmailMessage`, recode what has octets above 127 (RFC 6152 §3). Other
                sources stay as they are.
            utf8: of an `email` message, write the headers in UTF-8 (RFC 6532).

        Raises:
            TypeError: text; how it is encoded is the caller's to say.
        """
        if isinstance(source, bytes):
            whole = source if len(source) <= PIECE else None
            return cls(_slices(source), len(source), not source.isascii(), whole)
        if isinstance(source, str):
            raise TypeError("content is octets, not text: encode it first")
        if isinstance(source, Message):
            return cls.of(_serialised(source, seven_bit=seven_bit, utf8=utf8))
        if isinstance(source, bytearray | memoryview):
            view = memoryview(source).cast("B")
            return cls(_slices(view), len(view), not _all_ascii(view))
        if hasattr(source, "read"):
            return cls._of_file(cast(BinaryIO, source))
        return cls(iter(source), None, None)

    @classmethod
    def _of_file(cls, file: BinaryIO) -> "Content":
        if not file.seekable():
            return cls(_read(file), None, None)
        start = file.tell()
        size, eight_bit = 0, False
        for piece in _read(file):
            size += len(piece)
            eight_bit = eight_bit or not piece.isascii()
        file.seek(start)
        return cls(_read(file), size, eight_bit)

    def watch(self, tell: Callable[[Progress], object]) -> None:
        """From now on *tell* hears of each piece, once the next one is asked for."""
        self.pieces = _watched(self.pieces, self.size, tell)
        self.whole = None


def _watched(
    pieces: Iterator[bytes | memoryview], size: int | None, tell: Callable[[Progress], object]
) -> Iterator[bytes | memoryview]:
    current = 0
    for piece in pieces:
        yield piece
        current += len(piece)
        tell(Progress(len(piece), current, size))


def rewinder(source: Source) -> Callable[[], None] | None:
    """What makes *source* fit to be gone through again; ``None`` when it can be used only once."""
    if isinstance(source, bytes | bytearray | memoryview | Message | list | tuple):
        return lambda: None
    if hasattr(source, "read"):
        file = cast(BinaryIO, source)
        if file.seekable():
            start = file.tell()

            def rewind() -> None:
                file.seek(start)

            return rewind
    return None


def _serialised(message: Message, *, seven_bit: bool, utf8: bool) -> bytes:
    # The octets for the wire: no Bcc, CRLF, and what the caller's policy says otherwise.
    from email.generator import BytesGenerator
    from email.policy import EmailPolicy
    from io import BytesIO

    policy = message.policy
    if seven_bit:
        policy = policy.clone(cte_type="7bit")
    if utf8 and isinstance(policy, EmailPolicy):  # the old policy has no UTF-8 in headers
        policy = policy.clone(utf8=True)
    out = BytesIO()
    BytesGenerator(out, policy=policy).flatten(without_bcc(message), linesep="\r\n")
    return out.getvalue()


def _all_ascii(view: memoryview) -> bool:
    return all(bytes(piece).isascii() for piece in _slices(view))


def _slices(octets: bytes | memoryview) -> Iterator[bytes | memoryview]:
    if len(octets) <= PIECE:
        return iter((octets,))
    return (octets[start : start + PIECE] for start in range(0, len(octets), PIECE))


def _read(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece
