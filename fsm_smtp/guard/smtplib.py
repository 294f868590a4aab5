"""The guard inside smtplib: drop-in classes, and what `guard` and `install` put under others.

    from fsm_smtp.guard.smtplib import SMTP, SMTP_SSL, LMTP

Two methods are where every octet of smtplib passes: `send` and `getreply`. What smtplib itself
would raise (not connected, an encoding, a line too long) it still raises, first: the machine steps
on the final octets, immediately before they are written, and judges a reply after smtplib has read
it. Everything raised here is an `smtplib.SMTPException` too.
"""

import contextlib
import select
import smtplib
import socket
import ssl
import weakref
from collections.abc import Callable
from sys import audit
from time import monotonic
from typing import Any, ClassVar, Final

from fsm_smtp.guard.core import Guard
from fsm_smtp.guard.errors import (
    GuardedCommand,
    GuardedContent,
    GuardedLine,
    GuardedOctets,
    GuardedOffer,
    GuardedReply,
    GuardError,
)
from fsm_smtp.guard.findings import Finding, Kind
from fsm_smtp.guard.options import DEFAULTS, GuardOptions
from fsm_smtp.wire.limits import MAX_REPLY_OCTETS

#: Room for a reply; a longer one is read in pieces.
_READ: Final = 1024
#: After so many seconds without a command, the socket is looked at before the next.
QUIET: Final = 0.005
#: The code that starts TLS (RFC 3207 §4).
_READY: Final = 220
_ENDING: Final = frozenset({"send_quit", "close"})

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


_KINDS: Final[dict[Kind, type[GuardError]]] = {
    Kind.ORDER: SMTPCommandRefused,
    Kind.OFFER: SMTPOfferMissing,
    Kind.LINE: SMTPLineRefused,
    Kind.GRAMMAR: SMTPLineRefused,
    Kind.CONTENT: SMTPContentRefused,
    Kind.REPLY: SMTPReplyRefused,
    Kind.MALFORMED: SMTPOctetsRefused,
}


def error_for(finding: Finding) -> GuardError:
    """The error that a blocked *finding* is, of a class that smtplib's callers catch."""
    if finding.kind is Kind.ORDER and _ENDING.issuperset(finding.legal):
        return SMTPSessionOver(finding)
    if finding.culprit == "server" and finding.trigger is not None and finding.command is None:
        return SMTPGreetingRefused(finding)
    return _KINDS[finding.kind](finding)


# -- one connection ------------------------------------------------------------------------------


class _Reader:
    """What smtplib reads lines from, in place of ``makefile('rb')``: it shows what is left over.

    Args:
        receive: the socket's ``recv``.
        too_long: called when one reply has more octets than a reply may have.

    Attributes:
        buffer: octets that were received and not read yet.
        read: octets that were read since it was last emptied.
    """

    def __init__(self, receive: Callable[[int], bytes], too_long: Callable[[], None]) -> None:
        self._receive = receive
        self._too_long = too_long
        self.buffer: bytes = b""
        self.read: bytearray = bytearray()
        self._ended = False
        self._error: OSError | None = None

    def fill(self) -> bytes:
        """What can be received, ``b""`` at the end; an error waits for `readline`."""
        if self._ended or self._error is not None:
            return b""
        try:
            data = self._receive(_READ)
        except OSError as error:
            self._error = error
            return b""
        self._ended = not data
        return data

    def fail(self, error: OSError) -> None:
        """The socket has failed; `readline` says so."""
        self._error = error

    def readline(self, limit: int = -1) -> bytes:
        """As of a file: up to *limit* octets of the next line; less than a line at the end.

        Raises:
            OSError: as the socket did.
        """
        while True:
            end = self.buffer.find(b"\n") + 1
            if end or 0 <= limit <= len(self.buffer):
                break
            data = self.fill()
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            if not data:
                end = len(self.buffer)
                break
            self.buffer += data
        if limit >= 0:
            end = min(end or limit, limit)
        line, self.buffer = self.buffer[:end], self.buffer[end:]
        self.read += line
        if len(self.read) > MAX_REPLY_OCTETS:  # smtplib would go on for ever
            self._too_long()
        return line

    def close(self) -> None:
        """Nothing: the socket is closed by its owner."""


