"""Octets over a connected socket, with limits of time. What the blocking client moves them by.

A socket with a timeout costs a `poll` before each read and write. A plain socket on Linux can let
the kernel keep the time of a read in place of that (SO_RCVTIMEO), which saves two system calls for
each command; `KernelTimed` does so. Everywhere else, and under TLS, `Timed` is used.

A server may have to write its replies before it reads on (RFC 2920 §3.1). So whoever writes more
than fits goes on reading meanwhile, and keeps what comes for the next read: however many commands
are on their way, the two never wait for each other.
"""

import contextlib
import select
import selectors
import socket
import ssl
import struct
import sys
import time

from fsm_smtp.client.readable import readable
from fsm_smtp.client.requests import Answer, Wait

#: Octets read at once; a reply is rarely longer.
_READ = 8192

#: Octets that are written without further ado: the replies to so few commands fit into any buffer.
_SHORT = 2048

#: Octets that are kept at most while writing; the rest stays with the server.
_KEPT = 1024 * 1024

#: Nothing can be read or written just now.
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Timed:
    """A socket with Python's timeouts: any kind of socket, also under TLS."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        #: What came while something was written, to be read before anything else.
        self.kept = bytearray()

    def exchange(self, wait: Wait, seconds: float) -> Answer:
        """Write what the wait has to write, within *seconds*, then read."""
        if wait.octets:
            written = self.write(wait.octets, seconds)
            if not written:
                return written
            wait.octets = b""
        return self.read(wait)

    def write(self, octets: bytes, seconds: float) -> bool | None:
        """Write all; False when the connection is broken, None when time ran out."""
        try:
            if len(octets) > _SHORT:
                self.socket.settimeout(0)
                return self._write_and_read(memoryview(octets), seconds)
            self._allow_write(seconds)
            self.socket.sendall(octets)
        except (TimeoutError, BlockingIOError):
            return None
        except OSError:
            return False
        return True

    def _write_and_read(self, view: memoryview, seconds: float) -> bool | None:
        """Write all of *view*, and keep what comes meanwhile."""
        until = time.monotonic() + seconds
        reading = True
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while True:
                with contextlib.suppress(*_NOT_NOW):
                    view = view[self._send_some(view) :]
                    if not view:
                        return True
                if not reading or len(self.kept) > _KEPT:
                    reading = False
                    selector.modify(self.socket, selectors.EVENT_WRITE)
                left = until - time.monotonic()
                if left <= 0 or not selector.select(left):
                    return None
                with contextlib.suppress(*_NOT_NOW):
                    if reading:
                        came = self._read_some()
                        self.kept += came
                        reading = bool(came)

    def _send_some(self, view: memoryview) -> int:
        return self.socket.send(view)

    def _read_some(self) -> bytes:
        return self.socket.recv(_READ)

    def _take(self) -> bytes:
        octets = bytes(self.kept)
        self.kept.clear()
        return octets

    def read(self, wait: Wait) -> bytes | None:
        """The octets that come next; none at the end of the stream, None when time ran out."""
        if self.kept:
            return self._take()
        now = time.monotonic()
        left = wait.seconds
        if wait.deadline is None:
            wait.deadline = now + left
        else:
            left = wait.deadline - now
        try:
            if left <= 0:
                return None
            self._allow_read(left)
            return self.socket.recv(_READ)
        except (TimeoutError, BlockingIOError):
            return None
        except OSError:
            return b""

    def glance(self) -> bytes | None:
        """The octets that are here; none at the end of the stream, None when nothing is here."""
        if self.kept:
            return self._take()
        connected = self.socket
        decrypted = isinstance(connected, ssl.SSLSocket) and connected.pending()
        if not decrypted and not readable(connected.fileno()):
            return None
        try:
            connected.settimeout(0)
            return connected.recv(_READ)
        except (BlockingIOError, ssl.SSLWantReadError):
            return None
        except OSError:
            return b""

    def _allow_write(self, seconds: float) -> None:
        if self.socket.gettimeout() != seconds:  # setting it is a system call, asking is not
            self.socket.settimeout(seconds)

    def _allow_read(self, seconds: float) -> None:
        self._allow_write(seconds)


class KernelTimed(Timed):
    """A plain socket on Linux whose time the kernel keeps."""

    def __init__(self, connected: socket.socket) -> None:
        super().__init__(connected)
        connected.settimeout(None)
        self._reads = 0.0
        # A read that finds nothing is an exception, which costs more than asking first.
        self._here = select.poll()
        self._here.register(connected.fileno(), select.POLLIN)

    def exchange(self, wait: Wait, seconds: float) -> Answer:
        """As `Timed.exchange`: mostly two system calls."""
        if wait.octets:
            written = self.write(wait.octets, seconds)
            if not written:
                return written
            wait.octets = b""
        if wait.deadline is not None or wait.seconds != self._reads or self.kept:
            return self.read(wait)
        wait.deadline = time.monotonic() + wait.seconds
        try:
            return self.socket.recv(_READ)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def write(self, octets: bytes, seconds: float) -> bool | None:
        """As `Timed.write`: one system call, unless the peer takes in less."""
        try:
            sent = self.socket.send(octets, socket.MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        except OSError:
            return False
        if sent == len(octets):
            return True
        try:
            return self._write_and_read(memoryview(octets)[sent:], seconds)
        except OSError:
            return False

    def _send_some(self, view: memoryview) -> int:
        return self.socket.send(view, socket.MSG_DONTWAIT)

    def _read_some(self) -> bytes:
        return self.socket.recv(_READ, socket.MSG_DONTWAIT)

    def glance(self) -> bytes | None:
        """As `Timed.glance`: one system call when nothing is here, which nearly always is so."""
        if self.kept:
            return self._take()
        if not self._here.poll(0):
            return None
        try:
            return self.socket.recv(_READ, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _allow_read(self, seconds: float) -> None:
        if seconds != self._reads:
            self._reads = seconds
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(seconds))


def _timeval(seconds: float) -> bytes:
    """``struct timeval``; never zero, which would mean for ever."""
    whole, rest = divmod(max(1, round(seconds * 1_000_000)), 1_000_000)
    return struct.pack("@ll", whole, rest)


def channel(connected: socket.socket) -> Timed:
    """The best way to move octets over *connected*."""
    if sys.platform == "linux" and not isinstance(connected, ssl.SSLSocket):
        return KernelTimed(connected)
    return Timed(connected)
