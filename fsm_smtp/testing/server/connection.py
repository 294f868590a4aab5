"""One connection of a running model server in the hands of a test: speak, close, order."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from fsm_smtp.testing.server.deviations import Deviation, Ordered
from fsm_smtp.testing.server.record import SessionRecord
from fsm_smtp.testing.server.session import Session
from fsm_smtp.testing.server.wire import Wire

#: Seconds for the server's thread to do what it is asked.
PATIENCE = 5.0


class Connection:
    """What a server may do to a client out of turn; from any thread.

    Attributes:
        record: what it was so far.
        peer: the client's address, as the server sees it.
    """

    def __init__(self, session: Session, wire: Wire) -> None:
        self.record: SessionRecord = session.record
        self.peer: object = wire.transport and wire.transport.get_extra_info("peername")
        self._session = session
        self._wire = wire
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._closed = False

    @property
    def is_open(self) -> bool:
        """Whether the server has not closed it, nor seen the client do so."""
        return not (self._closed or self.record.ended)

    def say(self, octets: bytes) -> None:
        """Write *octets* that nobody has asked for, unless the connection is over."""

        def write() -> None:
            self.record.lines.append(("S", octets))
            self._wire.write(octets)

        if self.is_open:
            self._do(write)

    def end(self) -> None:
        """Close, without a word."""
        if self.is_open:
            self._closed = True
            self._do(self._wire.hang_up)

    def abort(self) -> None:
        """Close at once, in the server's own thread, as it ends."""
        self._closed = True
        self._wire.abort()

    def order(self, on: str, **deviation: Any) -> None:
        """Have it do otherwise on this connection; it comes before what the server is told.

        Raises:
            TypeError: an order has no such attribute, or the server takes none.
            ValueError: the order orders nothing.
        """
        if not isinstance(self._session, Ordered):
            raise TypeError("this server takes no orders: see `ordered`")
        self._session.own.add(Deviation(on, **deviation))

    def _do(self, what: Callable[[], None]) -> None:
        if threading.get_ident() == self._thread:
            what()
            return
        done: Future[None] = Future()

        def now() -> None:
            what()
            done.set_result(None)

        self._loop.call_soon_threadsafe(now)
        done.result(PATIENCE)
