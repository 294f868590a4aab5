"""What a dialogue asks its adapter to do, and what it gets back.

- octets: write them; send back True, False when the connection is broken, None when time ran out;
- a `Wait`: write its octets, if it has any, then read; send back the octets read, empty ones at
  the end of the stream, None when time ran out, False when the connection broke while writing;
- `GLANCE`: read what is here already; send back octets, empty ones at the end, None for nothing;
- `HANDSHAKE`: start TLS; send back None, the error, or the octets that came before it;
- `RECONNECT`: close the connection and make a new one, as far as EHLO; send back None or the error.
"""

from collections.abc import Generator
from typing import Final, TypeVar

_T = TypeVar("_T")


class Wait:
    """Something must come from the server within `seconds`, however many reads that takes.

    Most waits follow a command: it goes with the wait, as `octets`, and saves a request of its own.
    The adapter empties them when they are written.
    """

    __slots__ = ("before", "deadline", "octets", "seconds")

    def __init__(self, seconds: float, octets: bytes = b"") -> None:
        self.seconds = seconds
        self.octets = octets
        #: When it ends, on the adapter's clock; set by the adapter at its first read.
        self.deadline: float | None = None
        #: Seconds waited already, where this wait goes on with another one.
        self.before = 0.0

    @property
    def waited(self) -> float:
        """Seconds waited in all, once this wait has run out."""
        return self.before + self.seconds


class _Handshake:
    """The request to start TLS."""


HANDSHAKE: Final = _Handshake()


class _Reconnect:
    """The request for another connection."""


RECONNECT: Final = _Reconnect()


class _Glance:
    """The request to read without waiting."""


GLANCE: Final = _Glance()

Request = bytes | Wait | _Handshake | _Glance | _Reconnect
Answer = bytes | bool | Exception | None
Flow = Generator[Request, Answer, _T]
