"""A connection to a server under test, as the machines drive it: octets, replies, TLS."""

import socket
import ssl
from typing import Protocol, runtime_checkable

from fsm_smtp.errors import MalformedReply
from fsm_smtp.wire import Reply, ReplyParser

#: Seconds to wait for a reply.
PATIENCE = 5.0
_READ = 65536


@runtime_checkable
class Connection(Protocol):
    """What the machines need of a connection; a socket is made one by `SocketConnection`."""

    def send(self, octets: bytes) -> None:
        """Send all of *octets*.

        Raises:
            OSError: the connection is gone.
        """
        ...

    def receive(self) -> bytes:
        """Some octets; none when the server has closed.

        Raises:
            TimeoutError: none came in time.
            OSError: the connection is gone.
        """
        ...

    def start_tls(self) -> None:
        """Shake hands.

        Raises:
            OSError: the handshake failed.
        """
        ...

    def close(self) -> None:
        """Close at once."""
        ...


class SocketConnection:
    """A connection on a blocking socket.

    Args:
        connected: the socket.
        patience: seconds to wait for octets.
        context: how TLS is started; without, any certificate will do: it is a test.
    """

    def __init__(
        self,
        connected: socket.socket,
        patience: float = PATIENCE,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._socket = connected
        self._patience = patience
        self._context = context
        connected.settimeout(patience)
        if connected.family in (socket.AF_INET, socket.AF_INET6):
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, octets: bytes) -> None:
        """As `Connection`."""
        self._socket.sendall(octets)

    def receive(self) -> bytes:
        """As `Connection`."""
        return self._socket.recv(_READ)

    def start_tls(self) -> None:
        """As `Connection`."""
        context = self._context
        if context is None:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self._socket = context.wrap_socket(self._socket)
        self._socket.settimeout(self._patience)

    def close(self) -> None:
        """As `Connection`."""
        self._socket.close()


class Replies:
    """Reads replies from a connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._parser = ReplyParser()

    def next(self) -> Reply | None:
        """The next reply; ``None`` when the server has closed.

        Raises:
            MalformedReply: what came is no reply (RFC 5321 §4.2).
            TimeoutError: none came in time.
        """
        while (reply := self._parser.next_reply()) is None:
            try:
                octets = self.connection.receive()
            except TimeoutError:
                raise
            except OSError:
                return None
            if not octets:
                if self._parser.pending:
                    rest = self._parser.buffered
                    raise MalformedReply("a reply that breaks off", "5321 §4.2", rest)
                return None
            self._parser.feed(octets)
        return reply

    @property
    def waiting(self) -> bool:
        """Whether octets are here that no reply was made of yet."""
        return self._parser.pending

    def start_tls(self) -> None:
        """Shake hands; nothing that came before it counts (RFC 3207 §4.2).

        Raises:
            OSError: the handshake failed.
        """
        self.connection.start_tls()
        self._parser = ReplyParser()
