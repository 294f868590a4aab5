"""How a client behaves: security, credentials, names, times, and whom it tells."""

import ssl
from dataclasses import dataclass, field
from typing import Literal

from fsm_smtp.client.backoff import Backoff
from fsm_smtp.client.callbacks import (
    Credentials,
    OnCommand,
    OnLogon,
    OnProgress,
    OnResponse,
    OnState,
    OnStatus,
    OnTimeout,
)
from fsm_smtp.event import Observer

#: ``none``: in clear. ``opportunistic``: STARTTLS when it is offered and accepted, else in clear.
#: ``starttls``: STARTTLS or nothing (RFC 3207 §6). ``tls``: TLS from the first octet (RFC 8314).
Security = Literal["none", "opportunistic", "starttls", "tls"]

#: ``lmtp``: LHLO, and a reply for each recipient after the content (RFC 2033).
Protocol = Literal["smtp", "lmtp"]

#: How far to run ahead of replies (RFC 2920); see `fsm_smtp.client.delivery`.
Depth = Literal["lockstep", "group", "full", "window"]

#: How long to wait for a connection when no timeout was given: as long as for the greeting.
CONNECT_SECONDS = 300.0

#: What a depth of ``window`` may put at stake.
MOST_IN_WINDOW = 1000


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of a client.

    Attributes:
        security: see `Security`.
        user: the user to authenticate as; no authentication when ``None``, unless *on_logon* gives
            one or *mechanisms* names EXTERNAL.
        password: the user's password; never shown.
        token: the user's OAuth 2.0 access token, in place of a password; never shown.
        mechanisms: the SASL mechanisms to use, best first; ``None`` for all that are sound
            (`sasl.DEFAULT`), which CRAM-MD5 and EXTERNAL are not without being named.
        clear_auth: whether credentials may be sent without TLS.
        ehlo_name: the client's domain or address literal (RFC 5321 §4.1.1.1); the literal of the
            local address when ``None``.
        protocol: see `Protocol`.
        depth: how far to run ahead of replies: see `Depth`. When ``None``, MAIL, RCPT and DATA go
            in one write where PIPELINING is offered, and of many messages the next envelope goes
            behind the end of the content, as long as the server does not show that it cannot.
        window: messages in the air in the depth ``window``, 1 to 1000: so many may be of unknown
            fate when the connection breaks.
        timeout: seconds to wait for the connection, a handshake, each reply and each write; the
            table's, after RFC 5321 §4.5.3.2, when ``None``.
        reconnect: how often and how fast `connect` tries again where that may help; once when
            ``None``.
        tls: the TLS settings; certificates and names are verified by default.
        server_name: the name that the certificate must have; the host when ``None``.
        observer: called with an `Event` for everything that happens.
        on_command: called with each line sent, redacted.
        on_response: called with a `Response` for each reply.
        on_state: called with the state before and after, when it changes.
        on_status: called with a `Status` when it changes.
        on_progress: called with a `Progress` for each piece of content.
        on_timeout: called with a `Waiting` when a reply does not come in time; gives how many
            seconds more to wait, or ``None`` to give up.
        on_logon: called with a `Logon` when credentials are wanted; gives `Credentials`, or
            ``None`` to give up. With it, 535 lets the user try again.
    """

    security: Security = "none"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    mechanisms: tuple[str, ...] | None = None
    clear_auth: bool = False
    ehlo_name: str | None = None
    protocol: Protocol = "smtp"
    depth: Depth | None = None
    window: int = 32
    timeout: float | None = None
    reconnect: Backoff | None = None
    tls: ssl.SSLContext | None = None
    server_name: str | None = None
    observer: Observer | None = None
    on_command: OnCommand | None = None
    on_response: OnResponse | None = None
    on_state: OnState | None = None
    on_status: OnStatus | None = None
    on_progress: OnProgress | None = None
    on_timeout: OnTimeout | None = None
    on_logon: OnLogon | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.window <= MOST_IN_WINDOW:
            raise ValueError(
                f"a window of {self.window} messages: 1 to {MOST_IN_WINDOW} are possible"
            )

    @property
    def seconds(self) -> float:
        """Seconds to wait for the connection, a handshake and a write."""
        return self.timeout or CONNECT_SECONDS

    @property
    def credentials(self) -> Credentials | None:
        """Those given here, if any."""
        if self.user is None:
            return None
        return Credentials(self.user, self.password, self.token)

    @property
    def authenticates(self) -> bool:
        """Whether authentication is wanted."""
        external = self.mechanisms is not None and "EXTERNAL" in self.mechanisms
        return self.user is not None or self.on_logon is not None or external

    def tls_context(self) -> ssl.SSLContext:
        """The TLS settings to use."""
        return self.tls if self.tls is not None else ssl.create_default_context()

    def policies(self) -> tuple[str, ...]:
        """The overlays that these settings ask for."""
        wanted = {
            "lmtp": self.protocol == "lmtp",
            "auth_wanted": self.authenticates and self.protocol == "smtp",
            "no_auth_retry": self.on_logon is None,
            "require_tls": self.security == "starttls",
        }
        return tuple(name for name, on in wanted.items() if on)
