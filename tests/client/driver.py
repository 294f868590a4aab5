"""Both clients behind one face, so that one test is a test of both."""

import asyncio
import contextlib
from abc import abstractmethod
from collections.abc import Awaitable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from fsm_smtp.client import AsyncClient, Client, Extensions, Options, Recipient, Resume, SendResult
from fsm_smtp.client.commands import Commands
from fsm_smtp.client.content import Source
from fsm_smtp.wire import Reply

_T = TypeVar("_T")

ADAPTERS = ("sync", "asyncio")
SENDER = "me@example.test"
RECIPIENTS = ("one@example.test", "two@example.test")


class AnyClient(Commands[Reply, None]):
    """What both clients can do, from a test's point of view: this is never made."""

    @abstractmethod
    def connect(self) -> Reply: ...
    @abstractmethod
    def quit(self) -> Reply | None: ...
    @abstractmethod
    def close(self) -> None: ...
    @abstractmethod
    def send_message(
        self,
        content: Source,
        sender: str | None = None,
        recipients: str | Sequence[str | Recipient] | None = None,
        *,
        extensions: Extensions | None = None,
    ) -> SendResult: ...
    @abstractmethod
    def resume(self, resumed: Resume) -> SendResult: ...


class Awaited:
    """An `AsyncClient` whose coroutines are run to their end."""

    def __init__(self, client: AsyncClient, runner: asyncio.Runner) -> None:
        self.client = client
        self._runner = runner

    def __getattr__(self, name: str) -> object:
        found = getattr(self.client, name)
        if not callable(found) or name == "session":
            return found

        def called(*args: object, **kwargs: object) -> object:
            async def inside() -> object:
                value = found(*args, **kwargs)
                return await value if isinstance(value, Awaitable) else value

            return self._runner.run(inside())

        return called

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run one to its end."""
        return self._runner.run(coroutine)


@contextlib.contextmanager
def client(
    adapter: str,
    port: int,
    options: Options | None = None,
    *,
    host: str = "127.0.0.1",
    path: Path | None = None,
    source_address: tuple[str, int] | None = None,
) -> Iterator[AnyClient]:
    """A client that is not connected yet, and that is closed at the end."""
    options = options or Options(timeout=2.0)
    where = str(path) if path else None
    if adapter == "sync":
        blocking = Client(host, port, options, path=where, source_address=source_address)
        try:
            yield cast(AnyClient, blocking)
        finally:
            blocking.close()
        return
    with asyncio.Runner() as runner:
        asynchronous = AsyncClient(host, port, options, path=where, source_address=source_address)
        awaited = Awaited(asynchronous, runner)
        try:
            yield cast(AnyClient, awaited)
        finally:
            cast(AnyClient, awaited).close()
