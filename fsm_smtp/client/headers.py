"""Sender and recipients from a message's own headers (RFC 5322 §3.6.2, §3.6.3, §3.6.6)."""

from copy import copy
from email.message import Message
from email.utils import getaddresses

from fsm_smtp.errors import InvalidContent


def _block(message: Message) -> str:
    """``Resent-`` where the message was sent again, else nothing.

    Raises:
        InvalidContent: it was sent again more than once: which block counts, only the caller knows.
    """
    blocks = len(message.get_all("Resent-Date", []))
    if blocks > 1:
        raise InvalidContent(f"a message with {blocks} blocks of Resent- headers", "5322 §3.6.6")
    return "Resent-" if blocks else ""


def sender_of(message: Message) -> str:
    """The reverse-path that the headers give: Sender, or the first address of From.

    Raises:
        InvalidContent: they give none.
    """
    block = _block(message)
    for name in (f"{block}Sender", f"{block}From"):
        addresses = _addresses(message, name)
        if addresses:
            return addresses[0]
    raise InvalidContent(f"a message without {block}From", "5322 §3.6.2")


def recipients_of(message: Message) -> tuple[str, ...]:
    """The forward-paths that the headers give: To, Cc and Bcc, each address once.

    Raises:
        InvalidContent: they give none.
    """
    block = _block(message)
    found = [a for name in ("To", "Cc", "Bcc") for a in _addresses(message, block + name)]
    if not found:
        raise InvalidContent(f"a message without {block}To, {block}Cc, {block}Bcc", "5322 §3.6.3")
    return tuple(dict.fromkeys(found))


def without_bcc(message: Message) -> Message:
    """The message as it may be sent: a copy without Bcc and Resent-Bcc, if it has them."""
    if "Bcc" not in message and "Resent-Bcc" not in message:
        return message
    bare = copy(message)
    del bare["Bcc"]
    del bare["Resent-Bcc"]
    return bare


def _addresses(message: Message, name: str) -> list[str]:
    values = [str(value) for value in message.get_all(name, [])]
    return [address for _, address in getaddresses(values) if address]
