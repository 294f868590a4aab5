"""A slow and lossy link in front of a server: a TCP proxy on loopback that delays what passes."""

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.listening import listening

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

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Calls with the same delay come in the order in which they were made.
        loop = asyncio.get_running_loop()
        while data := await reader.read(_READ):
            loop.call_later(delay, _pass_on, writer, data)
        loop.call_later(delay, writer.close)

    async def serve(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        link.connections += 1
        if loses_each and link.connections % loses_each == 0:
            link.lost += 1
            sock: socket.socket = back.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            back.transport.abort()
            return
        far, there = await asyncio.open_connection(HOST, port)
        try:
            await asyncio.gather(relay(near, there), relay(far, back))
            await asyncio.sleep(delay)
        finally:
            there.close()

    async with listening(serve) as door:
        link.port = door.port
        yield link


def _pass_on(writer: asyncio.StreamWriter, data: bytes) -> None:
    if not writer.is_closing():
        writer.write(data)
