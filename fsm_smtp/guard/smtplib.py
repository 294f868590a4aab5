"""The guard inside smtplib: drop-in classes, and what `guard` and `install` put under others.

    from fsm_smtp.guard.smtplib import SMTP, SMTP_SSL, LMTP

Two methods are where every octet of smtplib passes: `send` and `getreply`. What smtplib itself
would raise (not connected, an encoding, a line too long) it still raises, first: the machine steps
on the final octets, immediately before they are written, and judges a reply after smtplib has read
it. Everything raised here is an `smtplib.SMTPException` too.
"""

import smtplib
import ssl
from collections.abc import Callable
from functools import partial
from sys import audit
from time import monotonic
from typing import Any, Final

from fsm_smtp.guard.adopting import catch_up
from fsm_smtp.guard.connection import QUIET, READ, Connection, left_over
from fsm_smtp.guard.core import Guard
from fsm_smtp.guard.errors import (
    GuardedCommand,
    GuardedContent,
    GuardedLine,
    GuardedOctets,
    GuardedOffer,
    GuardedReply,
    GuardError,
    error_maker,
)
from fsm_smtp.guard.findings import Finding
from fsm_smtp.guard.options import DEFAULTS, GuardOptions

#: The code that starts TLS (RFC 3207 §4).
_READY: Final = 220

# -- errors: ours, and what smtplib's callers catch ------------------------------------------------


class SMTPCommandRefused(GuardedCommand, smtplib.SMTPException):
    """A command, or content, that is not legal now."""


class SMTPSessionOver(GuardedCommand, smtplib.SMTPServerDisconnected):
    """The session has come to its end (421, a refused greeting): only QUIT or closing is left."""


class SMTPOfferMissing(GuardedOffer, smtplib.SMTPNotSupportedError):
    """A command that needs an extension which the server does not offer."""


class SMTPLineRefused(GuardedLine, smtplib.SMTPException):
    """A command line that must not be put on the wire; a `ValueError`, as smtplib raises it."""


class SMTPContentRefused(GuardedContent, smtplib.SMTPException):
    """Content that must not be sent as it is; a `ValueError` too."""


class _Response(GuardError, smtplib.SMTPResponseException):
    """Attributes that callers of smtplib look at."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        code = (finding.reply or "")[:3]
        self.smtp_code = int(code) if code.isdecimal() else -1
        self.smtp_error = (finding.reply or "")[4:].encode()


class SMTPReplyRefused(_Response, GuardedReply):
    """A reply that the protocol does not allow here."""


class SMTPOctetsRefused(_Response, GuardedOctets):
    """Octets of the server that are no reply."""


class SMTPGreetingRefused(_Response, GuardedReply, smtplib.SMTPConnectError):
    """What the server greets with is no greeting."""


#: Makes the errors of this module, of classes that smtplib's callers catch.
error_for: Final = error_maker(
    *(SMTPCommandRefused, SMTPOfferMissing, SMTPLineRefused, SMTPContentRefused),
    *(SMTPReplyRefused, SMTPOctetsRefused),
    over=SMTPSessionOver,
    greeting=SMTPGreetingRefused,
)


# -- every client of smtplib -----------------------------------------------------------------------


def connection_of(client: smtplib.SMTP, *, greeted: bool) -> Connection | None:
    """The client's connection as it is now; one that TLS has come up on is seen.

    A connection that is new and was greeted already was opened before its client was guarded:
    nothing is known of it, and it is left alone.
    """
    sock = client.sock
    known: Connection | None = client.__dict__.get("_guarded")
    if known is not None and known.sock is sock:
        return known
    if not sock:
        return None
    tls = isinstance(sock, ssl.SSLSocket)
    if known is not None and known.guard.handshaking and tls:
        known.guard.tls_up(verified=_verified(sock))
        known.attach(sock)
        return known
    made = _connection(client, sock, getattr(client, "guarding", Connection.installed))
    client.__dict__["_guarded"] = made
    made.guard.connected(tls=tls, verified=_verified(sock))
    if greeted:
        made.guard.give_up()
    return made


def _connection(client: smtplib.SMTP, sock: Any, options: GuardOptions) -> Connection:
    lmtp = client.ehlo_msg == "lhlo"
    guard = Guard(options, errors=error_for, lockstep=True, lmtp=lmtp)
    return Connection(sock, guard, own=isinstance(client, Guarded))


def _verified(sock: object) -> bool:
    return not (isinstance(sock, ssl.SSLSocket) and sock.context.verify_mode is ssl.CERT_NONE)


def guarded_send(client: smtplib.SMTP, s: Any, send: Callable[[Any], None]) -> None:
    """`smtplib.SMTP.send` with the guard before it; *send* is the client's own."""
    connection = client.__dict__.get("_guarded")
    if connection is None or connection.sock is not client.sock:
        connection = connection_of(client, greeted=True)
    if connection is not None:
        octets = s.encode(client.command_encoding) if isinstance(s, str) else bytes(s)
        try:
            connection.look()
            released = connection.guard.sending(octets)
        except (GuardedReply, GuardedOctets):
            client.close()
            raise
        if released is not octets:
            s = released
    send(s)


