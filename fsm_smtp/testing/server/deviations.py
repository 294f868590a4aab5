"""What a server may be told to do otherwise, by command and by recipient: refuse, lie, drop, delay.

A fault (`faults`) is a mistake that the server always makes. A deviation is an order: "450 to the
second RCPT", "close at the end of data".
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import Any, ClassVar

from fsm_smtp.testing.server.conversation import Refused, Transaction
from fsm_smtp.testing.server.options import Options
from fsm_smtp.testing.server.record import SessionRecord
from fsm_smtp.testing.server.session import Session
from fsm_smtp.testing.server.wire import Ended, Wire
from fsm_smtp.yaml_source import Node, read_yaml

#: What `Deviation.on` may be beside a verb.
GREETING, END_OF_DATA, RESPONSE = "GREETING", ".", "RESPONSE"


@dataclass(frozen=True, slots=True)
class Deviation:
    """One order.

    Attributes:
        on: the verb whose reply it is about; ``GREETING``, ``.`` (the end of data) or
            ``RESPONSE`` (a line of a SASL exchange).
        recipient: only where this stands in the argument, such as an address.
        reply: said in place of the server's own, ``450 4.2.1 later``; lines are parted by LF.
            Without `lie` the command is not carried out.
        lie: the command is carried out as ever, and `reply` is said all the same.
        delay: seconds to wait before the reply.
        drop: the connection is closed: behind `reply`, or without one in place of the reply; with
            `lie` when the work is done.
        split: the reply is written in pieces of so many octets, with a pause between them.
        skip: so many times it is not done.
        times: then so many times it is done; ``None``: always.
    """

    on: str
    recipient: str | None = None
    reply: str | None = None
    lie: bool = False
    delay: float = 0.0
    drop: bool = False
    split: int | None = None
    skip: int = 0
    times: int | None = None

    def __post_init__(self) -> None:
        """Refuse what would do nothing.

        Raises:
            ValueError: nothing is ordered, or `reply` is none.
        """
        if not (self.reply or self.delay or self.drop or self.split):
            raise ValueError(f"a deviation on {self.on} that orders nothing")
        if self.reply is not None and not self.reply[:3].isdigit():
            raise ValueError(f"{self.reply!r} is no reply: it begins with no code")

    @property
    def octets(self) -> bytes | None:
        """`reply` as it is written: every line with the code that it has, or the first one's."""
        if self.reply is None:
            return None
        code, *_ = self.reply.split(None, 1)
        lines = self.reply.split("\n")
        lines = [line if line[:3].isdigit() else f"{code[:3]} {line}" for line in lines]
        first = [f"{line[:3]}-{line[4:]}" for line in lines[:-1]]
        return "".join(f"{line}\r\n" for line in (*first, lines[-1])).encode()

    def is_about(self, on: str, argument: bytes) -> bool:
        """Whether it is about a command."""
        if on != self.on.upper():
            return False
        return self.recipient is None or self.recipient.encode().lower() in argument.lower()


class Deviations:
    """The orders of a server, and how often each was met; all its sessions share them."""

    def __init__(self, orders: Iterable[Deviation] = ()) -> None:
        self._orders = [(order, [0]) for order in orders]

    def add(self, order: Deviation) -> None:
        """One order more; earlier ones come first."""
        self._orders.append((order, [0]))

    def clear(self) -> None:
        """No orders."""
        self._orders.clear()

    def due(self, on: str, argument: bytes = b"") -> Deviation | None:
        """The order for a command, counted as met."""
        for order, count in self._orders:
            if not order.is_about(on, argument):
                continue
            count[0] += 1
            number = count[0] - order.skip
            if number > 0 and (order.times is None or number <= order.times):
                return order
        return None


class _Answered(Exception):
    """An order has answered in the middle of a command, which ends there."""


