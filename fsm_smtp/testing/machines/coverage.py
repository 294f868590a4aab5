"""What the machines have seen of a server: standings, and every input in each of them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fsm_smtp.owed import ServerModel
from fsm_smtp.table.server_consistency import described
from fsm_smtp.table.server_model import Standing

#: A sequence of inputs behind the greeting.
Word = tuple[str, ...]


@dataclass
class Coverage:
    """The transitions of the table's server that were taken, by where the server stood.

    A transition is an input at a standing. All inputs that can be sent at a standing that the
    server was seen in are to be visited.

    Attributes:
        model: what servers owe.
        extensions: EHLO keywords that the server offers; inputs that need others do not count.
        visited: how often a transition was taken and how it was answered: (standing, input,
            first digit of the reply or the word).
        sessions: how many were opened.
        ways: a shortest sequence that was seen to lead to each standing.
    """

    model: ServerModel
    extensions: frozenset[str] = frozenset()
    visited: Counter[tuple[Standing, str, str]] = field(
        default_factory=Counter[tuple[Standing, str, str]]
    )
    sessions: int = 0
    ways: dict[Standing, Word] = field(default_factory=dict[Standing, Word])
    _pairs: set[tuple[Standing, str]] = field(default_factory=set[tuple[Standing, str]])

    def __post_init__(self) -> None:
        self.ways.setdefault(self.model.server.initial, ())

    def take(self, standing: Standing, name: str, outcome: str) -> bool:
        """Note a transition; whether it is new."""
        self.visited[standing, name, reply_class(outcome)] += 1
        new = (standing, name) not in self._pairs
        self._pairs.add((standing, name))
        return new

    def reach(self, standing: Standing, word: Word) -> None:
        """Note that *word* has led to *standing*."""
        known = self.ways.get(standing)
        if known is None or len(word) < len(known):
            self.ways[standing] = word

    @property
    def standings(self) -> tuple[Standing, ...]:
        """The standings that the server was seen in, but for the closed connection."""
        return tuple(one for one in self.ways if one[0] != "closed")

    def inputs(self, standing: Standing) -> tuple[str, ...]:
        """The inputs that can be sent at a standing."""
        return tuple(
            one.name
            for one in self.model.inputs(self.extensions)
            if self.model.owed(standing, one.name) is not None
        )

    def is_visited(self, standing: Standing, name: str) -> bool:
        """Whether a transition was taken."""
        return (standing, name) in self._pairs

    def unvisited(self) -> list[Word]:
        """For each transition that was not taken, a sequence that ends with it, short first."""
        words = [
            (*self.ways[standing], name)
            for standing in self.standings
            for name in self.inputs(standing)
            if not self.is_visited(standing, name)
        ]
        return sorted(words, key=len)

    @property
    def counts(self) -> tuple[int, int]:
        """Transitions taken, and transitions in all."""
        every = [(one, name) for one in self.standings for name in self.inputs(one)]
        return sum(self.is_visited(*pair) for pair in every), len(every)

    @property
    def share(self) -> float:
        """The part of the transitions that were taken, 0 to 1."""
        taken, every = self.counts
        return taken / every if every else 1.0

    def as_data(self) -> dict[str, Any]:
        """All of it as lists and strings, for another process."""
        return {
            "extensions": sorted(self.extensions),
            "visited": [[one, list(view), *rest] for (one, view), *rest in self.visited.elements()],
            "ways": [[mode, list(view), list(way)] for (mode, view), way in self.ways.items()],
        }

    def add(self, data: Mapping[str, Any]) -> None:
        """Take in what `as_data` has given."""
        self.extensions |= frozenset(data.get("extensions", ()))
        for mode, view, name, outcome in data.get("visited", ()):
            self.take((mode, tuple(view)), name, outcome)
        for mode, view, way in data.get("ways", ()):
            self.reach((mode, tuple(view)), tuple(way))

    def lines(self, most: int = 10) -> list[str]:
        """A report; of the transitions that were not taken the first few."""
        taken, every = self.counts
        lines = [
            f"{len(self.standings)} standings, {taken} of {every} transitions "
            f"({self.share:.0%}), {len(self.visited)} with their reply classes"
        ]
        left = self.unvisited()
        server = self.model.server
        for word in left[:most]:
            standing = next(one for one, way in self.ways.items() if way == word[:-1])
            lines.append(f"not visited: {word[-1]} in {described(server, standing)}")
        if left[most:]:
            lines.append(f"and {len(left) - most} more")
        return lines


def reply_class(outcome: str) -> str:
    """``2`` of ``250``; a word as it is."""
    return outcome[0] if outcome[:1].isdigit() else outcome
