"""What a server remembers for the tests: sessions, and the messages that it has taken."""

from dataclasses import dataclass, field

from fsm_smtp.testing.server.watch import Violation


@dataclass(frozen=True, slots=True)
class Recipient:
    """A forward-path and its parameters, in upper case without their values' case touched."""

    path: bytes
    parameters: dict[bytes, bytes | None]


@dataclass(frozen=True, slots=True)
class Message:
    """A message for which the server has taken responsibility.

    Attributes:
        sender: the reverse-path, without brackets.
        parameters: those of MAIL.
        recipients: in the order of RCPT.
        content: as it was sent, dot-stuffing undone.
        trace: the Received field that stands in front of it (RFC 5321 §4.4).
    """

    sender: bytes
    parameters: dict[bytes, bytes | None]
    recipients: tuple[Recipient, ...]
    content: bytes
    trace: bytes


@dataclass(slots=True)
class SessionRecord:
    """One connection: the command lines and replies in their order, TLS and AUTH, the messages.

    Lines of an AUTH exchange are not kept. `violations` is what the client has done wrong.
    """

    lines: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    messages: list[Message] = field(default_factory=list[Message])
    violations: list[Violation] = field(default_factory=list[Violation])
    secured: bool = False
    user: str | None = None
    ended: bool = False

    @property
    def commands(self) -> list[bytes]:
        """What the client has sent as command lines."""
        return [line for who, line in self.lines if who == "C"]

    @property
    def replies(self) -> list[bytes]:
        """What the server has answered, each reply as it was written."""
        return [line for who, line in self.lines if who == "S"]
