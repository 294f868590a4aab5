"""A connection of an smtplib client, and what smtplib reads from in its place."""

import contextlib
import select
import socket
import ssl
import weakref
from collections.abc import Callable
from time import monotonic
from typing import Any, ClassVar, Final

from fsm_smtp.guard.core import Guard
from fsm_smtp.guard.options import DEFAULTS, GuardOptions
from fsm_smtp.wire.limits import MAX_REPLY_OCTETS

#: Room for a reply; a longer one is read in pieces.
READ: Final = 1024
#: After so many seconds without a command, the socket is looked at before the next.
QUIET: Final = 0.005


class LineReader:
    """What smtplib reads lines from, in place of ``makefile('rb')``: it shows what is left over.

    Args:
        sock: the socket.
        too_long: called when one reply has more octets than a reply may have.

    Attributes:
        buffer: octets that were received and not read yet.
        read: octets that were read since it was last emptied.
    """

    def __init__(self, sock: Any, too_long: Callable[[], None]) -> None:
        self._receive: Callable[[int], bytes] = sock.recv
        self._timeout: Callable[[], float | None] = sock.gettimeout
        self._too_long = too_long
        self._since: float | None = None
        self.buffer: bytes = b""
        self.read: bytearray = bytearray()
        self._ended = False
        self._error: OSError | None = None

    def fill(self) -> bytes:
        """What can be received, ``b""`` at the end; an error waits for `readline`."""
        if self._ended or self._error is not None:
            return b""
        try:
            data = self._receive(READ)
        except OSError as error:
            self._error = error
            return b""
        self._ended = not data
        return data

    def fail(self, error: OSError) -> None:
        """The socket has failed; `readline` says so."""
        self._error = error

    def begin(self) -> None:
        """A reply is awaited from now on.

        The socket's timeout counts from its last octet; a server that says one octet at a time
        would be waited for without end. It counts for the reply as a whole here (RFC 5321
        §4.5.3.2: timeouts are for commands): no octet of it is awaited when so long has passed.
        """
        self._since = monotonic()

    def _in_time(self) -> bool:
        timeout = self._timeout()
        return timeout is None or self._since is None or monotonic() - self._since <= timeout

    def readline(self, limit: int = -1) -> bytes:
        """As of a file: up to *limit* octets of the next line; less than a line at the end.

        Raises:
            OSError: as the socket did.
        """
        while True:
            end = self.buffer.find(b"\n") + 1
            if end or 0 <= limit <= len(self.buffer):
                break
            if not self._in_time():
                raise TimeoutError("the reply did not end in time")
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
    #: The options of an installation, for clients that have none of their own.
    installed: ClassVar[GuardOptions] = DEFAULTS

    def __init__(self, sock: Any, guard: Guard, *, own: bool) -> None:
        self.guard = guard
        #: Whether its client is guarded by its class, and not by an installation.
        self.own = own
        self.alive.add(self)
        self.attach(sock)

    def attach(self, sock: Any) -> None:
        """Watch *sock* from now on."""
        self.sock = sock
        self.receive: Callable[[int], bytes] = sock.recv
        self.reader = LineReader(sock, self.read)
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


def left_over(file: Any, sock: Any) -> bytes:
    """Octets of *sock* that *file*, made of it, has received and not given out."""
    if file is None or not hasattr(file, "peek"):
        return b""
    timeout = sock.gettimeout()
    sock.settimeout(0)  # `peek` asks the socket when the file has nothing
    try:
        with contextlib.suppress(ssl.SSLWantReadError):
            return bytes(file.peek())
    finally:
        sock.settimeout(timeout)
    return b""
