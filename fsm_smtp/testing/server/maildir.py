"""Messages into a Maildir, with the fields that a delivery adds (RFC 5321 §4.4)."""

import mailbox
from pathlib import Path

from fsm_smtp.testing.server.record import Message


class Maildir:
    """A Maildir; made, if it is not there.

    Args:
        path: its folder.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._box = mailbox.Maildir(path, factory=None, create=True)

    def deliver(self, message: Message) -> str:
        """Store *message*; gives its key in the Maildir."""
        return self._box.add(as_delivered(message))


def as_delivered(message: Message) -> bytes:
    """The message with Return-Path, a Delivered-To for each recipient, and the trace field."""
    fields = [b"Return-Path: <" + message.sender + b">\r\n"]
    fields += [b"Delivered-To: " + one.path + b"\r\n" for one in message.recipients]
    return b"".join([*fields, message.trace, message.content]).replace(b"\r\n", b"\n")
