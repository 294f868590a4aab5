"""What a client's machine has seen: where the client stood, what it did there, what it was told."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from fsm_smtp.configuration import Configuration
from fsm_smtp.testing.machines.replies import HANDSHAKE, Order
from fsm_smtp.testing.machines.scene import Scene

#: The classes of what may come in answer, and the kind of order that brings each about.
CLASSES: Final[Mapping[str, str | None]] = {
    "2yz": "taken for granted",
    "3yz": "go on",
    "4yz": "refused for now",
    "5yz": "refused",
    "421": "closing",
    "invalid": "no reply code",
    "dropped": "dropped",
}
#: The same for a handshake, which comes up without an order.
SHAKEN: Final[Mapping[str, str | None]] = {"up": None, "failed": "dropped"}


class Place(NamedTuple):
    """A moment at which the client waits.

    Attributes:
        configuration: the client's, by the table.
        asked: the trigger that it waits for an answer to: ``connect``, ``send_mail`` …, or
            ``handshake``.
    """

    configuration: Configuration
    asked: str

    @property
    def classes(self) -> Mapping[str, str | None]:
        """What may come there, and the kind of order for it."""
        return SHAKEN if self.asked == "handshake" else CLASSES

    def __str__(self) -> str:
        values = self.configuration.as_dict().items()
        told = [f"{name}={value}" for name, value in values if value not in ("no", "none", "up")]
        where = ", ".join(one for one in told if not one.startswith("awaiting="))
        return f"{self.asked} in {self.configuration.state} ({where})"


class Way(NamedTuple):
    """How a place was reached: a scene, and which command of it leads there."""

    scene: Scene
    on: str
    number: int


@dataclass
class ClientCoverage:
    """The answers that a client has met, by where it stood and what it had asked.

    An answer is of a class; every class at every place that the client was seen at is to be met.

    Attributes:
        visited: place, class → how often.
        ways: how each place was reached first.
    """

    visited: Counter[tuple[Place, str]] = field(default_factory=Counter[tuple[Place, str]])
    ways: dict[Place, Way] = field(default_factory=dict[Place, Way])
    _tried: set[tuple[Place, str]] = field(default_factory=set[tuple[Place, str]])

    def take(self, place: Place, outcome: str, way: Way | None) -> None:
        """Note an answer."""
        self.visited[place, outcome] += 1
        if way is not None:
            self.ways.setdefault(place, way)

    @property
    def configurations(self) -> frozenset[Configuration]:
        """Those in which the client was seen to wait."""
        return frozenset(place.configuration for place, _ in self.visited)

    def unvisited(self) -> list[tuple[Place, str]]:
        """Classes that were not met at places that were reached."""
        places = dict.fromkeys(place for place, _ in self.visited)
        every = [(place, one) for place in places for one in place.classes]
        return [pair for pair in every if pair not in self.visited]

    def scenes(self) -> Iterator[Scene]:
        """Scenes that lead to what was not met, each tried once."""
        for place, outcome in self.unvisited():
            way = self.ways.get(place)
            if way is None or (place, outcome) in self._tried:
                continue
            self._tried.add((place, outcome))
            kind, others = place.classes[outcome], way.scene.orders
            if kind is None:
                yield replace(way.scene, orders=tuple(one for one in others if one.on != way.on))
            else:
                yield replace(way.scene, orders=(Order(way.on, way.number, kind), *others))

    @property
    def counts(self) -> tuple[int, int]:
        """Classes met, and classes in all."""
        every = sum(len(place.classes) for place in {place for place, _ in self.visited})
        return every - len(self.unvisited()), every

    @property
    def share(self) -> float:
        """The part of the classes that were met, 0 to 1."""
        met, every = self.counts
        return met / every if every else 1.0

    def lines(self, most: int = 10) -> list[str]:
        """A report; of what was not met the first few."""
        met, every = self.counts
        states = {one.state for one in self.configurations}
        lines = [
            f"{len(states)} states, {len(self.configurations)} configurations, {met} of {every} "
            f"configurations × triggers × reply classes ({self.share:.0%})"
        ]
        left = self.unvisited()
        lines += [f"not met: {outcome} to {place}" for place, outcome in left[:most]]
        if left[most:]:
            lines.append(f"and {len(left) - most} more")
        return lines


def way_of(scene: Scene, asked: str, last: tuple[str, int] | None) -> Way | None:
    """How *asked* was reached, if an order can change what is answered there."""
    if asked == "handshake":
        return Way(scene, HANDSHAKE, 0)
    return Way(scene, *last) if last is not None else None
