"""What a model server offers, whom it knows, and where its limits are."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fsm_smtp.session import Event
from fsm_smtp.testing.server.record import Message, SessionRecord
from fsm_smtp.testing.server.watch import Violation

Listener = Callable[[SessionRecord, Event | Violation | Message], None]

HOST = "127.0.0.1"
NAME = "mx.example.test"
USER, PASSWORD = "user", "open sesame"
DOMAIN = "example.test"

#: Every extension that is offered with nothing set but its name; STARTTLS, AUTH and REQUIRETLS
#: are offered where a certificate, users and TLS are there as well.
EXTENSIONS = (
    "PIPELINING",
    "SIZE",
    "8BITMIME",
    "CHUNKING",
    "BINARYMIME",
    "DSN",
    "ENHANCEDSTATUSCODES",
    "SMTPUTF8",
    "STARTTLS",
    "AUTH",
    "REQUIRETLS",
    "LIMITS",
    "VRFY",
    "EXPN",
    "HELP",
)


@dataclass(frozen=True, slots=True)
class Options:
    """How a server is set up; the defaults are those of a server that takes mail for a domain.

    Attributes:
        extensions: what it implements, by keyword; what is not listed is not there at all.
        context: the certificate for STARTTLS, or for TLS from the first octet.
        implicit_tls: TLS from the first octet.
        auth_in_clear: AUTH is offered without TLS as well (RFC 4954 §4 advises against it).
        users: passwords by user name.
        mechanisms: those of AUTH, of PLAIN, LOGIN and CRAM-MD5.
        submission: only the authenticated may send, and to everybody (RFC 6409).
        requires_tls: without TLS only NOOP, EHLO, STARTTLS and QUIT (RFC 3207 §4).
        weak_tls: what was negotiated does not do: 554 to all but QUIT (RFC 3207 §4.1).
        lmtp: it speaks LMTP, not SMTP (RFC 2033).
        greeting: 220, 554 (no service here, RFC 5321 §3.1) or 521 (no mail, RFC 7504).
        domains: the domains that it takes mail for.
        mailboxes: the local-parts that each of them has, beside postmaster.
        without_mail: domains that are known to take no mail (a null MX, RFC 7505).
        lists: what EXPN knows.
        size: most octets of a message; 0 for no limit.
        recipients: most recipients of a transaction.
        mails: most MAIL commands of a session.
        recipient_domains: most domains of recipients in a session.
        keeps_bare: content with a bare CR or LF is taken as it is, not refused; both are right.
        watches: the client is judged too (`SessionRecord.violations`).
        takes_all: every recipient is known, at every domain.
        listener: called with all that happens in a session: events (with the client's states, if
            `watches`), violations, messages.
        patience: seconds without a command until the server gives up (RFC 5321 §4.5.3.2.7).
    """

    extensions: frozenset[str] = frozenset(EXTENSIONS)
    context: ssl.SSLContext | None = None
    implicit_tls: bool = False
    auth_in_clear: bool = False
    users: Mapping[str, str] = field(default_factory=lambda: {USER: PASSWORD})
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN")
    submission: bool = False
    requires_tls: bool = False
    weak_tls: bool = False
    lmtp: bool = False
    greeting: int = 220
    domains: frozenset[str] = frozenset({DOMAIN})
    mailboxes: frozenset[bytes] = frozenset({b"rcpt", b"rcpt2", "dürst".encode()})
    without_mail: frozenset[str] = frozenset({"nomail.example.test"})
    lists: Mapping[bytes, tuple[bytes, ...]] = field(
        default_factory=lambda: {b"staff": (b"rcpt", b"rcpt2")}
    )
    size: int = 200_000
    recipients: int = 100
    mails: int = 100
    recipient_domains: int = 10
    keeps_bare: bool = False
    watches: bool = True
    takes_all: bool = False
    listener: Listener | None = None
    patience: float = 300.0
