"""The sink itself: one loop for all connections."""

import contextlib
import select
import socket

from fsm_smtp.testing.sink.connection import Connection
from fsm_smtp.testing.sink.order import GREETING, beginning

#: Octets of a read. Room for commands is made each time; content goes to the same room always.
_READ, _READ_CONTENT = 8 * 1024, 256 * 1024
#: Most events of a turn; the system's default makes room for a thousand each time.
_EVENTS = 64


class Sink:
    """A sink that listens; `run` serves until `stop`.

    Args:
        host: the address to listen on.
        port: the port; 0 for a free one.

    Attributes:
        port: the port that it listens on.

    Raises:
        OSError: it cannot listen there.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        beginning()  # no connection waits for the table
        self._listener = socket.create_server((host, port), backlog=256)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._poll = select.epoll()
        self._connections: dict[int, Connection] = {}
        self._room = bytearray(_READ_CONTENT)
        self._wake, self._woken = socket.socketpair()
        self._stopped = False

    def run(self) -> None:
        """Serve, in this thread, until `stop` is called."""
        listening, connections, poll = self._listener.fileno(), self._connections, self._poll.poll
        for waiting in (self._listener, self._woken):
            self._poll.register(waiting.fileno(), select.EPOLLIN)
        while not self._stopped:
            for number, _ in poll(-1, _EVENTS):
                connection = connections.get(number)
                if connection is not None:
                    self._serve(connection)
                elif number == listening:
                    self._accept()
        for connection in tuple(connections.values()):
            self._close(connection)
        for one in (self._listener, self._wake, self._woken):
            one.close()
        self._poll.close()

    def stop(self) -> None:
        """End `run`, from another thread or a signal handler."""
        self._stopped = True
        self._wake.send(b"x")

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # gone again already
            connected, _ = self._listener.accept()
            connected.setblocking(False)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected.send(GREETING)
            self._connections[connected.fileno()] = Connection(connected)
            self._poll.register(connected.fileno(), select.EPOLLIN)

    def _serve(self, connection: Connection) -> None:
        if connection.unsent:
            self._send(connection, connection.unsent)
            return
        try:
            if connection.chunk or connection.place.content:
                said = self._body(connection)
            else:
                said = self._commands(connection)
        except BlockingIOError:
            return
        except OSError:
            said = None
        if said is None:
            self._close(connection)
        elif said:
            self._send(connection, said)

    def _commands(self, connection: Connection) -> bytes | None:
        data = connection.recv(_READ)
        if not data:
            return None
        if not connection.rest and data.find(b"\n") == len(data) - 1:
            known = connection.place.answers.get(data[:4])
            if known is not None:  # a line by itself: what a client in lock-step sends
                answer, place = known
                if place.content:
                    connection.rest = b"\r\n"
                connection.place = place
                return answer
        return connection.take(data)

    def _body(self, connection: Connection) -> bytes | None:
        room = self._room
        count = connection.recv_into(room)
        if not count:
            return None
        said: list[bytes] = []
        taken = connection.body(room, count, said)
        if taken < count:
            said.append(connection.take(bytes(room[taken:count])))
        return b"".join(said)

    def _send(self, connection: Connection, octets: bytes) -> None:
        try:
            sent = connection.send(octets)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._close(connection)
            return
        if connection.place.closed:
            self._close(connection)
        elif sent < len(octets):  # a client that writes and does not read: it is waited for
            connection.unsent = octets[sent:]
            self._poll.modify(connection.link.fileno(), select.EPOLLOUT)
        elif connection.unsent:
            connection.unsent = b""
            self._poll.modify(connection.link.fileno(), select.EPOLLIN)

    def _close(self, connection: Connection) -> None:
        number = connection.link.fileno()
        self._poll.unregister(number)
        del self._connections[number]
        connection.link.close()
