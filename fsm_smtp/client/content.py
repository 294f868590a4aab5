"""The content of a message, from whatever the caller has, in pieces of bounded size."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from typing import BinaryIO, cast

#: Octets handled at once: large enough that the cost of a piece does not matter, small enough
#: that memory does not grow with the message.
PIECE = 64 * 1024

Source = bytes | bytearray | memoryview | EmailMessage | BinaryIO | Iterable[bytes]


@dataclass(slots=True)
class Content:
    """Message content.

    Attributes:
        pieces: the octets, to be gone through once.
        size: how many octets, for SIZE (RFC 1870); ``None`` when it cannot be known beforehand.
        eight_bit: whether there are octets above 127; ``None`` when it cannot be known.
    """

    pieces: Iterator[bytes | memoryview]
    size: int | None
    eight_bit: bool | None

    @classmethod
    def of(cls, source: Source) -> "Content":
        """The content that *source* holds.

        Octets, an `EmailMessage`, a binary file (from where it stands; gone through twice when it
        can be rewound), or an iterable of octets.

        Raises:
            TypeError: text; how it is encoded is the caller's to say.
        """
        if isinstance(source, bytes):
            return cls(_slices(source), len(source), not source.isascii())
        if isinstance(source, str):
            raise TypeError("content is octets, not text: encode it first")
        if isinstance(source, EmailMessage):
            # Imported here: the policies cost more to import than everything else.
            from email.policy import SMTP

            return cls.of(source.as_bytes(policy=SMTP))
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


def _all_ascii(view: memoryview) -> bool:
    return all(bytes(piece).isascii() for piece in _slices(view))


def _slices(octets: bytes | memoryview) -> Iterator[bytes | memoryview]:
    if len(octets) <= PIECE:
        return iter((octets,))
    return (octets[start : start + PIECE] for start in range(0, len(octets), PIECE))


def _read(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece
