"""What a guard finds: one thing that is not as the protocol has it, with its place and source."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a finding is about; each kind has an error of its own (`fsm_smtp.guard.errors`)."""

    #: A command, or content, that is not legal now.
    ORDER = "order"
    #: A command line that is no line: control octets, no CRLF, no verb.
    LINE = "line"
    #: A parameter, or octets above 7F, of an extension that was not offered.
    OFFER = "offer"
    #: An address, a parameter or a length against its grammar.
    GRAMMAR = "grammar"
    #: Content with bare CR or LF, or that ends before its end.
    CONTENT = "content"
    #: A reply that nobody asked for, or that the protocol does not allow here.
    REPLY = "reply"
    #: Octets of the server that are no reply.
    MALFORMED = "malformed"
    #: The connection was closed when it should not have been.
    CLOSE = "close"
    #: Credentials or mail go where anybody may read them.
    EXPOSED = "exposed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be. Credentials are redacted.

    Attributes:
        kind: what it is about.
        violation: whether it breaks the protocol; else it is untidy, and never blocked.
        culprit: ``"client"`` or ``"server"``.
        state: name of the state, as in the table (``SMTP_MAIL``).
        command: the command line that it is about or that the reply answers; ``None`` for none.
        trigger: the trigger of that command (``send_mail``); ``None`` where there is none.
        legal: client triggers that are legal now; empty unless the kind is `Kind.ORDER`.
        why: what is wrong, in words.
        rfc: the section that says so (``5321 §3.3``).
        reply: the reply that it is about; ``None`` for a finding about the client.
        transcript: the last lines of the session before it, oldest first, ``C: `` or ``S: `` first.
    """

    kind: Kind
    violation: bool
    culprit: str
    state: str
    command: str | None
    trigger: str | None
    legal: tuple[str, ...]
    why: str
    rfc: str
    reply: str | None = None
    transcript: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f"in {self.state}: {self.why} (RFC {self.rfc})"
        if self.reply is not None:
            to = f" to {self.command!r}" if self.command is not None else ""
            return f"reply {self.reply!r}{to} {where}"
        what = self.command if self.command is not None else self.trigger
        subject = f"{what!r} " if what is not None else ""
        if self.kind is Kind.ORDER:
            allowed = f". Legal now: {', '.join(self.legal)}" if self.legal else ""
            return f"{subject or 'What follows '}is not legal {where}{allowed}"
        return f"{subject}{where}"
