"""A slow and lossy link in front of a server: a TCP proxy on loopback that delays what passes."""

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

HOST = "127.0.0.1"
_READ = 65536
#: No lingering: close() sends RST.
_NO_LINGER = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Link:
    """A link that is up.

    Attributes:
        port: where its near end listens.
        connections: how many were asked for.
        lost: how many of these were reset at once.
    """

    port: int = 0
    connections: int = 0
    lost: int = 0


@asynccontextmanager
async def slow_link(port: int, *, delay: float, loses_each: int = 0) -> AsyncGenerator[Link]:
    """A link to *port* that needs *delay* seconds each way and resets every n-th connection."""
    link = Link()
    tasks: set[asyncio.Task[None]] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Calls with the same delay come in the order in which they were made.
        loop = asyncio.get_running_loop()
        while data := await reader.read(_READ):
            loop.call_later(delay, _pass_on, writer, data)
        loop.call_later(delay, writer.close)

    async def carry(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, there = await asyncio.open_connection(HOST, port)
        try:
            await asyncio.gather(relay(near, there), relay(far, back))
            await asyncio.sleep(delay)
        except ConnectionError:
            pass  # an end of the link was reset: so is the other
        finally:
            there.close()

    async def serve(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        link.connections += 1
        if loses_each and link.connections % loses_each == 0:
            link.lost += 1
            sock: socket.socket = back.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            back.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await carry(near, back)
        except asyncio.CancelledError:
            pass  # the link is taken down
        finally:
            back.close()
            tasks.discard(task)

    server = await asyncio.start_server(serve, HOST, 0)
    link.port = server.sockets[0].getsockname()[1]
    try:
        yield link
    finally:
        server.close()
        await asyncio.sleep(0)  # what was accepted just now becomes a connection
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


def _pass_on(writer: asyncio.StreamWriter, data: bytes) -> None:
    if not writer.is_closing():
        writer.write(data)
