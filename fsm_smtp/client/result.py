"""What became of a message: a fate for each recipient, and nothing guessed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fsm_smtp.errors import ProtocolError
from fsm_smtp.wire import Reply

Outcome = Literal["accepted", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of the message for one recipient.

    Attributes:
        recipient: the address as given.
        outcome: ``accepted``: the server has taken responsibility (RFC 5321 §4.2.5). ``refused``:
            it has not. ``unknown``: the connection ended between the end of data and its reply.
        reply: the reply that decided it; ``None`` when the connection ended first.
        permanent: whether trying again is pointless (5yz); an end of the connection counts as
            transient (RFC 5321 §3.8).
    """

    recipient: str
    outcome: Outcome
    reply: Reply | None
    permanent: bool = False

    @property
    def status(self) -> str | None:
        """The enhanced status code (``5.1.1``, RFC 3463) of the reply, if it has one."""
        found = None if self.reply is None else self.reply.enhanced
        return None if found is None else ".".join(map(str, found))


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of one message.

    Attributes:
        sender: the reverse-path as given.
        fates: one for each recipient, in the order given.
        error: what cut the transaction short, if anything did.
    """

    sender: str
    fates: tuple[Fate, ...]
    error: ProtocolError | None = None

    @property
    def all_accepted(self) -> bool:
        """Whether every recipient was accepted."""
        return all(fate.outcome == "accepted" for fate in self.fates)

    def recipients(self, outcome: Outcome) -> tuple[str, ...]:
        """The recipients with this outcome."""
        return tuple(fate.recipient for fate in self.fates if fate.outcome == outcome)


class AllAccepted(SendResult):
    """The result of a message that was accepted for all: the fates are made when asked for."""

    __slots__ = ("_made", "_recipients", "_reply")

    _recipients: tuple[str, ...]
    _reply: Reply
    _made: tuple[Fate, ...] | None

    def __init__(self, sender: str, recipients: tuple[str, ...], reply: Reply) -> None:
        # What is frozen is set past its own lock, as dataclasses do it.
        put = object.__setattr__
        put(self, "sender", sender)
        put(self, "error", None)
        put(self, "_recipients", recipients)
        put(self, "_reply", reply)
        put(self, "_made", None)

    @property
    def fates(self) -> tuple[Fate, ...]:  # pyright: ignore[reportIncompatibleVariableOverride] -- read-only there, too
        """One for each recipient, in the order given."""
        made = self._made
        if made is None:
            made = tuple(Fate(each, "accepted", self._reply) for each in self._recipients)
            object.__setattr__(self, "_made", made)
        return made

    @property
    def all_accepted(self) -> bool:
        """True."""
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SendResult) and (self.sender, self.fates, self.error) == (
            other.sender,
            other.fates,
            other.error,
        )

    def __hash__(self) -> int:
        return hash((self.sender, self.fates))

    def __reduce__(self) -> tuple[type[SendResult], tuple[object, ...]]:
        return SendResult, (self.sender, self.fates, None)


class Fates:
    """Collects the fates of one message while it is being sent."""

    def __init__(self, sender: str, recipients: Sequence[str]) -> None:
        self._sender = sender
        self._recipients = tuple(recipients)
        self._fates: list[Fate | None] = [None] * len(self._recipients)
        #: Whether the end of data may have reached the server.
        self.ended = False

    def refuse(self, number: int, reply: Reply) -> None:
        """The recipient with this number was refused."""
        permanent = reply.first_digit == 5
        self._fates[number] = Fate(self._recipients[number], "refused", reply, permanent)

    @property
    def open(self) -> tuple[int, ...]:
        """The numbers of the recipients without a fate so far."""
        return tuple(number for number, fate in enumerate(self._fates) if fate is None)

    def settle(self, number: int, reply: Reply) -> None:
        """This reply decides for the recipient with this number."""
        digit = reply.first_digit
        outcome: Outcome = "accepted" if digit == 2 else "refused"
        self._fates[number] = Fate(self._recipients[number], outcome, reply, digit == 5)

    def decide(self, reply: Reply) -> None:
        """This reply decides for all who are still open."""
        digit = reply.first_digit
        self._close("accepted" if digit == 2 else "refused", reply, permanent=digit == 5)

    def result(self, error: ProtocolError | None = None) -> SendResult:
        """The result; who is still open was cut off by *error*."""
        if not all(self._fates):
            self._close("unknown" if self.ended else "refused", None)
        return SendResult(self._sender, tuple(filter(None, self._fates)), error)

    def _close(self, outcome: Outcome, reply: Reply | None, *, permanent: bool = False) -> None:
        for number, fate in enumerate(self._fates):
            if fate is None:
                self._fates[number] = Fate(self._recipients[number], outcome, reply, permanent)
