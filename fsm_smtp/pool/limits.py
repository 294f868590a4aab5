"""How many connections to one server, and how long each may be used."""

from dataclasses import dataclass
from typing import Final

#: Messages over one connection. Some servers end a session after a number of messages (Exim's
#: default is 1,000): this many less, we end it ourselves.
MESSAGES: Final = 500

#: Seconds that a connection is used at most, so that a change of the server's addresses or
#: certificate takes effect, and a balancer gets to spread the load.
AGE: Final = 300.0

#: Seconds that a connection may be idle. RFC 5321 §4.5.3.2.7 has servers wait five minutes; under
#: load many wait a tenth of that. Who waits longer finds the connection closed.
IDLE: Final = 20.0

#: Seconds to wait for the reply that proves a connection. A server that needs longer for RSET is
#: no better than a new connection.
PROOF: Final = 10.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a pool keeps to, for each server.

    Attributes:
        connections: to one server at a time; only the pool's size limits them when ``None``.
        messages: over one connection; the server's own MAILMAX (RFC 9422 §4.1) when that is less.
        age: seconds from connecting until a connection is not given out any more.
        idle: seconds after which a connection that nobody wants is ended with QUIT.
        proof: seconds to wait for the reply to the RSET that proves a connection.

    Raises:
        ValueError: one of them is not above zero.
    """

    connections: int | None = None
    messages: int = MESSAGES
    age: float = AGE
    idle: float = IDLE
    proof: float = PROOF

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} is {value!r}, and must be above zero")
