"""A model server on a free port of 127.0.0.1, in the running event loop or in a thread."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from fsm_smtp.testing.server.connection import Connection
from fsm_smtp.testing.server.options import HOST, Options
from fsm_smtp.testing.server.record import Message, SessionRecord
from fsm_smtp.testing.server.session import Session
from fsm_smtp.testing.server.watch import Violation
from fsm_smtp.testing.server.wire import Wire


@dataclass(slots=True)
class ModelServer:
    """A server that runs.

    Attributes:
        port: where it listens.
        connections: each, in the order of their beginning.
        most_open: how many of them were open at a time at most.
        ended: how many connections are over.
        on_end: called when one is over.
        mistakes: our own; they are raised when the server ends.
    """

    options: Options
    session: type[Session]
    port: int = 0
    connections: list[Connection] = field(default_factory=list[Connection])
    most_open: int = 0
    mistakes: list[Exception] = field(default_factory=list[Exception])
    ended: int = 0
    on_end: Callable[[], None] | None = None
    _running: dict[asyncio.Task[None], Session] = field(
        default_factory=dict[asyncio.Task[None], Session]
    )

    @property
    def sessions(self) -> list[SessionRecord]:
        """One record for each connection."""
        return [connection.record for connection in self.connections]

    @property
    def messages(self) -> list[Message]:
        """Every message that was taken, by session."""
        return [message for session in self.sessions for message in session.messages]

    @property
    def violations(self) -> list[Violation]:
        """Everything that clients have done wrong, by session."""
        return [one for session in self.sessions for one in session.violations]

    def wait_until_over(self, seconds: float = 5.0) -> None:
        """Wait until every connection so far is over; for other threads than the server's.

        Raises:
            TimeoutError: one is still open after so many seconds.
        """
        deadline = time.monotonic() + seconds
        while self.ended < len(self.connections):
            if time.monotonic() > deadline:
                raise TimeoutError(f"a connection is still open after {seconds:g} s")
            time.sleep(0.001)

    def begin(self, wire: Wire) -> None:
        """A connection has come."""
        record = SessionRecord(secured=self.options.implicit_tls)
        session = self.session(wire, self.options, record)
        self.connections.append(Connection(session, wire))
        task = asyncio.get_running_loop().create_task(session.run())
        self._running[task] = session
        self.most_open = max(self.most_open, len(self._running))
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.ended += 1
        if self.on_end is not None:
            self.on_end()
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self.mistakes.append(error)
        self._running.pop(task, None)

    async def end(self) -> None:
        """421 to whoever is still there, and close."""
        running = dict(self._running)
        for task, session in running.items():
            session.shut_down()
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        # Of some whose session is over, a late reply was still to be written.
        for connection in self.connections:
            connection.abort()
        await asyncio.sleep(0)


@asynccontextmanager
async def model_server(
    options: Options | None = None,
    session: type[Session] = Session,
    *,
    host: str = HOST,
    port: int = 0,
) -> AsyncGenerator[ModelServer]:
    """A server in the running event loop.

    Args:
        options: how it is set up.
        session: what answers; a fault is another class (`fsm_smtp.testing.server.faults`).
        host: the address to listen on.
        port: the port; 0 for a free one.

    Raises:
        ExceptionGroup: at the end, if a session had a mistake of ours.
    """
    server = ModelServer(options or Options(), session)
    listening = await asyncio.get_running_loop().create_server(
        lambda: Wire(server.begin),
        host,
        port,
        ssl=server.options.context if server.options.implicit_tls else None,
    )
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        # What was accepted just now is a connection in two turns of the loop, which `end` closes.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await server.end()
    if server.mistakes:
        # It must not look like a server's choice to close.
        raise ExceptionGroup("sessions of a model server failed", server.mistakes)


@contextmanager
def model_server_in_thread(
    options: Options | None = None, session: type[Session] = Session, **where: Any
) -> Generator[ModelServer]:
    """The same, for a test that has no event loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="model-server", daemon=True)
    thread.start()
    running = model_server(options, session, **where)
    try:
        yield asyncio.run_coroutine_threadsafe(running.__aenter__(), loop).result(5)
    finally:
        asyncio.run_coroutine_threadsafe(running.__aexit__(None, None, None), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
