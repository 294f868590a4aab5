"""A sink: takes every message from anybody and keeps nothing, fast. For tests under load.

It answers without looking at order or grammar; for a server that does, see
`fsm_smtp.testing.server`. One thread serves all connections, by epoll: it runs on Linux only.
"""

import contextlib
import select
import socket
from typing import Final

#: Octets of a read. Commands are short, and room for much would be made for each of them.
_READ, _READ_CONTENT = 8 * 1024, 256 * 1024
_END: Final = b"\r\n.\r\n"

NAME: Final = "sink.example.test"
_OK: Final = b"250 2.0.0 Ok\r\n"
_ANSWERS: Final = {
    b"EHLO": b"250-%b\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n"
    b"250-BINARYMIME\r\n250-DSN\r\n250 ENHANCEDSTATUSCODES\r\n" % NAME.encode(),
    b"HELO": b"250 %b\r\n" % NAME.encode(),
    b"MAIL": b"250 2.1.0 Ok\r\n",
    b"RCPT": b"250 2.1.5 Ok\r\n",
    b"RSET": _OK,
    b"NOOP": _OK,
    b"VRFY": b"252 2.5.2 Perhaps\r\n",
}
_UNKNOWN: Final = b"500 5.5.2 What is that?\r\n"
_GO_ON: Final = b"354 End data with <CR><LF>.<CR><LF>\r\n"
_GREETING: Final = b"220 %b ESMTP\r\n" % NAME.encode()
_FAREWELL: Final = b"221 2.0.0 Bye\r\n"


class _Connection:
    """What one connection is in the middle of."""

    __slots__ = ("chunk", "content", "link", "rest", "unsent")

    def __init__(self, connected: socket.socket) -> None:
        self.link = connected
        #: Octets of an unfinished line, or the last ones of the content so far.
        self.rest = b""
        #: Between 354 and the end of data.
        self.content = False
        #: Octets of a chunk that are still to come.
        self.chunk = 0
        self.unsent = b""

    def take(self, data: bytes) -> tuple[bytes, bool]:
        """The replies to *data*, and whether the connection is over."""
        said: list[bytes] = []
        over = False
        while data and not over:
            if self.content:
                data = self._content(data, said)
            elif self.chunk:
                data = self._chunk(data, said)
            else:
                data, over = self._lines(data, said)
        return b"".join(said), over

    def _lines(self, data: bytes, said: list[bytes]) -> tuple[bytes, bool]:
        line, newline, data = (self.rest + data if self.rest else data).partition(b"\n")
        while newline:
            answer = _ANSWERS.get(line[:4])
            if answer is None:
                verb = line[:4].upper()
                if verb == b"DATA":
                    said.append(_GO_ON)
                    self.content = True
                    self.rest = b"\r\n"  # the first half of the end of an empty content
                    return data, False
                if verb == b"BDAT":
                    self.rest = b""
                    return self._announced(line, data, said), False
                if verb == b"QUIT":
                    said.append(_FAREWELL)
                    return b"", True
                answer = _ANSWERS.get(verb, _UNKNOWN)
            said.append(answer)
            line, newline, data = data.partition(b"\n")
        self.rest = line
        return b"", False

    def _announced(self, line: bytes, data: bytes, said: list[bytes]) -> bytes:
        words = line.split()
        if len(words) < 2 or not words[1].isdigit():
            said.append(b"501 5.5.4 A size, please\r\n")
            return data
        self.chunk = int(words[1])
        return self._chunk(data, said) if len(data) >= self.chunk else data

    def _chunk(self, data: bytes, said: list[bytes]) -> bytes:
        taken = min(self.chunk, len(data))
        self.chunk -= taken
        if not self.chunk:
            said.append(_OK)
        return data[taken:] if taken < len(data) else b""

    def _content(self, data: bytes, said: list[bytes]) -> bytes:
        # The end may begin in what came before. Only the few octets there are looked at twice.
        edge = self.rest + data[: len(_END) - 1]
        end = edge.find(_END)
        if end >= 0:
            behind = end + len(_END) - len(self.rest)
        else:
            found = data.find(_END)
            if found < 0:
                self.rest = (self.rest + data[1 - len(_END) :])[1 - len(_END) :]
                return b""
            behind = found + len(_END)
        said.append(_OK)
        self.content, self.rest = False, b""
        return data[behind:]


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
        self._listener = socket.create_server((host, port), backlog=256)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._poll = select.epoll()
        self._connections: dict[int, _Connection] = {}
        self._wake, self._woken = socket.socketpair()
        self._stopped = False

    def run(self) -> None:
        """Serve, in this thread, until `stop` is called."""
        listening, connections, poll = self._listener.fileno(), self._connections, self._poll.poll
        for waiting in (self._listener, self._woken):
            self._poll.register(waiting.fileno(), select.EPOLLIN)
        while not self._stopped:
            for number, _ in poll():
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
            connected.send(_GREETING)
            self._connections[connected.fileno()] = _Connection(connected)
            self._poll.register(connected.fileno(), select.EPOLLIN)

    def _serve(self, connection: _Connection) -> None:
        if connection.unsent:
            self._send(connection, connection.unsent, over=False)
            return
        at_rest = not (connection.content or connection.chunk)
        try:
            data = connection.link.recv(_READ if at_rest else _READ_CONTENT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(connection)
            return
        if at_rest and not connection.rest and data.find(b"\n") == len(data) - 1:
            answer = _ANSWERS.get(data[:4])  # a line by itself: what a client in lock-step sends
            if answer is not None:
                self._send(connection, answer, over=False)
                return
        said, over = connection.take(data)
        if said or over:
            self._send(connection, said, over=over)

    def _send(self, connection: _Connection, octets: bytes, *, over: bool) -> None:
        try:
            sent = connection.link.send(octets)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._close(connection)
            return
        if over:
            self._close(connection)
        elif sent < len(octets):  # a client that writes and does not read: it is waited for
            connection.unsent = octets[sent:]
            self._poll.modify(connection.link.fileno(), select.EPOLLOUT)
        elif connection.unsent:
            connection.unsent = b""
            self._poll.modify(connection.link.fileno(), select.EPOLLIN)

    def _close(self, connection: _Connection) -> None:
        number = connection.link.fileno()
        self._poll.unregister(number)
        del self._connections[number]
        connection.link.close()
