"""A handler behind a port of the running loop, for what no server of the kit does."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from fsm_smtp.testing.server.options import HOST

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
#: Turns of the loop from a connection that was accepted to the first step of its handler.
TURNS = 3


class Door:
    """What listens.

    Attributes:
        port: where.
    """

    def __init__(self, handler: Handler) -> None:
        self.port = 0
        self._handler = handler
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        """Take connections from now on."""
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        try:
            await self._handler(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the other side has seen enough, or the test has
        finally:
            del self._open[task]
            writer.close()

    async def shut(self) -> None:
        """Take no more, and cut who is inside: nothing is left half accepted or half closed."""
        assert self._server is not None
        self._server.close()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        inside = dict(self._open)
        for task, writer in inside.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*inside)
        await asyncio.sleep(0)


@asynccontextmanager
async def listening(handler: Handler) -> AsyncGenerator[Door]:
    """*handler* meets everyone who connects, until the end of the block."""
    door = Door(handler)
    await door.listen()
    try:
        yield door
    finally:
        await door.shut()


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes, and the end of it."""
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


async def lead(port: int, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
    """Lead who has come to *port*, and carry what is said, until both sides have closed."""
    far, there = await asyncio.open_connection(HOST, port)
    try:
        await asyncio.gather(relay(near, there), relay(far, back))
    finally:
        there.close()
