"""What a guard raises, one class a kind of finding.

Each is also one of the package's own errors (`CommandRefused`, `InvalidCommand`, …). Where a host
library has errors that its callers catch, its adapter derives from these and from those.
"""

from collections.abc import Callable
from typing import Final

from fsm_smtp.errors import (
    CommandRefused,
    InvalidCommand,
    InvalidContent,
    MalformedReply,
    ProtocolError,
    UnexpectedReply,
)
from fsm_smtp.guard.findings import Finding, Kind

#: Triggers that end the session.
_ENDING: Final = frozenset({"send_quit", "close"})


class GuardError(ProtocolError):
    """A guard has blocked something. Never raised itself.

    Attributes:
        finding: what was found.
        state: name of the state, as in the table (``SMTP_MAIL``).
        command: the command line, redacted; ``None`` where there is none.
        legal: client triggers that are legal now, where order was broken.
        why: what is wrong, in words.
        rfc: the section that says so.
        transcript: the last lines of the session, redacted; a traceback shows them too.
    """

    finding: Finding
    state: str
    command: str | None
    legal: tuple[str, ...]
    why: str
    rfc: str
    transcript: tuple[str, ...]

    def __init__(self, finding: Finding) -> None:
        self.args = (str(finding),)
        self.finding = finding
        self.state = finding.state
        self.command = finding.command
        self.legal = finding.legal
        self.why = finding.why
        self.rfc = finding.rfc
        self.transcript = finding.transcript
        if finding.transcript:
            self.add_note("The session until then:\n" + "\n".join(finding.transcript))


class GuardedCommand(GuardError, CommandRefused):
    """A command, or content, that is not legal now. Nothing was written, nothing has changed."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.trigger = finding.trigger or ""


class GuardedOffer(GuardedCommand):
    """A command that needs an extension which the server does not offer. Nothing was written."""


class GuardedLine(GuardError, InvalidCommand):
    """A command line that must not be put on the wire. Nothing was written. A `ValueError`."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.what = finding.why


class GuardedContent(GuardError, InvalidContent):
    """Content that must not be sent as it is; nothing of this piece was written. A `ValueError`."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.what = finding.why


class GuardedReply(GuardError, UnexpectedReply):
    """A reply that the protocol does not allow here; the session is over."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.reply = finding.reply or ""


class GuardedOctets(GuardError, MalformedReply):
    """Octets of the server that are no reply; the session is over."""

    state: str  # there always is one here

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.what = finding.why
        self.received = (finding.reply or "").encode()[:80]


#: What makes the error to raise from a finding.
ErrorMaker = Callable[[Finding], GuardError]


def error_maker(
    order: type[GuardError],
    offer: type[GuardError],
    line: type[GuardError],
    content: type[GuardError],
    reply: type[GuardError],
    octets: type[GuardError],
    *,
    over: type[GuardError],
    greeting: type[GuardError],
) -> ErrorMaker:
    """What makes errors of these classes, one for each kind of finding that is blocked.

    Args:
        order, offer, line, content, reply, octets: as the classes of this module.
        over: a command where only QUIT or closing is left.
        greeting: a greeting that is none.
    """
    kinds = {
        Kind.ORDER: order,
        Kind.OFFER: offer,
        Kind.LINE: line,
        Kind.GRAMMAR: line,
        Kind.CONTENT: content,
        Kind.REPLY: reply,
        Kind.MALFORMED: octets,
    }

    def made(finding: Finding) -> GuardError:
        if finding.kind is Kind.ORDER and _ENDING.issuperset(finding.legal):
            return over(finding)
        if finding.culprit == "server" and finding.trigger is not None and finding.command is None:
            return greeting(finding)
        return kinds[finding.kind](finding)

    return made


#: Makes the errors of this module.
error_for: Final = error_maker(
    *(GuardedCommand, GuardedOffer, GuardedLine, GuardedContent, GuardedReply, GuardedOctets),
    over=GuardedCommand,
    greeting=GuardedReply,
)
