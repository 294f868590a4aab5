"""What both clients know of themselves, whatever moves their octets."""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message as EmailLike
from typing import cast

from fsm_smtp.client.alone import Alone
from fsm_smtp.client.callbacks import Status
from fsm_smtp.client.delivery import Delivery, Reach
from fsm_smtp.client.dialogue import Dialogue
from fsm_smtp.client.message import Message
from fsm_smtp.client.observing import status_of
from fsm_smtp.client.options import Depth, Options
from fsm_smtp.client.requests import Flow
from fsm_smtp.client.result import SendResult
from fsm_smtp.client.sasl.binding import Bound
from fsm_smtp.command import SMTPCommand
from fsm_smtp.errors import ConnectionLost, NotConnected
from fsm_smtp.pipelined import PipelinedSession
from fsm_smtp.wire import Offers


@dataclass(frozen=True, slots=True)
class Closed:
    """How the last connection ended.

    Attributes:
        who: ``"server"``, ``"client"`` or ``"network"``.
        state: name of the state in which it ended.
        command: the last command that was sent on it, redacted; ``None`` before the first.
        why: in words.
    """

    who: str
    state: str
    command: str | None
    why: str


#: By the value of the table's variable `link`: who ends a connection that is closed now, and why.
_ENDS = {
    "up": ("client", "closed without QUIT"),
    "closing": ("server", "the server refused the session, or said 421"),
    "over": ("client", "closed, since the session could not go on"),
}


class ClientBase:
    """One client: where it connects to, how it behaves, and how it stands.

    Args:
        host: name or address; with *path* only the name for TLS.
        port: TCP port.
        options: security, credentials, names, times, callbacks.
        path: a Unix socket to connect to, in place of host and port.
        source_address: local address and port to connect from.
    """

    def __init__(
        self,
        host: str = "localhost",
        port: int = 25,
        options: Options | None = None,
        *,
        path: str | None = None,
        source_address: tuple[str, int] | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.path = path
        self.options = options or Options()
        self.source_address = source_address
        self._dialogue = Dialogue(self.options, host, port)
        self._alone = Alone(self._dialogue.session)
        self._closed: Closed | None = None
        self._reach = Reach()  # what is known of the server

    def __repr__(self) -> str:
        where = self.path or f"{self.host}:{self.port}"
        return f"<{type(self).__name__} {where} {self.session.configuration.state}>"

    @property
    def session(self) -> PipelinedSession:
        """The session: its state, what is legal, what was offered."""
        return self._dialogue.session

    @property
    def offers(self) -> Offers:
        """What EHLO offered, as far as it is in force."""
        return self.session.offers

    @property
    def state(self) -> SMTPCommand:
        """The state of the session."""
        return self.session.state

    @property
    def status(self) -> Status:
        """Where the connection stands."""
        return status_of(self.session.configuration)

    @property
    def closed(self) -> Closed | None:
        """How the last connection ended; ``None`` before that, and while there is one."""
        return self._closed if self.session.configuration["link"] == "down" else None

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, and the session on it is not about to end."""
        return self.session.configuration["link"] == "up"

    @property
    def is_ready(self) -> bool:
        """Whether a message can be sent now."""
        return self.session.may("send_mail") and not self.is_busy

    @property
    def is_busy(self) -> bool:
        """Whether a task is using the client, or a reply is awaited."""
        return self._alone.taken or self.session.configuration["awaiting"] != "nothing"

    @property
    def is_authenticated(self) -> bool:
        """Whether AUTH has succeeded on this connection."""
        return self.session.configuration["authenticated"] == "yes"

    @property
    def is_secure(self) -> bool:
        """Whether the connection is under TLS."""
        return self.session.configuration["tls"] == "yes"

    # -- inside ----------------------------------------------------------------------------------

    def _one(self, message: Message, *, goodbye: bool = False) -> Flow[SendResult | None]:
        on, reach, depth = self._dialogue, self._reach, self.options.depth
        if not goodbye and reach.depth(self.session, depth, many=False) == "lockstep":
            return on.send(message)
        return Delivery(on, (message,), reach, depth, many=False, goodbye=goodbye).next()

    def _many(
        self, messages: Iterable[Message | EmailLike], depth: Depth | None, *, goodbye: bool = False
    ) -> Delivery:
        wanted = (each if isinstance(each, Message) else Message.of(each) for each in messages)
        depth = depth or self.options.depth
        return Delivery(self._dialogue, wanted, self._reach, depth, goodbye=goodbye)

    def _spent(self, *, whole: bool) -> bool:
        """Whether only closing is left.

        Inside content or a SASL exchange, or ahead of replies, the session goes on; unless it is
        not *whole*: something broke off, and nobody knows what of it has reached the server.
        """
        may = self.session.may
        if may("send_noop") or may("send_quit"):
            return False
        if whole and self.session.outstanding and self.session.configuration["link"] == "up":
            return False
        return not (whole and (may("send_content") or may("send_response")))

    def _not_connected(self) -> NotConnected:
        closed = self._closed
        if closed is None:
            return NotConnected()
        return NotConnected(closed.who, closed.state, closed.command, closed.why)

    def _lost(self, error: ConnectionLost) -> ConnectionLost:
        """The connection could not be made."""
        self._closed = Closed(error.who, error.state, error.command, error.what)
        return error

    def _secured(self, secured: object, context: ssl.SSLContext) -> None:
        """The connection is under TLS."""
        self._dialogue.secured = cast("Bound", secured)
        verified = context.verify_mode == ssl.CERT_REQUIRED and context.check_hostname
        self._dialogue.verified = verified

    def _ended(self) -> None:
        """The connection has been closed on our side: the session hears of it."""
        dialogue, session = self._dialogue, self.session
        dialogue.secured, dialogue.verified = None, False
        state, command = session.configuration.state, session.last_command
        if dialogue.lost is not None:
            lost, dialogue.lost = dialogue.lost, None
            self._closed = Closed(lost.who, lost.state, lost.command, lost.what)
        elif session.may("close"):
            who, why = _ENDS[session.configuration["link"]]
            if command == "QUIT":
                who, why = "client", "closed by QUIT"
            self._closed = Closed(who, state, command, why)
        if session.may("close"):
            session.close()
