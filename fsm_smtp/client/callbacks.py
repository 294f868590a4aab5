"""What a client tells and asks while it works: the forms of its callbacks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from fsm_smtp.client.content import Progress
from fsm_smtp.command import SMTPCommand
from fsm_smtp.wire import Reply


class Status(Enum):
    """Where the connection stands, in the words that users know."""

    #: There is no connection.
    DISCONNECTED = "disconnected"
    #: The connection is being made, or the greeting is awaited.
    CONNECTING = "connecting"
    #: STARTTLS was accepted, and the handshake is to come.
    SECURING = "securing"
    #: AUTH is under way.
    AUTHORIZING = "authorizing"
    #: There is a session, and nobody has authenticated.
    CONNECTED = "connected"
    #: There is a session, and AUTH has succeeded.
    AUTHORIZED = "authorized"
    #: The session is over, or ends; the connection is still there.
    DISCONNECTING = "disconnecting"


@dataclass(frozen=True, slots=True)
class Response:
    """A reply has come.

    Attributes:
        reply: the reply.
        state: the state that it led to.
        command: the command that it answers, redacted; ``None`` for the greeting.
    """

    reply: Reply
    state: SMTPCommand
    command: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing has come in time.

    Attributes:
        state: the state.
        command: the command that waits for its reply, redacted; ``None`` for the greeting.
        seconds: how long has been waited in all.
    """

    state: SMTPCommand
    command: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who wants in, and by what. Secrets are never shown.

    Attributes:
        user: the user to authenticate as.
        password: for PLAIN, LOGIN, CRAM-MD5 and SCRAM.
        token: an OAuth 2.0 access token, for OAUTHBEARER and XOAUTH2.
    """

    user: str
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Logon:
    """Credentials are wanted.

    Attributes:
        attempt: 1 for the first time, then counting.
        mechanisms: what the server offers.
        reply: the refusal of the credentials before; ``None`` at the first attempt.
    """

    attempt: int
    mechanisms: tuple[str, ...]
    reply: Reply | None


OnCommand = Callable[[str], object]
OnResponse = Callable[[Response], object]
OnState = Callable[[SMTPCommand, SMTPCommand], object]
OnStatus = Callable[[Status], object]
OnProgress = Callable[[Progress], object]
#: Gives how many seconds more to wait, or ``None`` to give up.
OnTimeout = Callable[[Waiting], float | None]
#: Gives credentials, or ``None`` to give up.
OnLogon = Callable[[Logon], Credentials | None]
