"""What a model server answers to a client under test: each reply is chosen from outside."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from fsm_smtp.testing.server.deviations import Deviation, Deviations

#: In place of the handshake behind the 220 to STARTTLS.
HANDSHAKE: Final = "HANDSHAKE"
_TEMPORARY: Final = {"AUTH": "454 4.7.0 later", "RESPONSE": "454 4.7.0 later"}
_REFUSED: Final = {
    "GREETING": "554 no service here",
    "EHLO": "502 5.5.1 not implemented",
    "AUTH": "535 5.7.8 no",
    "RESPONSE": "535 5.7.8 no",
}


_ORDERS: Final[Mapping[str, Callable[[str], Deviation]]] = {
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


#: What a client may meet in a session, and what more if STARTTLS or AUTH is offered.
MET: Final = ("GREETING", "EHLO", "HELO", "MAIL", "RCPT", "DATA", ".", "BDAT", "RSET", "QUIT")
MET_WITH_TLS: Final = ("STARTTLS", HANDSHAKE)
MET_WITH_AUTH: Final = ("AUTH", "RESPONSE")


def deviation(kind: str, on: str) -> Deviation | None:
    """The order for a reply; ``None`` where the kind is the faithful one.

    Raises:
        KeyError: there is no such kind.
    """
    if (kind, on) == ("go on", "DATA"):
        return None
    return _ORDERS[kind](on)


class Order(NamedTuple):
    """What is answered to a command.

    Attributes:
        on: the verb; ``GREETING``, ``.`` for the end of data, ``RESPONSE`` for a line of a SASL
            exchange, or ``HANDSHAKE``, which fails whatever is said.
        number: the first, second … of its kind in the session; 0 for every one.
        kind: one of `KINDS`.
    """

    on: str
    number: int
    kind: str


class Chosen(Deviations):
    """Replies to order, by the command and its number.

    Attributes:
        last: what was asked for last, and its number.
    """

    def __init__(self, orders: Iterable[Order]) -> None:
        super().__init__()
        self.last: tuple[str, int] | None = None
        self._chosen = tuple(orders)
        self._met: Counter[str] = Counter()

    def due(self, on: str, argument: bytes = b"") -> Deviation | None:
        self._met[on] += 1
        self.last = on, self._met[on]
        for order in self._chosen:
            if order.on == on and order.number in (0, self._met[on]):
                return deviation(order.kind, on)
        return None
