"""What a client says, without I/O: generators that yield what they need done.

A dialogue yields the requests of `fsm_smtp.client.requests`; `sync` and `aio` do these things and
nothing else. Which command may follow which is asked of the session, never known here.

`exchange` is a command and its reply, and what may come in place of it; everything else is made of
it: `opening`, `login`, `envelope` and `transaction`, `ending`.
"""

from collections.abc import Sequence

from fsm_smtp.client.content import Content
from fsm_smtp.client.dialogue import ending, login, opening, transaction
from fsm_smtp.client.dialogue.envelope import Parameters
from fsm_smtp.client.dialogue.exchange import LAST_WORDS, Exchange
from fsm_smtp.client.requests import Flow
from fsm_smtp.client.result import SendResult
from fsm_smtp.wire import Reply

__all__ = ["LAST_WORDS", "Dialogue"]


class Dialogue(Exchange):
    """The dialogues of one client over one session."""

    def open(self) -> Flow[Reply]:
        """See `opening.opened`."""
        return opening.opened(self)

    def hello(self) -> Flow[Reply]:
        """See `opening.hello`."""
        return opening.hello(self)

    def start_tls(self) -> Flow[Reply]:
        """See `opening.start_tls`."""
        return opening.start_tls(self)

    def login(self, user: str, password: str) -> Flow[Reply]:
        """See `login.login`."""
        return login.login(self, user, password)

    def send(
        self,
        sender: str,
        recipients: Sequence[str],
        content: Content,
        parameters: Parameters | None = None,
    ) -> Flow[SendResult]:
        """See `transaction.sent`."""
        return transaction.sent(self, sender, recipients, content, parameters)

    def quit(self) -> Flow[Reply | None]:
        """See `ending.quit_`."""
        return ending.quit_(self)
