"""Both clients behind one face, so that one test is a test of both."""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from fsm_smtp.client import AsyncClient, Client, Options, SendResult
from fsm_smtp.client.content import Source
from fsm_smtp.session import Session
from fsm_smtp.wire import Command, Reply

_T = TypeVar("_T")

ADAPTERS = ("sync", "asyncio")
SENDER = "me@example.test"
RECIPIENTS = ("one@example.test", "two@example.test")


class AnyClient(Protocol):
    """What both clients can do, from a test's point of view."""

    @property
    def session(self) -> Session: ...
    def connect(self) -> Reply: ...
    def quit(self) -> Reply | None: ...
    def close(self) -> None: ...
    def command(self, command: Command) -> Reply: ...
    def send_message(
        self,
        sender: str,
        recipients: Sequence[str],
        content: Source,
        parameters: Mapping[str, str | None] | None = None,
    ) -> SendResult: ...


class Awaited:
    """An `AsyncClient` whose coroutines are run to their end."""

    def __init__(self, client: AsyncClient, runner: asyncio.Runner) -> None:
        self.client = client
        self._runner = runner

    @property
    def session(self) -> Session:
        return self.client.session

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run one to its end."""
        return self._runner.run(coroutine)

    def connect(self) -> Reply:
        return self.run(self.client.connect())

    def quit(self) -> Reply | None:
        return self.run(self.client.quit())

    def close(self) -> None:
        async def closing() -> None:
            self.client.close()

        self.run(closing())

    def command(self, command: Command) -> Reply:
        return self.run(self.client.command(command))

    def send_message(
        self,
        sender: str,
        recipients: Sequence[str],
        content: Source,
        parameters: Mapping[str, str | None] | None = None,
    ) -> SendResult:
        return self.run(self.client.send_message(sender, recipients, content, parameters))


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
            yield blocking
        finally:
            blocking.close()
        return
    with asyncio.Runner() as runner:
        asynchronous = AsyncClient(host, port, options, path=where, source_address=source_address)
        awaited = Awaited(asynchronous, runner)
        try:
            yield awaited
        finally:
            awaited.close()
