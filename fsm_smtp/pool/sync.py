"""A pool of blocking clients, for any number of threads."""

import queue
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from email.message import Message as EmailLike
from types import TracebackType
from typing import TypeVar

from fsm_smtp.client import Client, Options, SendResult
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


class ClientPool:
    """Connections that are kept and used again, by any number of threads.

    A connection is lent to one borrower at a time. Before it is lent again, RSET must be answered
    with 2yz, and the machine must agree that the session is where a new one would be; a connection
    that the server has given up meanwhile (a 421 that waits to be read, or an end) is replaced.
    Who comes when all are lent waits in line::

        with ClientPool(4, "mx.example.com", 25, Options(security="starttls")) as pool:
            result = pool.send_message(b"...", "me@example.com", ["you@example.com"])
            with pool.connection() as client:
                client.vrfy("postmaster")

    Args:
        size: how many connections at most, lent and idle ones together.
        host: name or address; with *path* only the name for TLS.
        port: TCP port.
        options: security, credentials, names, times.
        path: a Unix socket to connect to, in place of host and port.
        source_address: local address and port to connect from.
        limits: connections, messages, age and idle time for each server.
        observer: called with a `PoolEvent` for each connection that is made, reused or ended, from
            whichever thread does that.
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
        self._changed = threading.Condition()
        self._keeper: threading.Thread | None = None
        self._pool = Pool(
            size,
            Server(host, port, options or Options(), path, source_address),
            limits,
            observer,
            make=_client,
            clock=time.monotonic,
            lock=self._changed,
        )

    @property
    def usage(self) -> Usage:
        """How the connections are used now."""
        return self._pool.usage

    # -- lending ---------------------------------------------------------------------------------

    def acquire(self, server: Server | None = None, *, wait: float | None = None) -> Client:
        """A connected client, for the caller alone until `release`.

        Args:
            server: whom it shall lead to; the pool's own server when ``None``.
            wait: seconds to wait for one to become free; for ever when ``None``. To connect
                takes its own time, which the options limit.

        Raises:
            PoolTimeout: none became free in time.
            PoolClosed: the pool is closed, or was closed meanwhile.
            ProtocolError: a new connection is needed and cannot be made: see `Client.connect`.
        """
        granted = threading.Event()
        ticket = self._pool.draw(server, granted.set)
        try:
            granted.wait(wait)
        except BaseException:
            self._pool.give_up(ticket)
            raise
        return _run(self._pool.ready(self._pool.place(ticket, wait)))

    def release(self, client: Client) -> None:
        """Give *client* back, in whatever state it is; it must not be used afterwards.

        Raises:
            ValueError: it is not lent by this pool, or was given back already.
        """
        _run(self._pool.taken_back(client))
        self._watch()

    @contextmanager
    def connection(
        self, server: Server | None = None, *, wait: float | None = None
    ) -> Generator[Client]:
        """`acquire`, and `release` at the end of the block, however it ends."""
        client = self.acquire(server, wait=wait)
        try:
            yield client
        finally:
            self.release(client)

    # -- mail ------------------------------------------------------------------------------------

    def send_message(
        self,
        content: Source,
        sender: str | None = None,
        recipients: str | Sequence[str | Recipient] | None = None,
        *,
        extensions: Extensions | None = None,
        server: Server | None = None,
        wait: float | None = None,
    ) -> SendResult:
        """Send one message over one of the connections: see `Client.send_message` and `acquire`.

        What cannot be sent is not tried again here: its fate says whether that would be safe.
        """
        with self.connection(server, wait=wait) as client:
            return client.send_message(content, sender, recipients, extensions=extensions)

    def send_many(
        self,
        messages: Iterable[Message | EmailLike],
        *,
        connections: int | None = None,
        depth: Depth | None = None,
        server: Server | None = None,
    ) -> Generator[tuple[int, SendResult], None, None]:
        """Send any number of messages over several connections; gives results as they come.

        Each connection takes the next message when it has room for one, so results come in no
        order; with each comes the number of its message, which counts from 0. Memory is bounded:
        who does not ask for results holds the connections up. Who stops listening in the middle
        waits until what is on its way has arrived.

        Args:
            messages: each a `Message`, or an `email` message with its envelope in its headers.
            connections: how many to use at most; all of the pool when ``None``.
            depth: how far to run ahead of replies: see `Client.send_many`.
            server: whom the connections lead to; the pool's own server when ``None``.

        Raises:
            ProtocolError: no connection can be made any more, and messages are left. A message
                whose number had no result has not been sent. `Options.reconnect` says how often it
                is tried.
        """
        shares = Shares(messages, threading.Lock())
        count = min(connections or self._pool.size, self._pool.size)
        results: queue.Queue[tuple[int, SendResult] | BaseException | None] = queue.Queue(count)

        def work() -> None:
            try:
                while shares.more():
                    with self.connection(server) as client:
                        numbers: deque[int] = deque()
                        given = self._pool.portion(client, shares, numbers)
                        for result in client.send_many(given, depth=depth):
                            results.put((numbers.popleft(), result))
            except BaseException as error:  # noqa: BLE001 - raised where the results are wanted
                results.put(error)
            finally:
                results.put(None)

        threads = [threading.Thread(target=work, name=f"pool {n}") for n in range(count)]
        for thread in threads:
            thread.start()
        errors: list[BaseException] = []
        try:
            while count:
                result = results.get()
                if result is None:
                    count -= 1
                elif isinstance(result, BaseException):
                    errors.append(result)
                    shares.stopped |= not isinstance(result, ProtocolError)
                else:
                    yield result
        finally:
            shares.stopped |= count > 0
            while count:
                count -= results.get() is None
            for thread in threads:
                thread.join()
        self._pool.settle(errors, shares)

    # -- life ------------------------------------------------------------------------------------

    def close(self) -> None:
        """End the idle connections with QUIT, and wake all who wait; lent ones end on `release`."""
        idle = self._pool.shut(f"by close() in thread {threading.current_thread().name}")
        _run(self._pool.all_ended(idle, "the pool was closed"))
        with self._changed:
            self._changed.notify_all()
            keeper = self._keeper
        if keeper is not None:
            keeper.join()

    def __enter__(self) -> "ClientPool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- idle connections ------------------------------------------------------------------------

    def _watch(self) -> None:
        """See to it that idle connections are ended in time."""
        with self._changed:
            if self._pool.book.next_expiry() is None:
                return
            if self._keeper is None:
                # A daemon: a program that ends does not wait for connections to become old.
                self._keeper = threading.Thread(target=self._keep, name="pool", daemon=True)
                self._keeper.start()

    def _keep(self) -> None:
        while True:
            with self._changed:
                due = self._pool.book.next_expiry()
                if due is None:
                    self._keeper = None
                    return
                old = self._pool.book.expired(self._pool.clock())
                if old is None:
                    self._changed.wait(due - self._pool.clock())
                    continue
            _run(self._pool.ended(old, "it was idle for too long"))


def _client(server: Server) -> Client:
    return Client(
        server.host,
        server.port,
        server.options,
        path=server.path,
        source_address=server.source_address,
    )


def _run(steps: Steps[_T]) -> _T:
    """Make the calls that *steps* asks for."""
    try:
        call = next(steps)
        while True:
            try:
                made = call()
            except BaseException as error:  # noqa: BLE001 - it is raised where it was asked for
                call = steps.throw(error)
            else:
                call = steps.send(made)
    except StopIteration as done:
        value: _T = done.value
        return value