class Ordered(Session):
    """A session that does as it is told."""

    orders: ClassVar[Deviations] = Deviations()
    #: The order for the reply that comes next.
    pending: Deviation | None = None

    def __init__(self, wire: Wire, options: Options, record: SessionRecord) -> None:
        super().__init__(wire, options, record)
        #: Those of this session alone.
        self.own = Deviations()

    def due(self, on: str, argument: bytes = b"") -> Deviation | None:
        """The order for a command."""
        return self.own.due(on, argument) or self.orders.due(on, argument)

    async def greet(self) -> None:
        if not self._instead(self.due(GREETING)):
            await super().greet()

    async def handle(self, verb: bytes, argument: bytes) -> None:
        # The octets of a chunk come in any case, and are no commands: BDAT is answered behind them.
        if verb == b"BDAT" or not self._instead(self.due(verb.decode("latin-1"), argument)):
            with suppress(_Answered):
                await super().handle(verb, argument)

    def take_chunk(self, transaction: Transaction, chunk: bytes, size: int) -> None:
        order = self.due("BDAT")
        if self._instead(order):
            if order is not None and (order.reply or "")[:1] in ("4", "5"):
                self.chunk_failed(transaction)
            raise _Answered
        super().take_chunk(transaction, chunk, size)

    def take_message(self, transaction: Transaction, content: bytes) -> None:
        if not self._instead(self.due(END_OF_DATA)):
            super().take_message(transaction, content)

    async def challenge(self, encoded: str) -> bytes:
        line = await super().challenge(encoded)
        order = self.due(RESPONSE)
        if order is not None and order.reply is not None and not order.lie:
            raise Refused(int(order.reply[:3]), "", order.reply[4:])
        self._instead(order)
        return line

    def transmit(self, octets: bytes) -> None:
        order, self.pending = self.pending, None
        if order is None:
            super().transmit(octets)
            return
        self._utter(order, order.octets or octets)

    def _instead(self, order: Deviation | None) -> bool:
        """Whether *order* is carried out in place of the command; else it waits for the reply."""
        if order is None or order.lie or not (order.reply or order.drop):
            self.pending = order
            return False
        self._utter(order, order.octets or b"")
        return True

    def _utter(self, order: Deviation, octets: bytes) -> None:
        if order.drop and not order.reply:
            raise Ended
        if order.delay or order.split:
            self._utter_slowly(order, octets)
        else:
            super().transmit(octets)
        if order.drop:
            raise Ended

    def _utter_slowly(self, order: Deviation, octets: bytes) -> None:
        self.heed_reply(octets)
        step = order.split or len(octets)
        pieces = (octets[start : start + step] for start in range(0, len(octets), step))
        pauses = chain([order.delay], repeat(BETWEEN_PIECES))
        self.wire.write_slowly(zip(pauses, pieces, strict=False))


#: Seconds between the pieces of a reply: long enough for each to be a segment of its own.
BETWEEN_PIECES = 0.005


def ordered(session: type[Session], orders: Deviations) -> type[Session]:
    """A session like *session* that heeds *orders*."""
    return type("OrderedSession", (Ordered, session), {"orders": orders})


def load_deviations(path: str | Path) -> list[Deviation]:
    """The orders of a YAML file: a list of mappings with the attributes of `Deviation`::

        - {on: RCPT, recipient: later@example.test, reply: "450 4.2.1 later", times: 1}
        - {on: ".", delay: 5}

    Raises:
        SpecError: it cannot be read or is no such list; with file, line and column.
    """
    return [_deviation(node) for node in read_yaml(path).sequence("a script")]


def _deviation(node: Node) -> Deviation:
    fields = node.fields("a deviation", required=("on",), optional=tuple(_READ))
    values = {name: _READ[name](field) for name, field in fields.items() if name != "on"}
    try:
        return Deviation(fields["on"].name("on"), **values)
    except ValueError as error:
        raise node.error(str(error)) from error


def _seconds(node: Node) -> float:
    if isinstance(node.scalar, bool) or not isinstance(node.scalar, int | float):
        raise node.error("delay must be a number of seconds")
    return float(node.scalar)


def _yes(node: Node) -> bool:
    if not isinstance(node.scalar, bool):
        raise node.error("this must be true or false")
    return node.scalar


_READ: dict[str, Callable[[Node], Any]] = {
    "recipient": lambda node: node.text("recipient"),
    "reply": lambda node: node.text("reply"),
    "lie": _yes,
    "delay": _seconds,
    "drop": _yes,
    "split": lambda node: node.number("split"),
    "skip": lambda node: node.number("skip"),
    "times": lambda node: node.number("times"),
}
