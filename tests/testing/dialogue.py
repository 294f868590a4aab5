"""A scripted client over a plain socket: what is sent, and the reply that must come."""

import socket
import ssl
from types import TracebackType

from fsm_smtp.testing.server.certificate import client_context
from fsm_smtp.testing.server.options import HOST


class Dialogue:
    """One connection; `say` returns the reply as text, its lines joined by LF."""

    def __init__(self, port: int, *, tls: bool = False) -> None:
        self._socket: socket.socket = socket.create_connection((HOST, port), timeout=5)
        if tls:
            self._handshake()
        self._buffer = b""
        self.greeting = self.reply()

    def __enter__(self) -> "Dialogue":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    @property
    def address(self) -> object:
        """Whence it comes."""
        return self._socket.getsockname()

    def write(self, octets: bytes) -> None:
        """Write as it stands."""
        self._socket.sendall(octets)

    def say(self, line: str | bytes) -> str:
        """One command line, and its reply."""
        self.write((line.encode() if isinstance(line, str) else line) + b"\r\n")
        return self.reply()

    def reply(self) -> str:
        """The next reply; empty when the connection is closed."""
        lines = []
        while True:
            while b"\r\n" not in self._buffer:
                data = self._socket.recv(65536)
                if not data:
                    return ""
                self._buffer += data
            line, _, self._buffer = self._buffer.partition(b"\r\n")
            lines.append(line.decode())
            if line[3:4] != b"-":
                return "\n".join(lines)

    def is_silent(self, seconds: float = 0.05) -> bool:
        """Whether nothing comes for so long."""
        self._socket.settimeout(seconds)
        try:
            self._buffer += self._socket.recv(65536)
        except (TimeoutError, ssl.SSLWantReadError):
            return not self._buffer
        finally:
            self._socket.settimeout(5)
        return False

    def start_tls(self) -> None:
        """The handshake, once the server has said 220 to STARTTLS."""
        assert self._buffer == b""
        self._handshake()

    def _handshake(self) -> None:
        self._socket = client_context().wrap_socket(self._socket, server_hostname=HOST)
