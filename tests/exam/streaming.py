"""1 GiB from an iterator, in constant memory: ``python -m tests.exam.streaming``.

Both clients send it to a forgetful server in a child process; what counts is how far this process
has grown while it was sent (its resident set, as the kernel counts it).
"""

import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import Iterator

from fsm_smtp.client import AsyncClient, Client, Options

GIB = 1024**3
PIECE = (b"x" * 76 + b"\r\n") * 1000
#: How far the process may grow, in MiB.
BOUND = 8
OPTIONS = Options(timeout=60.0)
ENVELOPE = ("me@example.test", ["you@example.test"])

SINK = """
from fsm_smtp.testing.sink import Sink
sink = Sink()
print(sink.port, flush=True)
sink.run()
"""


def pieces() -> Iterator[bytes]:
    """1 GiB."""
    return (PIECE for _ in range(GIB // len(PIECE) + 1))


def blocking(port: int) -> None:
    """By the blocking client."""
    with Client("127.0.0.1", port, OPTIONS) as client:
        assert client.send_message(pieces(), *ENVELOPE).all_accepted


def awaited(port: int) -> None:
    """By the client on asyncio."""

    async def sending() -> None:
        async with AsyncClient("127.0.0.1", port, OPTIONS) as client:
            assert (await client.send_message(pieces(), *ENVELOPE)).all_accepted

    asyncio.run(sending())


def _grown() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Send, measure, report; 1 when a client has grown by more than the bound."""
    with subprocess.Popen([sys.executable, "-c", SINK], stdout=subprocess.PIPE) as sink:
        assert sink.stdout is not None
        port = int(sink.stdout.readline())
        worst = 0.0
        for name, send in (("Client", blocking), ("AsyncClient", awaited)):
            before, began = _grown(), time.monotonic()
            send(port)
            grown, seconds = _grown() - before, time.monotonic() - began
            worst = max(worst, grown)
            print(f"{name}: 1 GiB in {seconds:.1f} s, grown by {grown:.1f} MiB (bound {BOUND})")
        sink.terminate()
    return int(worst > BOUND)


if __name__ == "__main__":
    sys.exit(main())
