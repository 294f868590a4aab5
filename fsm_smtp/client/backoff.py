"""How often and how fast to try again: pauses that grow (RFC 5321 §4.5.4.1 asks for patience)."""

from collections.abc import Iterator
from dataclasses import dataclass

from fsm_smtp.errors import ConnectionLost, ProtocolError, Rejected, ReplyTimeout


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses between attempts, each longer than the last.

    Attributes:
        attempts: how many in all.
        first: seconds of the first pause.
        factor: by how much each pause is longer than the one before.
        longest: seconds that no pause exceeds.
    """

    attempts: int = 5
    first: float = 1.0
    factor: float = 2.0
    longest: float = 300.0

    def pauses(self) -> Iterator[float]:
        """Seconds before each attempt but the first."""
        pause = self.first
        for _ in range(self.attempts - 1):
            yield min(pause, self.longest)
            pause *= self.factor


#: No second attempt.
ONCE = Backoff(attempts=1)


def may_help(error: ProtocolError) -> bool:
    """Whether the same attempt may end otherwise later: no connection, no reply, or 4yz."""
    if isinstance(error, Rejected):
        return 400 <= error.code < 500
    return isinstance(error, ConnectionLost | ReplyTimeout)
