"""The steps of a script."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: Octets that the server takes in or gives out on one connection at most.
MOST = 80 * 1024 * 1024


@dataclass(frozen=True)
class Line:
    """Take in a line; it begins with *start*, in any case of letters, or the script ends."""

    start: bytes = b""


@dataclass(frozen=True)
class Say:
    """Give out *octets*, in one write, so many *times*."""

    octets: bytes
    times: int = 1


@dataclass(frozen=True)
class Drip:
    """Give out *octets* one at a time, with a pause of so many seconds before each."""

    octets: bytes
    pause: float


@dataclass(frozen=True)
class Body:
    """Take in content up to its end of data, or only so many octets of it."""

    most: int = MOST


@dataclass(frozen=True)
class Pause:
    """Do nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Hold:
    """Say nothing more, and go on reading until the client goes away."""


@dataclass(frozen=True)
class Handshake:
    """Start TLS. That the client has sent something ahead of it fails the test, if not *kept*.

    A server that keeps it takes what came in clear for what came under TLS (CVE-2011-0411).
    """

    context: ssl.SSLContext
    kept: bool = False


@dataclass(frozen=True)
class Close:
    """Close the connection, with *reset* so that the client's kernel discards what it has."""

    reset: bool = False


@dataclass(frozen=True)
class Answer:
    """Answer every command by its verb, whatever the order, until QUIT or the client goes away.

    Behind a reply 354 to DATA, content is taken in and answered as ``.``; BDAT takes its octets
    in before it is answered; behind a reply 220 to STARTTLS comes the handshake, and without one
    the client's is answered like a command that nobody knows.

    Attributes:
        replies: octets by verb, in upper case, or by ``.``; empty ones say nothing. Without, DATA
            gets 354, QUIT 221 and ``.`` 250.
        other: what is said to every other line.
        handshake: the one behind STARTTLS.
    """

    replies: Mapping[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    other: bytes = b"250 ok\r\n"
    handshake: Handshake | None = None


Step = Line | Say | Drip | Body | Pause | Hold | Handshake | Close | Answer
Script = Sequence[Step]
