"""How a client behaves: security, credentials, names, times."""

import ssl
from dataclasses import dataclass, field
from typing import Literal

from fsm_smtp.session import Observer

#: ``none``: in clear. ``opportunistic``: STARTTLS when it is offered and accepted, else in clear.
#: ``starttls``: STARTTLS or nothing (RFC 3207 §6). ``tls``: TLS from the first octet (RFC 8314).
Security = Literal["none", "opportunistic", "starttls", "tls"]

#: How long to wait for a connection when no timeout was given: as long as for the greeting.
CONNECT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of a client.

    Attributes:
        security: see `Security`.
        user: the user to authenticate as; no authentication when ``None``.
        password: the user's password; never shown.
        clear_auth: whether a password may be sent without TLS.
        ehlo_name: the client's domain or address literal (RFC 5321 §4.1.1.1); the literal of the
            local address when ``None``.
        timeout: seconds to wait for the connection, a handshake, each reply and each write; the
            table's, after RFC 5321 §4.5.3.2, when ``None``.
        tls: the TLS settings; certificates and names are verified by default.
        server_name: the name that the certificate must have; the host when ``None``.
        observer: called with an `Event` for everything that happens.
    """

    security: Security = "none"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    clear_auth: bool = False
    ehlo_name: str | None = None
    timeout: float | None = None
    tls: ssl.SSLContext | None = None
    server_name: str | None = None
    observer: Observer | None = None

    @property
    def seconds(self) -> float:
        """Seconds to wait for the connection, a handshake and a write."""
        return self.timeout or CONNECT_SECONDS

    def tls_context(self) -> ssl.SSLContext:
        """The TLS settings to use."""
        return self.tls if self.tls is not None else ssl.create_default_context()

    def policies(self) -> tuple[str, ...]:
        """The overlays that these settings ask for."""
        wanted = {
            "auth_wanted": self.user is not None,
            "no_auth_retry": True,
            "require_tls": self.security == "starttls",
        }
        return tuple(name for name, on in wanted.items() if on)
