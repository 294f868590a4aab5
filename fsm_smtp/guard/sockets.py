"""The guard around a blocking socket, with or without TLS: for clients that have no adapter."""

import io
import ssl
from types import TracebackType
from typing import Any, Self

from fsm_smtp.guard.core import Guard
from fsm_smtp.guard.errors import ErrorMaker, GuardedOctets, GuardedReply, error_for
from fsm_smtp.guard.options import DEFAULTS, GuardOptions

Octets = bytes | bytearray | memoryview


class GuardedSocket:
    """A connected blocking socket whose octets pass a guard; everything else is the socket's own.

    What is sent is judged before it is written, what is received before it is given out. A command
    line that is not complete yet waits here for its end.

    Args:
        sock: connected, and nothing has been read; an `ssl.SSLSocket` is under TLS already.
        options: what the guard does with what it finds.
        errors: makes the errors to raise; the package's own by default.
        lockstep: whether the client sends one command at a time (see `Guard`): then nothing may
            follow the end of data before its reply, where else a command might.

    Attributes:
        guard: the guard.
        sock: the socket.
    """

    def __init__(
        self,
        sock: Any,
        options: GuardOptions = DEFAULTS,
        *,
        errors: ErrorMaker = error_for,
        lockstep: bool = False,
    ) -> None:
        self.sock = sock
        self.guard = Guard(options, errors=errors, lockstep=lockstep)
        self.guard.connected(tls=isinstance(sock, ssl.SSLSocket))

    def sendall(self, data: Octets, flags: int = 0) -> None:
        """As the socket's, of what is legal.

        Raises:
            GuardError: it is not; nothing of *data* was written.
            OSError: as the socket's.
        """
        released = self._released(data)
        if released:
            self.sock.sendall(released, flags)

    def send(self, data: Octets, flags: int = 0) -> int:
        """`sendall`: what has been judged is written, all of it. Gives the length of *data*."""
        self.sendall(data, flags)
        return len(data)

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """As the socket's.

        Raises:
            GuardError: the server breaks the protocol; the socket has been closed.
            OSError: as the socket's.
        """
        data: bytes = self.sock.recv(bufsize, flags)
        self._received(data)
        return data

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """As the socket's; raises as `recv`."""
        view = memoryview(buffer).cast("B")
        data = self.recv(nbytes or len(view), flags)
        view[: len(data)] = data
        return len(data)

    def makefile(self, mode: str = "rb", buffering: int = -1) -> io.BufferedReader:
        """A file to read replies from.

        Raises:
            ValueError: another mode than ``"rb"``: what is written must pass `sendall`.
        """
        if mode not in ("r", "rb"):
            raise ValueError("a guarded socket makes files for reading octets only")
        return io.BufferedReader(_Reading(self), buffering if buffering > 0 else 8192)

    def start_tls(self, context: ssl.SSLContext, server_hostname: str | None = None) -> None:
        """The TLS handshake that the server has accepted with 220 (RFC 3207 §4).

        Raises:
            CommandRefused: it has not (mode ``enforce``).
            ssl.SSLError, OSError: the handshake failed; only closing is left.
        """
        self.guard.handshake_begins()
        try:
            self.sock = context.wrap_socket(self.sock, server_hostname=server_hostname)
        except OSError:
            self.guard.tls_failed()
            raise
        self.guard.tls_up(verified=context.verify_mode is not ssl.CERT_NONE)

    def close(self) -> None:
        """As the socket's."""
        self.guard.closed()
        self.sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)

    def _released(self, data: Octets) -> bytes:
        try:
            return self.guard.sending(bytes(data))
        except (GuardedReply, GuardedOctets):
            self.close()
            raise

    def _received(self, data: bytes) -> None:
        if not data:
            self.guard.eof()
            return
        try:
            if self.guard.answer(data) is None:
                self.guard.received(data)
        except (GuardedReply, GuardedOctets):
            self.close()
            raise


class _Reading(io.RawIOBase):
    """The reading end of a guarded socket as a raw file."""

    def __init__(self, guarded: GuardedSocket) -> None:
        self._guarded = guarded

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._guarded.recv_into(buffer)
