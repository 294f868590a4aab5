"""The model server without sockets, loop or threads: octets in, octets out, at once."""

from collections.abc import Generator
from typing import Any

from fsm_smtp.testing.server.options import Options
from fsm_smtp.testing.server.record import SessionRecord
from fsm_smtp.testing.server.session import Session
from fsm_smtp.testing.server.wire import Ended, Wire


class _Octets:
    """Awaited until there are more of them."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class MemoryWire(Wire):
    """A wire whose other end is `MemoryConnection`; TLS is a word, unless it *shakes*."""

    def __init__(self, *, shakes: bool) -> None:
        super().__init__(lambda _: None)
        self.handshake_due = False
        self._shakes = shakes
        self.written = bytearray()
        self.closed = False

    async def more(self, seconds: float) -> None:
        waiting = len(self.buffer)
        while len(self.buffer) == waiting:
            if self._ended:
                raise Ended
            await _Octets()

    def write(self, octets: bytes) -> None:
        if not self.closed:
            self.written += octets

    async def start_tls(self, context: Any) -> None:
        self.handshake_due = self._shakes
        while self.handshake_due and not self._ended:
            await _Octets()
        if self._ended:
            raise Ended

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def end(self) -> None:
        """The client has closed its side."""
        self._ended = True


class MemoryConnection:
    """A client's end of a session with a model server in memory.

    Nothing is ever late: what has not come when the server waits does not come. Deviations that
    delay or split, and faults that sleep, need the server on a port.

    Args:
        options: how the server is set up; a context is enough for STARTTLS to be offered.
        session: what answers.
        shakes: behind the 220 to STARTTLS the session waits for `start_tls`, which says that hands
            were shaken outside.

    Attributes:
        session: the session.
        record: what the server remembers.
    """

    def __init__(
        self,
        options: Options | None = None,
        session: type[Session] = Session,
        *,
        shakes: bool = False,
    ) -> None:
        options = options or Options()
        self.record = SessionRecord(secured=options.implicit_tls)
        self._wire = MemoryWire(shakes=shakes)
        self.session = session(self._wire, options, self.record)
        self._running = self.session.run()
        self._over = False
        self._run()

    def _run(self) -> None:
        if not self._over:
            try:
                self._running.send(None)
            except StopIteration:
                self._over = True

    def send(self, octets: bytes) -> None:
        """Octets to the server, which works until it waits for more.

        Raises:
            ConnectionResetError: the server has closed.
        """
        if self._over:
            raise ConnectionResetError("the server has closed")
        self._wire.buffer += octets
        self._run()

    @property
    def is_over(self) -> bool:
        """Whether the server has closed."""
        return self._over

    def written(self) -> bytes:
        """What the server has written since; perhaps nothing."""
        octets = bytes(self._wire.written)
        self._wire.written.clear()
        return octets

    def receive(self) -> bytes:
        """What the server has written since; none when it has closed.

        Raises:
            TimeoutError: nothing, and nothing will come.
        """
        octets = self.written()
        if not octets and not self._over:
            raise TimeoutError("nothing came")
        return octets

    @property
    def handshake_due(self) -> bool:
        """Whether the session waits for `start_tls`."""
        return self._wire.handshake_due

    def start_tls(self) -> None:
        """Go on under TLS, as both sides believe."""
        self._wire.handshake_due = False
        self._run()

    def close(self) -> None:
        """Close the client's end."""
        self._wire.end()
        self._run()
        self._running.close()
