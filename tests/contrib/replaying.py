"""A server that gives out prepared replies, one for each thing it is sent; for many sessions."""

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence

#: Seconds that the server waits for a client.
PATIENCE = 10.0


class ReplayingServer:
    """To the n-th thing that it is sent, a line or content, it says the n-th reply.

    The greeting is the first. An empty reply, a 421, and the end of the replies close the
    connection. After a 354 what comes is content.
    """

    def __init__(self) -> None:
        self.replies: Sequence[bytes] = ()
        self.lines: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            connected.settimeout(PATIENCE)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connected, connected.makefile("rb") as lines, contextlib.suppress(OSError):
                self.lines = []
                self._serve(connected, lines)

    def _serve(self, connected: socket.socket, lines: "Iterator[bytes]") -> None:
        for reply in self.replies:
            connected.sendall(reply)
            if not reply or reply.startswith(b"421"):
                return
            content = b""
            for line in lines:
                content += line
                if not reply.startswith(b"354") or line == b".\r\n":
                    break
            else:
                return
            self.lines.append(content)

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE + 1)
        assert not self._thread.is_alive()


@contextlib.contextmanager
def replaying() -> Iterator[ReplayingServer]:
    """A server that is gone at the end of the block."""
    server = ReplayingServer()
    try:
        yield server
    finally:
        server.stop()