class Connection:
    """A connection of an smtplib client, and its guard."""

    #: Those that are alive, so that taking an installation away can end their guard.
    alive: ClassVar["weakref.WeakSet[Connection]"] = weakref.WeakSet()

    def __init__(self, client: smtplib.SMTP, sock: Any, options: GuardOptions) -> None:
        lmtp = client.ehlo_msg == "lhlo"
        self.guard = Guard(options, errors=error_for, lockstep=True, lmtp=lmtp)
        #: Whether its client is guarded by its class, and not by an installation.
        self.own = isinstance(client, Guarded)
        self.alive.add(self)
        self.attach(sock)

    def attach(self, sock: Any) -> None:
        """Watch *sock* from now on."""
        self.sock = sock
        self.receive: Callable[[int], bytes] = sock.recv
        self.reader = _Reader(sock.recv, self.read)
        #: When something was sent last.
        self.active = 0.0
        #: Says whether there is something to read; ``None`` under TLS.
        self.poll: Callable[[int], list[Any]] | None = None
        if isinstance(sock, socket.socket) and not isinstance(sock, ssl.SSLSocket):
            poller = select.poll()
            poller.register(sock, select.POLLIN)
            self.poll = poller.poll

    def look(self) -> None:
        """Before something is sent: whether something has come unasked.

        That costs a system call or two, so a client that answers at once is believed that it has
        read what there was.

        Raises:
            GuardError: something has.
        """
        now = monotonic()
        quiet = now - self.active > QUIET
        self.active = now
        if self.reader.buffer or (quiet and (self.poll is None or self.poll(0))):
            self.unasked()

    def unasked(self) -> None:
        """Judge what is here before anything was asked for.

        Raises:
            GuardError: something is.
        """
        reader = self.reader
        if self.guard.lost:
            return
        if not reader.buffer:
            sock = self.sock
            if self.poll is None and not (isinstance(sock, ssl.SSLSocket) and sock.pending()):
                return
            reader.buffer = reader.fill()  # does not wait: there is something, or the end
        if reader.buffer:
            reader.buffer, octets = b"", reader.buffer
            self.guard.received(octets)

    def read(self) -> None:
        """Judge the reply that was read line by line.

        Raises:
            GuardError: the server breaks the protocol.
        """
        octets = bytes(self.reader.read)
        self.reader.read.clear()
        self.guard.received(octets)
        self.look_behind()

    def look_behind(self) -> None:
        """Nothing may stand behind the 220 to STARTTLS (RFC 3207 §4.2).

        Raises:
            GuardError: something does.
        """
        if not self.guard.handshaking:
            return
        if self.reader.buffer or (self.poll is not None and self.poll(0)):
            self.unasked()


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
    made = Connection(client, sock, client.guarding)  # type: ignore[attr-defined]
    client.__dict__["_guarded"] = made
    made.guard.connected(tls=tls, verified=_verified(sock))
    if greeted:
        made.guard.give_up()
    return made


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
        try:
            answer = getreply()
        except smtplib.SMTPServerDisconnected as error:
            if isinstance(error.__context__, GuardError):  # ours, which smtplib took for a socket's
                raise error.__context__ from None
            connection.guard.eof()
            raise
        connection.read()
    except (GuardedReply, GuardedOctets):
        client.close()
        raise
    return answer


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
                data = connection.receive(_READ)
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
    connection = Connection(client, sock, options)
    client.__dict__["_guarded"] = connection
    left = _left_over(client)
    guard = connection.guard
    guard.connected(tls=isinstance(sock, ssl.SSLSocket))
    guard.received(b"220 before the guard\r\n")
    for verb, answer in ((b"EHLO", client.ehlo_resp), (b"HELO", client.helo_resp)):
        if isinstance(answer, bytes):
            guard.sending(verb + b" before-the-guard\r\n")
            guard.received(_as_reply(answer))
            break
    connection.reader.buffer = left
    client.file = connection.reader


def _as_reply(text: bytes) -> bytes:
    """The 250 that smtplib made *text* of."""
    *lines, last = text.split(b"\n")
    return b"".join(b"250-%b\r\n" % line for line in lines) + b"250 %b\r\n" % last


def _left_over(client: smtplib.SMTP) -> bytes:
    """Octets that the client's file has received and not read."""
    file, sock = client.file, client.sock
    if file is None or sock is None or not hasattr(file, "peek"):
        return b""
    timeout = sock.gettimeout()
    sock.settimeout(0)  # `peek` asks the socket when the file has nothing
    try:
        with contextlib.suppress(ssl.SSLWantReadError):
            return bytes(file.peek())
    finally:
        sock.settimeout(timeout)
    return b""
