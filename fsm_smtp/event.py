"""What a session tells its observer."""

from collections.abc import Callable
from dataclasses import dataclass

from fsm_smtp.wire import Reply


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, for transcripts and observers; credentials are redacted.

    Attributes:
        who: ``"C"`` for the client, ``"S"`` for the server, ``"-"`` for the connection.
        text: the line, the reply, or what happened; safe to print.
        before: name of the state before it.
        after: name of the state after it.
        trigger: the trigger it was.
        row: id of the row that fired.
        notes: what is not as it should be, each in a few words.
        reply: the reply itself, where it is one.
    """

    who: str
    text: str
    before: str
    after: str
    trigger: str
    row: str
    notes: tuple[str, ...] = ()
    reply: Reply | None = None


Observer = Callable[[Event], None]
