"""A relay in front of a real server, which keeps what the client has written."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

PATIENCE = 20.0


@dataclass
class Relay:
    """Where it listens, and what came, by connection in their order."""

    port: int = 0
    octets: list[bytearray] = field(default_factory=list[bytearray])
    threads: list[threading.Thread] = field(default_factory=list[threading.Thread])

    def settle(self) -> bytes:
        """What the last connection wrote, once it is closed."""
        for thread in self.threads:
            thread.join(PATIENCE)
        self.threads.clear()
        return bytes(self.octets[-1])


def _pump(source: socket.socket, target: socket.socket, kept: bytearray | None) -> None:
    with contextlib.suppress(OSError):
        while octets := source.recv(65536):
            if kept is not None:
                kept += octets
            target.sendall(octets)
    for each in (source, target):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def relay(host: str, port: int) -> Iterator[Relay]:
    """A relay to the server at *host* and *port*."""
    made = Relay()
    listener = socket.create_server(("127.0.0.1", 0))
    made.port = listener.getsockname()[1]

    def connection(client: socket.socket, kept: bytearray) -> None:
        with client, socket.create_connection((host, port), PATIENCE) as server:
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                each.settimeout(PATIENCE)
            back = threading.Thread(target=_pump, args=(server, client, None), daemon=True)
            back.start()
            _pump(client, server, kept)
            back.join(PATIENCE)

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            made.octets.append(bytearray())
            thread = threading.Thread(
                target=connection, args=(client, made.octets[-1]), daemon=True
            )
            made.threads.append(thread)
            thread.start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield made
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
