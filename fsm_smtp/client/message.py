"""One message to be sent: content, envelope, wishes."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message as EmailLike
from typing import cast

from fsm_smtp.client.content import Source
from fsm_smtp.client.extensions import NOTHING, Extensions, Recipient
from fsm_smtp.client.headers import recipients_of, sender_of
from fsm_smtp.errors import InvalidCommand


@dataclass(frozen=True, slots=True)
class Message:
    """A message with its envelope.

    Attributes:
        source: the content; see `Content.of`.
        sender: the reverse-path without angle brackets; ``""`` for notifications.
        recipients: the forward-paths, as addresses or as `Recipient`.
        extensions: what is asked of the server's extensions.
    """

    source: Source
    sender: str
    recipients: tuple[str | Recipient, ...]
    extensions: Extensions = NOTHING

    @classmethod
    def of(
        cls,
        source: Source,
        sender: str | None = None,
        recipients: str | Sequence[str | Recipient] | None = None,
        extensions: Extensions | None = None,
    ) -> "Message":
        """What is not given is taken from the headers of *source*, if it is an `email` message.

        Sender or From; To, Cc and Bcc; the ``Resent-`` ones where there are some (RFC 5322 §3.6.6).

        Raises:
            InvalidContent: the headers do not give it.
            InvalidCommand: there is no recipient.
            TypeError: it is missing, and *source* has no headers.
        """
        if sender is None or recipients is None:
            if not isinstance(source, EmailLike):
                raise TypeError("sender and recipients: only an email message has headers")
            sender = sender_of(source) if sender is None else sender
            recipients = recipients_of(source) if recipients is None else recipients
        if isinstance(recipients, str):
            recipients = (recipients,)
        if not recipients:
            raise InvalidCommand("a message without recipients", "5321 §3.3")
        return cls(source, sender, tuple(recipients), extensions or NOTHING)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The recipients' addresses."""
        given = self.recipients
        for each in given:
            if not isinstance(each, str):
                return tuple(each if isinstance(each, str) else each.address for each in given)
        return cast(tuple[str, ...], given)
