"""What a fault is: the change of one hook of a faithful session, and the requirement it breaks."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from fsm_smtp.owed import Entry
from fsm_smtp.testing.server.conversation import Refused
from fsm_smtp.testing.server.options import EXTENSIONS, Options
from fsm_smtp.testing.server.session import Session

Command = Callable[[Session, bytes], Awaitable[None]]
#: What may stand in a session in place of something else: a method, or a class attribute.
Hook = Any


class Run(Enum):
    """How a check meets the server."""

    #: In the clear, STARTTLS offered, no credentials.
    CLEAR = "in the clear"
    #: TLS from the first octet, with credentials.
    SECURED = "under TLS, with credentials"
    #: AUTH offered in the clear, with credentials, STARTTLS offered.
    AUTHENTICATED = "in the clear, with credentials"
    #: LMTP in the clear, no credentials.
    LMTP = "as LMTP"


@dataclass(frozen=True, slots=True)
class Fault:
    """A single deviation from what is right.

    Attributes:
        name: what the server does wrong, as a phrase behind "it".
        breaks: the requirement, as the register numbers it.
        changes: by the name of a method or class attribute of `Session`, what stands there instead.
        options: what differs from the usual set-up, by the name in `Options`.
        run: how a check must meet it.
        recommended: the RFC only recommends what it breaks (SHOULD).
        unreachable: it does not let a check begin, which then says so.
        permitted: it breaks nothing, although it looks like that.
    """

    name: str
    breaks: str
    changes: Mapping[str, Hook]
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    run: Run = Run.CLEAR
    recommended: bool = False
    unreachable: bool = False
    permitted: bool = False

    def set_up(self, options: Options) -> Options:
        """*options* with what the fault needs."""
        return replace(options, **self.options)


#: Every fault by name.
FAULTS: dict[str, Fault] = {}
#: By name, what looks like a fault and is none.
LIBERTIES: dict[str, Fault] = {}


def fault(
    name: str,
    breaks: str,
    *,
    options: Mapping[str, Any] | None = None,
    run: Run = Run.CLEAR,
    recommended: bool = False,
    unreachable: bool = False,
    permitted: bool = False,
    hooks: Mapping[str, Hook] | None = None,
    **changes: Hook,
) -> None:
    """Declare a fault: *changes*, and *hooks* for those whose names are made up.

    Raises:
        ValueError: the name is taken, or a change hooks in where nothing is.
    """
    if name in FAULTS or name in LIBERTIES:
        raise ValueError(f"the fault {name!r} is declared twice")
    changes |= hooks or {}
    for hook in changes:
        if not hasattr(Session, hook):
            raise ValueError(f"the fault {name!r} changes {hook}, which a session does not have")
    (LIBERTIES if permitted else FAULTS)[name] = Fault(
        name, breaks, changes, options or {}, run, recommended, unreachable, permitted
    )


def liberty(name: str, leaves_open: str, **others: Any) -> None:
    """Declare what looks like a fault and is none: a case may remark on it, and must not blame.

    Args:
        name: what the server does, as a phrase behind "it".
        leaves_open: the requirement that leaves it open, or is not decided by it.
    """
    fault(name, leaves_open, permitted=True, **others)


def weakness(name: str, breaks: str, **others: Any) -> None:
    """Declare a fault against a recommendation (SHOULD)."""
    fault(name, breaks, recommended=True, **others)


def faulty(*names: str) -> type[Session]:
    """A session with these faults.

    Raises:
        KeyError: there is no such fault.
    """
    known = FAULTS | LIBERTIES
    changes = {hook: what for name in names for hook, what in known[name].changes.items()}
    return type("FaultySession", (Session,), {"shared": {}, **changes})


# What many faults are made of


def nothing(session: Session, *arguments: object) -> None:
    """A check that is left out."""


def no(session: Session, *arguments: object) -> bool:
    """A question that is always answered no."""
    return False


def yes(session: Session, *arguments: object) -> bool:
    """A question that is always answered yes."""
    return True


def same(session: Session, octets: bytes) -> bytes:
    """Nothing is changed where something should be."""
    return octets


def answers(code: int, status: str, text: str) -> Command:
    """A command that gets this reply and does nothing."""

    async def command(session: Session, argument: bytes) -> None:
        session.say(code, status, text)

    return command


def says(code: int, status: str, text: str) -> Callable[..., None]:
    """A hook that writes this reply and does nothing."""

    def hook(session: Session, *arguments: object) -> None:
        session.say(code, status, text)

    return hook


def refuses(code: int, status: str, text: str) -> Callable[..., Any]:
    """A check that always refuses, with this reply."""

    def check(session: Session, *arguments: object) -> None:
        raise Refused(code, status, text)

    return check


def and_then(name: str, action: Callable[[Session], object]) -> Command:
    """The command as it should be, and something behind it."""

    async def command(session: Session, argument: bytes) -> None:
        await getattr(Session, name)(session, argument)
        action(session)

    return command


def when_refused(name: str, action: Callable[[Session], object]) -> Command:
    """The command as it should be; if it is refused, something changes all the same."""

    async def command(session: Session, argument: bytes) -> None:
        try:
            await getattr(Session, name)(session, argument)
        except Refused:
            action(session)
            raise

    return command


def but_for(entry: str, instead: Callable[[Session], object] = nothing) -> Callable[..., None]:
    """The table's order but for one of its entries; there *instead* happens, and no refusal."""

    def out_of_order(session: Session, owed: Entry) -> None:
        if owed.id == entry:
            instead(session)
        else:
            Session.out_of_order(session, owed)

    return out_of_order


def writes(octets: bytes) -> Command:
    """A command that is answered with these octets as they stand."""

    async def command(session: Session, argument: bytes) -> None:
        session.transmit(octets)

    return command


def without(*keywords: str) -> frozenset[str]:
    """Every extension but these."""
    return frozenset(EXTENSIONS) - set(keywords)
