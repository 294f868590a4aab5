"""What a scripted server remembers of a connection."""

from dataclasses import dataclass, field


@dataclass
class Taken:
    """What one connection was.

    Attributes:
        clear: the octets from the client, in clear.
        secret: those under TLS.
        said: how many octets the server has given out.
        count: how many it has taken in.
        ended: ``by the script``; ``closed`` or ``reset`` by the client; ``cut``; or what the
            client did that the script does not know.
        peer: the client's address.
    """

    clear: bytearray = field(default_factory=bytearray)
    secret: bytearray = field(default_factory=bytearray)
    said: int = 0
    count: int = 0
    ended: str = "by the script"
    peer: object = None

    @property
    def octets(self) -> bytes:
        """All that the client has sent."""
        return bytes(self.clear + self.secret)

    @property
    def lines(self) -> list[bytes]:
        """The same, a line each, CRLF left out; what stands behind the last CRLF is no line."""
        return self.octets.split(b"\r\n")[:-1]
