"""How far a composition is explored."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """What makes the runs finitely many configurations.

    Attributes:
        outstanding: commands that wait for replies at the same time, at most.
        each: how often one command that belongs to a message (RCPT, BDAT, …) comes in it, at most.
        departing: also what departs from RFC 3030 §2: a chunk before its envelope was answered.
    """

    outstanding: int = 8
    each: int = 2
    departing: bool = True
