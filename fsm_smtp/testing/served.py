"""`SMTPServer`: the model server for a test of a client, on a free port, in a thread of its own."""

import ssl
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any

from fsm_smtp.testing.server.connection import Connection
from fsm_smtp.testing.server.deviations import Deviation, Deviations, ordered
from fsm_smtp.testing.server.listening import ModelServer, model_server_in_thread
from fsm_smtp.testing.server.options import HOST, PASSWORD, USER, Options
from fsm_smtp.testing.server.record import Message, SessionRecord
from fsm_smtp.testing.server.session import Session
from fsm_smtp.testing.server.watch import Violation


class SMTPServer:
    """A strict server that remembers everything and does what it is told.

    It takes mail for everybody, offers AUTH, and STARTTLS where trustme is installed. Use it as a
    context manager, from any thread or event loop::

        with SMTPServer() as server:
            server.order("RCPT", recipient="later@example.test", reply="450 4.2.1 later")
            ...
            server.assert_no_violations()

    Args:
        faults: mistakes that it makes, by name; see ``fsm-smtp serve --list-faults``.
        orders: what it does otherwise from the beginning; `order` adds to them.
        options: attributes of `Options` that differ.

    Raises:
        KeyError: there is no such fault.
        TypeError: there is no such option.

    Attributes:
        host: where it listens.
        user: who may authenticate.
        password: with which password.
    """

    host = HOST
    user = USER
    password = PASSWORD

    def __init__(self, *faults: str, orders: Iterable[Deviation] = (), **options: Any) -> None:
        session = Session
        if faults:
            from fsm_smtp.testing.server.faults import faulty

            session = faulty(*faults)
        self._orders = Deviations(orders)
        self._session = ordered(session, self._orders)
        usual = Options(context=_context(), takes_all=True, auth_in_clear=True)
        self._options = replace(usual, **options)
        self._stack = ExitStack()
        self._server: ModelServer | None = None

    def __enter__(self) -> "SMTPServer":
        running = model_server_in_thread(self._options, self._session)
        self._server = self._stack.enter_context(running)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def _running(self) -> ModelServer:
        if self._server is None:
            raise RuntimeError("the server does not run: use it as a context manager")
        return self._server

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._running.port

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port

    @property
    def client_context(self) -> ssl.SSLContext:
        """TLS settings of a client that trusts the server's certificate.

        Raises:
            ModuleNotFoundError: trustme is not installed.
        """
        from fsm_smtp.testing.server.certificate import client_context

        return client_context()

    @property
    def connections(self) -> list[Connection]:
        """Each connection, in their order: to speak unasked, to end it, to order for it."""
        return self._running.connections

    @property
    def open_connections(self) -> list[Connection]:
        """Those that are open."""
        return [connection for connection in self.connections if connection.is_open]

    @property
    def most_open(self) -> int:
        """How many connections were open at a time at most."""
        return self._running.most_open

    @property
    def sessions(self) -> list[SessionRecord]:
        """What each connection was, in their order."""
        return self._running.sessions

    @property
    def messages(self) -> list[Message]:
        """The messages that were taken."""
        return self._running.messages

    @property
    def violations(self) -> list[Violation]:
        """What clients have done against an RFC."""
        return self._running.violations

    def order(self, on: str, **deviation: Any) -> None:
        """Have it do otherwise, on all connections: the arguments are those of `Deviation`.

        Raises:
            ValueError: the order orders nothing.
            TypeError: an order has no such attribute.
        """
        self._orders.add(Deviation(on, **deviation))

    def follow(self) -> None:
        """Forget the orders."""
        self._orders.clear()

    def wait(self, seconds: float = 5.0) -> None:
        """Wait until every connection so far is over. Not from within an event loop.

        Raises:
            TimeoutError: one is still open.
        """
        self._running.wait_until_over(seconds)

    def assert_no_violations(self) -> None:
        """Fail if a client has done something against an RFC.

        Raises:
            AssertionError: it has; each violation with its section and state.
        """
        if self.violations:
            raise AssertionError("\n".join(map(str, self.violations)))


def _context() -> ssl.SSLContext | None:
    try:
        from fsm_smtp.testing.server.certificate import server_context
    except ModuleNotFoundError:
        return None
    return server_context()
