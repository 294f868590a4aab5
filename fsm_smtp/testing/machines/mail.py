"""Mail for a client under test, and what it says has become of it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from hypothesis import strategies as st

from fsm_smtp.testing.strategies.content import messages


@dataclass(frozen=True, slots=True)
class Mail:
    """A message and its envelope.

    Attributes:
        sender: the reverse-path, without angle brackets.
        recipients: the forward-paths, without angle brackets; one at least.
        content: the message, line ends CRLF.
    """

    sender: str
    recipients: tuple[str, ...]
    content: bytes


#: Sends a mail to the server at a host and port, in one session from connection to QUIT. Gives the
#: recipients that it believes accepted, ``None`` if it does not say, or raises.
Send = Callable[[str, int, Mail], Collection[str] | None]


def mails() -> st.SearchStrategy[Mail]:
    """Mail that every client can send: ASCII, some dots, up to three recipients."""
    recipients = st.lists(
        st.sampled_from(("a@example.test", "b@example.test", "c@example.test")),
        min_size=1,
        unique=True,
    ).map(tuple)
    return st.builds(Mail, st.just("sender@client.example.test"), recipients, messages())