def guarded_getreply(
    client: smtplib.SMTP, getreply: Callable[[], tuple[int, bytes]]
) -> tuple[int, bytes]:
    """`smtplib.SMTP.getreply` with the guard behind it; *getreply* is the client's own."""
    connection = client.__dict__.get("_guarded")
    if connection is None or connection.sock is not client.sock:
        connection = connection_of(client, greeted=client.file is not None)
    if connection is None:
        return getreply()
    reader = connection.reader
    if client.file is not reader and client.file is not None:  # from before the guard
        return getreply()
    try:
        client.file = reader
        reader.begin()
        try:
            answer = getreply()
        except smtplib.SMTPServerDisconnected as error:
            if isinstance(error.__context__, GuardError):  # ours, which smtplib took for a socket's
                raise error.__context__ from None
            if isinstance(error.__context__, TimeoutError):
                connection.guard.timeout()
            else:
                connection.guard.eof()
            raise
        connection.read()
    except (GuardedReply, GuardedOctets):
        client.close()
        raise
    return answer


def guarded_data(client: smtplib.SMTP, data: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
    """`smtplib.SMTP.data`, with an end for content that was refused; *data* is the client's own.

    The server waits for the end of content that will not come, and would take QUIT for a line of
    it: only closing is left.
    """
    try:
        return data()
    except GuardedContent:
        client.close()
        raise


def guarded_close(client: smtplib.SMTP, close: Callable[[], None]) -> None:
    """`smtplib.SMTP.close`, noticed by the guard; *close* is the client's own."""
    connection: Connection | None = client.__dict__.pop("_guarded", None)
    if connection is not None:
        connection.guard.closed()
    close()


class Guarded(smtplib.SMTP):
    """What makes a class of smtplib guarded, as the first of its bases.

    Attributes:
        guarding: what the guard does with what it finds; set it on a class or on an object.
    """

    guarding: GuardOptions = DEFAULTS
    _guarded: Connection | None = None
    # Whether what stands behind this class is smtplib's own: then its few lines are gone through
    # here, once, and not in each of three frames.
    _quick_send = _quick_getreply = True

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._quick_send = super().send is smtplib.SMTP.send
        cls._quick_getreply = super().getreply is smtplib.SMTP.getreply

    def send(self, s: Any) -> None:
        """As smtplib's, of what is legal.

        Raises:
            GuardError: it is not; nothing was written.
        """
        connection = self._guarded
        sock = self.sock
        if (
            connection is None
            or connection.sock is not sock
            or sock is None
            or self.debuglevel
            or not self._quick_send
        ):
            guarded_send(self, s, super().send)
            return
        octets = s.encode(self.command_encoding) if isinstance(s, str) else bytes(s)
        now = monotonic()
        try:
            if now - connection.active > QUIET or connection.reader.buffer:
                connection.look()
            connection.active = now
            octets = connection.guard.sending(octets)
        except (GuardedReply, GuardedOctets):
            self.close()
            raise
        audit("smtplib.send", self, octets)
        try:
            sock.sendall(octets)
        except OSError:
            self.close()
            raise smtplib.SMTPServerDisconnected("Server not connected") from None

    def getreply(self) -> tuple[int, bytes]:
        """As smtplib's.

        Raises:
            GuardError: the server breaks the protocol; the connection is closed.
        """
        connection = self._guarded
        if (
            connection is not None
            and connection.sock is self.sock
            and not self.debuglevel
            and self._quick_getreply
            and not connection.reader.buffer
        ):
            try:
                data = connection.receive(READ)
            except OSError as error:
                connection.reader.fail(error)
                data = b""
            try:
                reply = connection.guard.answer(data)
                if reply is not None:
                    if reply.code == _READY:
                        connection.look_behind()
                    return reply.code, reply.lines[0].strip(b" \t")
            except (GuardedReply, GuardedOctets):
                self.close()
                raise
            connection.reader.buffer = data
        return guarded_getreply(self, super().getreply)

    def data(self, msg: Any) -> tuple[int, bytes]:
        """As smtplib's.

        Raises:
            GuardError: as by `send` and `getreply`; where it is the content that is refused, the
                connection is closed, since nothing else can follow 354.
        """
        return guarded_data(self, partial(super().data, msg))

    def close(self) -> None:
        """As smtplib's."""
        guarded_close(self, super().close)


class SMTP(Guarded):
    """`smtplib.SMTP`, guarded."""


class SMTP_SSL(Guarded, smtplib.SMTP_SSL):  # noqa: N801 - the name that it has in smtplib
    """`smtplib.SMTP_SSL`, guarded."""


class LMTP(Guarded, smtplib.LMTP):
    """`smtplib.LMTP`, guarded."""


def guarded_class(cls: type[smtplib.SMTP]) -> type[smtplib.SMTP]:
    """*cls* with the guard before it."""
    return type(cls.__name__, (Guarded, cls), {"__module__": cls.__module__})


def adopt(client: smtplib.SMTP, options: GuardOptions) -> None:
    """Guard *client*, made elsewhere: outside a transaction, and with nothing outstanding.

    What it has learned from its server so far is taken from it: whether EHLO or HELO was said,
    what was offered, whether TLS is up. Whether AUTH has succeeded cannot be seen.
    """
    if not isinstance(client, Guarded):
        client.__class__ = guarded_class(type(client))
    client.__dict__["guarding"] = options
    sock = client.sock
    if not sock:
        return
    connection = _connection(client, sock, options)
    client.__dict__["_guarded"] = connection
    left = left_over(client.file, sock)
    catch_up(
        connection.guard,
        tls=isinstance(sock, ssl.SSLSocket),
        verb=client.ehlo_msg.upper().encode(),
        ehlo=client.ehlo_resp if client.does_esmtp else None,
        helo=client.helo_resp is not None,
    )
    connection.reader.buffer = left
    client.file = connection.reader
