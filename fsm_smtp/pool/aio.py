"""A pool of asyncio clients, for any number of tasks of one event loop."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager, nullcontext
from email.message import Message as EmailLike
from types import TracebackType
from typing import TypeVar

from fsm_smtp.client import AsyncClient, Options, SendResult
from fsm_smtp.client.content import Source
from fsm_smtp.client.extensions import Extensions, Recipient
from fsm_smtp.client.message import Message
from fsm_smtp.client.options import Depth
from fsm_smtp.errors import ProtocolError
from fsm_smtp.pool.events import PoolObserver, Usage
from fsm_smtp.pool.limits import Limits
from fsm_smtp.pool.pool import Pool, Steps
from fsm_smtp.pool.server import Server
from fsm_smtp.pool.shares import Shares

_T = TypeVar("_T")


class AsyncClientPool:
    """Connections that are kept and used again: `ClientPool` with ``await``.

    For any number of tasks of one event loop. A task that is cancelled leaves nothing behind: it
    gives up its place in line, and a connection that it was using in the middle of something is
    closed.

    Args:
        size: how many connections at most, lent and idle ones together.
        host: name or address; with *path* only the name for TLS.
        port: TCP port.
        options: security, credentials, names, times.
        path: a Unix socket to connect to, in place of host and port.
        source_address: local address and port to connect from.
        limits: connections, messages, age and idle time for each server.
        observer: called with a `PoolEvent` for each connection that is made, reused or ended.
    """

    def __init__(
        self,
        size: int,
        host: str = "localhost",
        port: int = 25,
        options: Options | None = None,
        *,
        path: str | None = None,
        source_address: tuple[str, int] | None = None,
        limits: Limits | None = None,
        observer: PoolObserver | None = None,
    ) -> None:
        self._keeper: asyncio.Task[None] | None = None
        self._pool = Pool(
            size,
            Server(host, port, options or Options(), path, source_address),
            limits,
            observer,
            make=_client,
            clock=time.monotonic,
            lock=nullcontext(),  # nothing is awaited while the book is open
        )

    @property
    def usage(self) -> Usage:
        """How the connections are used now."""
        return self._pool.usage

    # -- lending ---------------------------------------------------------------------------------

    async def acquire(
        self, server: Server | None = None, *, wait: float | None = None
    ) -> AsyncClient:
        """A connected client, for the caller alone until `release`. See `ClientPool.acquire`.

        Raises:
            PoolTimeout: none became free in time.
            PoolClosed: the pool is closed, or was closed meanwhile.
            ProtocolError: a new connection is needed and cannot be made.
        """
        loop = asyncio.get_running_loop()
        granted: asyncio.Future[None] = loop.create_future()
        ticket = self._pool.draw(server, lambda: _wake(granted))
        # Not `asyncio.wait_for`: before Python 3.12 it can lose a cancellation that comes together
        # with the place.
        timer = None if wait is None else loop.call_later(wait, _wake, granted)
        try:
            await granted
        except BaseException:
            self._pool.give_up(ticket)
            raise
        finally:
            if timer is not None:
                timer.cancel()
        return await _run(self._pool.ready(self._pool.place(ticket, wait)))

    async def release(self, client: AsyncClient) -> None:
        """Give *client* back, in whatever state it is; it must not be used afterwards.

        Raises:
            ValueError: it is not lent by this pool, or was given back already.
        """
        await _run(self._pool.taken_back(client))
        self._watch()

    @asynccontextmanager
    async def connection(
        self, server: Server | None = None, *, wait: float | None = None
    ) -> AsyncGenerator[AsyncClient]:
        """`acquire`, and `release` at the end of the block, however it ends."""
        client = await self.acquire(server, wait=wait)
        try:
            yield client
        finally:
            await self.release(client)

    # -- mail ------------------------------------------------------------------------------------

    async def send_message(
        self,
        content: Source,
        sender: str | None = None,
        recipients: str | Sequence[str | Recipient] | None = None,
        *,
        extensions: Extensions | None = None,
        server: Server | None = None,
        wait: float | None = None,
    ) -> SendResult:
        """Send one message over one of the connections: see `ClientPool.send_message`."""
        async with self.connection(server, wait=wait) as client:
            return await client.send_message(content, sender, recipients, extensions=extensions)

    async def send_many(
        self,
        messages: Iterable[Message | EmailLike],
        *,
        connections: int | None = None,
        depth: Depth | None = None,
        server: Server | None = None,
    ) -> AsyncGenerator[tuple[int, SendResult], None]:
        """Send any number of messages over several connections: see `ClientPool.send_many`.

        When the task that listens is cancelled, what is on its way is broken off.
        """
        shares = Shares(messages, nullcontext())
        count = min(connections or self._pool.size, self._pool.size)
        results: asyncio.Queue[tuple[int, SendResult] | BaseException | None]
        results = asyncio.Queue(count)

        async def work() -> None:
            try:
                while shares.more():
                    async with self.connection(server) as client:
                        numbers: deque[int] = deque()
                        given = self._pool.portion(client, shares, numbers)
                        async for result in client.send_many(given, depth=depth):
                            await results.put((numbers.popleft(), result))
            except Exception as error:  # noqa: BLE001 - raised where the results are wanted
                await results.put(error)
            await results.put(None)

        tasks = [asyncio.create_task(work(), name=f"pool {n}") for n in range(count)]
        errors: list[BaseException] = []
        try:
            while count:
                result = await results.get()
                if result is None:
                    count -= 1
                elif isinstance(result, BaseException):
                    errors.append(result)
                    shares.stopped |= not isinstance(result, ProtocolError)
                else:
                    yield result
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()
            count = 0
            raise
        finally:
            shares.stopped |= count > 0
            while count:
                count -= await results.get() is None
            await asyncio.gather(*tasks, return_exceptions=True)
        self._pool.settle(errors, shares)

    # -- life ------------------------------------------------------------------------------------

    async def close(self) -> None:
        """End the idle connections with QUIT, and wake all who wait; lent ones end on `release`."""
        task = asyncio.current_task()
        idle = self._pool.shut(f"by close() in task {task.get_name() if task else '?'}")
        await _run(self._pool.all_ended(idle, "the pool was closed"))
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])

    async def __aenter__(self) -> "AsyncClientPool":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # -- idle connections ------------------------------------------------------------------------

    def _watch(self) -> None:
        """See to it that idle connections are ended in time."""
        if self._keeper is None and self._pool.book.next_expiry() is not None:
            self._keeper = asyncio.create_task(self._keep(), name="pool")

    async def _keep(self) -> None:
        try:
            while (due := self._pool.book.next_expiry()) is not None:
                old = self._pool.book.expired(self._pool.clock())
                if old is None:
                    await asyncio.sleep(due - self._pool.clock())
                else:
                    await _run(self._pool.ended(old, "it was idle for too long"))
        finally:
            self._keeper = None


def _client(server: Server) -> AsyncClient:
    return AsyncClient(
        server.host,
        server.port,
        server.options,
        path=server.path,
        source_address=server.source_address,
    )


def _wake(waiting: "asyncio.Future[None]") -> None:
    if not waiting.done():
        waiting.set_result(None)


async def _run(steps: Steps[_T]) -> _T:
    """Await the calls that *steps* asks for."""
    try:
        call = next(steps)
        while True:
            try:
                made = await call()
            except BaseException as error:  # noqa: BLE001 - it is raised where it was asked for
                call = steps.throw(error)
            else:
                call = steps.send(made)
    except StopIteration as done:
        value: _T = done.value
        return value
