"""What a client says, without I/O: generators that yield what they need done.

A dialogue yields the requests of `fsm_smtp.client.requests`; `sync` and `aio` do these things and
nothing else. Which command may follow which is asked of the session, never known here.

`exchange` is a command and its reply, and what may come in place of it; everything else is made of
it: `opening` and `login`, `envelope` and `transaction` (with `chunks` and `limits`), `single`
commands, `proof`, `ending`.
"""

from collections.abc import Sequence

from fsm_smtp.client.callbacks import Credentials
from fsm_smtp.client.content import Source
from fsm_smtp.client.dialogue import ending, login, opening, proof, single, transaction
from fsm_smtp.client.dialogue.exchange import LAST_WORDS, Exchange
from fsm_smtp.client.message import Message
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

    def secure(self) -> Flow[Reply]:
        """See `opening.secure`."""
        return opening.secure(self)

    def login(self, who: Credentials, wanted: Sequence[str] | None = None) -> Flow[Reply]:
        """See `login.tried`."""
        return login.tried(self, who, wanted)

    def send(self, message: Message) -> Flow[SendResult]:
        """See `transaction.sent`."""
        return transaction.sent(self, message)

    def stream(self, source: Source) -> Flow[None]:
        """See `single.stream`."""
        return single.stream(self, source)

    def dot(self) -> Flow[Reply]:
        """See `single.dot`."""
        return single.dot(self)

    def bdat(self, chunk: bytes, *, last: bool) -> Flow[Reply]:
        """See `single.bdat`."""
        return single.bdat(self, chunk, last=last)

    def prove(self, seconds: float) -> Flow[Reply]:
        """See `proof.proved`."""
        return proof.proved(self, seconds)

    def quit(self, seconds: float | None = None) -> Flow[Reply | None]:
        """See `ending.quit_`."""
        return ending.quit_(self, seconds)
