"""What a model server answers to a client under test: each reply is chosen from outside."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from fsm_smtp.testing.server.deviations import Deviation, Deviations

#: As a faithful server answers.
FAITHFUL: Final = "faithful"
_TEMPORARY: Final = {"AUTH": "454 4.7.0 later", "RESPONSE": "454 4.7.0 later"}
_REFUSED: Final = {
    "GREETING": "554 no service here",
    "EHLO": "502 5.5.1 not implemented",
    "AUTH": "535 5.7.8 no",
    "RESPONSE": "535 5.7.8 no",
}


_ORDERS: Final[Mapping[str, Callable[[str], Deviation] | None]] = {
    FAITHFUL: None,
    "refused for now": lambda on: Deviation(on, reply=_TEMPORARY.get(on, "451 4.3.0 later")),
    "refused": lambda on: Deviation(on, reply=_REFUSED.get(on, "550 5.0.0 no")),
    "closing": lambda on: Deviation(on, reply="421 4.3.2 closing"),
    "dropped": lambda on: Deviation(on, drop=True),
    "done, then dropped": lambda on: Deviation(on, drop=True, lie=True),
    "taken for granted": lambda on: Deviation(on, reply="250 2.0.0 fine"),
    "go on": lambda on: Deviation(on, reply="354 go on"),
    "no reply code": lambda on: Deviation(on, reply="650 what"),
}
#: The replies to choose from, tame ones first.
KINDS: Final[tuple[str, ...]] = tuple(_ORDERS)


def deviation(kind: str, on: str) -> Deviation | None:
    """The order for one reply; ``None`` for the faithful one.

    Raises:
        KeyError: there is no such kind.
    """
    make = _ORDERS[kind]
    return None if make is None else make(on)


class Chosen(Deviations):
    """Orders by the number of the reply.

    Attributes:
        met: what each reply was to, and its kind.
    """

    def __init__(self, kinds: Sequence[str]) -> None:
        super().__init__()
        self._kinds = list(kinds)
        self.met: list[tuple[str, str]] = []

    def due(self, on: str, argument: bytes = b"") -> Deviation | None:
        kind = self._kinds[len(self.met)] if len(self.met) < len(self._kinds) else FAITHFUL
        self.met.append((on, kind))
        return deviation(kind, on)
