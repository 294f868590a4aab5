"""Free ports on loopback that stay ours until the server has taken them."""

import contextlib
import socket
import sys
from collections.abc import Iterator

HOST = "127.0.0.1"


@contextlib.contextmanager
def reserved(count: int = 1) -> Iterator[tuple[int, ...]]:
    """Ports that nobody else is given while the block runs, but that a server may listen on.

    Linux lets a second socket bind to a bound port when both set SO_REUSEADDR and neither
    listens yet. All our servers set it. The kernel hands out a held port neither to another
    reservation nor to an outgoing connection, so parallel test runs cannot take it away.
    """
    with contextlib.ExitStack() as stack:
        held: list[socket.socket] = []
        for _ in range(count):
            sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((HOST, 0))
            held.append(sock)
        ports = tuple(int(sock.getsockname()[1]) for sock in held)
        if sys.platform != "linux":  # elsewhere a bound port is refused to the server as well
            stack.close()
        yield ports
