"""What happens in a pool, for logs; and how its connections are used."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fsm_smtp.pool.server import Server

What = Literal["opened", "reused", "closed", "failed"]
By = Literal["pool", "server", "borrower", "network"]


@dataclass(frozen=True, slots=True)
class PoolEvent:
    """One thing that happened to one connection of a pool.

    Attributes:
        server: whom it leads to.
        what: ``opened``: it is there. ``reused``: RSET proved it, and it was given out again.
            ``closed``: it is gone. ``failed``: it could not be made.
        by: who did that.
        why: one sentence.
    """

    server: Server
    what: What
    by: By
    why: str


PoolObserver = Callable[[PoolEvent], None]


@dataclass(frozen=True, slots=True)
class Usage:
    """How the connections of a pool are used at a moment.

    Attributes:
        size: how many there may be.
        lent: given out, or being opened or proved for somebody.
        idle: open, and wanted by nobody.
        waiting: how many wait for one.
    """

    size: int
    lent: int
    idle: int
    waiting: int

    def __str__(self) -> str:
        return (
            f"of {self.size} connections {self.lent} are lent and {self.idle} idle, "
            f"{self.waiting} wait"
        )
