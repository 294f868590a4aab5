"""Both pools behind one face, so that one test is a test of both."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from fsm_smtp.client import AsyncClient, Client, Options
from fsm_smtp.pool import AsyncClientPool, ClientPool, Limits, PoolEvent, Server, Usage

SENDER = "me@example.test"
RECIPIENTS = ("one@example.test", "two@example.test")
HELLO = b"Subject: hello\r\n\r\nhello\r\n"
OPTIONS = Options(timeout=5.0, ehlo_name="client.example.test")

AnyClient = Client | AsyncClient


class AnyPool(Protocol):
    """A pool, and how to call what may be a coroutine."""

    events: list[PoolEvent]

    @property
    def usage(self) -> Usage: ...
    def run(self, made: Any) -> Any:
        """What a method of the pool or of a client gives, awaited where that is needed."""
        ...

    def acquire(self, server: Server | None = None, *, wait: float | None = 0.0) -> Any: ...
    def release(self, client: Any) -> None: ...
    def close(self) -> None: ...


class Blocking:
    """A `ClientPool`."""

    def __init__(self, pool: ClientPool, events: list[PoolEvent]) -> None:
        self.pool = pool
        self.events = events

    @property
    def usage(self) -> Usage:
        return self.pool.usage

    def run(self, made: Any) -> Any:
        return asyncio.run(made) if asyncio.iscoroutine(made) else made

    def acquire(self, server: Server | None = None, *, wait: float | None = 0.0) -> Client:
        return self.pool.acquire(server, wait=wait)

    def release(self, client: Client) -> None:
        self.pool.release(client)

    def close(self) -> None:
        self.pool.close()


class Awaited:
    """An `AsyncClientPool` whose coroutines are run to their end."""

    def __init__(
        self, pool: AsyncClientPool, events: list[PoolEvent], runner: asyncio.Runner
    ) -> None:
        self.pool = pool
        self.events = events
        self._runner = runner

    @property
    def usage(self) -> Usage:
        return self.pool.usage

    def run(self, made: Any) -> Any:
        return self._runner.run(made) if asyncio.iscoroutine(made) else made

    def acquire(self, server: Server | None = None, *, wait: float | None = 0.0) -> AsyncClient:
        return self._runner.run(self.pool.acquire(server, wait=wait))

    def release(self, client: AsyncClient) -> None:
        self._runner.run(self.pool.release(client))

    def close(self) -> None:
        self._runner.run(self.pool.close())


@contextlib.contextmanager
def pooled(
    adapter: str,
    size: int,
    port: int,
    *,
    options: Options = OPTIONS,
    limits: Limits | None = None,
    clock: Callable[[], float] | None = None,
) -> Iterator[AnyPool]:
    """A pool that is closed at the end; with *clock* it goes by that."""
    events: list[PoolEvent] = []
    if adapter == "sync":
        pool = ClientPool(size, "127.0.0.1", port, options, limits=limits, observer=events.append)
        if clock is not None:
            pool._pool.clock = clock
        with pool:
            yield Blocking(pool, events)
        return
    with asyncio.Runner() as runner:

        async def make() -> AsyncClientPool:
            return AsyncClientPool(
                size, "127.0.0.1", port, options, limits=limits, observer=events.append
            )

        awaited = Awaited(runner.run(make()), events, runner)
        if clock is not None:
            awaited.pool._pool.clock = clock
        try:
            yield awaited
        finally:
            awaited.close()
