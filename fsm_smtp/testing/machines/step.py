"""A step of a session with a server under test."""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Step:
    """What is sent at a time.

    Attributes:
        names: inputs of the table; several are written at once.
        pieces: the octets of the only input, each piece written apart, where they differ from
            the table's.
    """

    names: Sequence[str]
    pieces: tuple[bytes, ...] | None = None

    @property
    def plainer(self) -> tuple["Step", ...]:
        """Steps that say the same in a plainer way."""
        if len(self.names) > 1:
            return tuple(Step((name,)) for name in self.names)
        return (replace(self, pieces=None),)
