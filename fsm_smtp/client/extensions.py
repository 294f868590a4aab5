"""What a message may ask of a server's extensions, typed; and a recipient with its own wishes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from fsm_smtp.errors import InvalidCommand
from fsm_smtp.wire.grammar import xtext_encode

#: When the sender wants to be told (RFC 3461 §4.1); NEVER stands alone.
Notify = Literal["NEVER", "SUCCESS", "FAILURE", "DELAY"]
#: How much of the message a report of failure returns (RFC 3461 §4.3).
Ret = Literal["FULL", "HDRS"]
#: What the content is declared to be (RFC 6152 §2, RFC 3030 §3).
Body = Literal["7BIT", "8BITMIME", "BINARYMIME"]

_NOTIFY_ORDER = ("NEVER", "SUCCESS", "FAILURE", "DELAY")


@dataclass(frozen=True, slots=True)
class Recipient:
    """A recipient with wishes of its own.

    Attributes:
        address: the forward-path without angle brackets.
        notify: when to report on this recipient (NOTIFY, RFC 3461 §4.1); what the message says
            when empty.
        orcpt: the original recipient, ``"rfc822;a@example.com"`` or a bare address, which is taken
            as ``rfc822`` (ORCPT, RFC 3461 §4.2); written as xtext.
        parameters: other parameters of RCPT.
    """

    address: str
    notify: Collection[Notify] = ()
    orcpt: str | None = None
    parameters: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])


@dataclass(frozen=True, slots=True)
class DeliverBy:
    """Deliver within a time, or else (RFC 2852 §4).

    Attributes:
        seconds: from now, at most 999999999; with ``notify`` it may be negative.
        otherwise: ``"return"`` the message, or ``"notify"`` the sender and go on.
        trace: whether relays that do not know this are reported.
    """

    seconds: int
    otherwise: Literal["return", "notify"] = "return"
    trace: bool = False

    def __str__(self) -> str:
        if abs(self.seconds) > 999_999_999 or (self.otherwise == "return" and self.seconds < 1):
            raise InvalidCommand(f"delivery within {self.seconds} s", "2852 §4")
        mode = "R" if self.otherwise == "return" else "N"
        return f"{self.seconds};{mode}{'T' if self.trace else ''}"


@dataclass(frozen=True, slots=True)
class Extensions:
    """What one message asks of the server's extensions. The default asks for nothing.

    SIZE, 8BITMIME and SMTPUTF8 are used as the content and the addresses need them. What is asked
    for here and not offered is refused before MAIL (`NotOffered`).

    Attributes:
        ret: how much a report returns (RET, RFC 3461 §4.3).
        envid: an identifier of the envelope that reports carry (ENVID, RFC 3461 §4.4); written as
            xtext.
        notify: when to report on recipients that have no wish of their own (NOTIFY).
        body: what the content is; found out when ``None``. ``"BINARYMIME"`` sends it unchanged, by
            BDAT (RFC 3030 §3).
        chunking: send the content by BDAT in place of DATA (RFC 3030 §2).
        smtputf8: the headers have UTF-8 in them (RFC 6531 §3.4). Needless with addresses outside
            ASCII.
        require_tls: every hop under verified TLS, or the message goes back (RFC 8689).
        deliver_by: see `DeliverBy`.
        hold_for: seconds that the server shall hold the message back (RFC 4865 §4).
        submitter: on whose behalf it is submitted: a mailbox, or ``""`` for nobody known (AUTH=,
            RFC 4954 §5).
        parameters: other parameters of MAIL, beside these.
    """

    ret: Ret | None = None
    envid: str | None = None
    notify: Collection[Notify] = ()
    body: Body | None = None
    chunking: bool = False
    smtputf8: bool = False
    require_tls: bool = False
    deliver_by: DeliverBy | None = None
    hold_for: int | None = None
    submitter: str | None = None
    parameters: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])

    @property
    def by_chunks(self) -> bool:
        """Whether the content goes by BDAT."""
        return self.chunking or self.body == "BINARYMIME"

    def of_mail(self) -> dict[str, str | None]:
        """The parameters of MAIL that are asked for, BODY and those found out apart."""
        asked: dict[str, str | None] = {}
        if self.ret is not None:
            asked["RET"] = self.ret
        if self.envid is not None:
            asked["ENVID"] = xtext(self.envid)
        if self.require_tls:
            asked["REQUIRETLS"] = None
        if self.deliver_by is not None:
            asked["BY"] = str(self.deliver_by)
        if self.hold_for is not None:
            asked["HOLDFOR"] = str(self.hold_for)
        if self.submitter is not None:
            asked["AUTH"] = xtext(self.submitter) or "<>"
        asked.update(self.parameters)
        return asked

    def of_rcpt(self, recipient: Recipient) -> dict[str, str | None]:
        """The parameters of this recipient's RCPT."""
        asked: dict[str, str | None] = {}
        notify = recipient.notify or self.notify
        if notify:
            asked["NOTIFY"] = ",".join(sorted(notify, key=_NOTIFY_ORDER.index))
        if recipient.orcpt is not None:
            kind, semicolon, address = recipient.orcpt.partition(";")
            if not semicolon:
                kind, address = "rfc822", recipient.orcpt
            asked["ORCPT"] = f"{kind};{xtext(address)}"
        asked.update(recipient.parameters)
        return asked


def xtext(text: str) -> str:
    """*text* as xtext (RFC 3461 §4)."""
    return xtext_encode(text.encode()).decode("ascii")


#: Nothing is asked for: what most messages do.
NOTHING = Extensions()

#: The extension behind each parameter of MAIL and RCPT that a caller may ask for.
KEYWORDS: Mapping[str, tuple[str, str]] = {
    "RET": ("DSN", "3461 §4.3"),
    "ENVID": ("DSN", "3461 §4.4"),
    "NOTIFY": ("DSN", "3461 §4.1"),
    "ORCPT": ("DSN", "3461 §4.2"),
    "REQUIRETLS": ("REQUIRETLS", "8689 §2"),
    "BY": ("DELIVERBY", "2852 §4"),
    "HOLDFOR": ("FUTURERELEASE", "4865 §4"),
    "HOLDUNTIL": ("FUTURERELEASE", "4865 §4"),
    "AUTH": ("AUTH", "4954 §5"),
}
