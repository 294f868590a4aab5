"""What a SASL mechanism is to us (RFC 4422), and where it is used."""

from dataclasses import dataclass
from typing import Protocol

from fsm_smtp.client.sasl.binding import Bound


class MechanismFailed(Exception):
    """The server's challenge is not what the mechanism asks for: the exchange must be cancelled."""


class Mechanism(Protocol):
    """A SASL mechanism for one exchange."""

    def initial(self) -> bytes | None:
        """The initial response, or ``None`` when the server speaks first."""
        ...

    def respond(self, challenge: bytes) -> bytes:
        """The response to a challenge, both decoded.

        Raises:
            MechanismFailed: there is none; nothing of the challenge is in the message.
        """
        ...

    def done(self) -> bool:
        """Whether a success now is believed: a server that must prove itself has done so."""
        ...


class Unproven:
    """A mechanism in which the server proves nothing."""

    def done(self) -> bool:
        """Always."""
        return True


@dataclass(frozen=True, slots=True)
class Place:
    """Where the mechanism is used.

    Attributes:
        host: the server's name, as the caller gave it.
        port: its port.
        secured: the TLS connection; ``None`` in clear.
        binds: whether the server offers channel binding.
    """

    host: str
    port: int
    secured: Bound | None = None
    binds: bool = False
