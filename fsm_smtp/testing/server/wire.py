"""Octets in and out of one connection, in the clear or under TLS; no SMTP.

The buffer of what has come and was not yet read is in our own hands, so that it can be thrown
away as a whole when TLS begins (RFC 3207 §4.2), or, by a fault, kept.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterable

#: Octets that may wait to be read before the client is made to wait.
MOST_WAITING = 1 << 20
#: Seconds for a handshake.
HANDSHAKE = 5.0


class Ended(Exception):
    """The connection is over, by either side."""


class Wire(asyncio.Protocol):
    """The connection's transport and its buffer."""

    def __init__(self, begun: Callable[["Wire"], None]) -> None:
        self.buffer = bytearray()
        self.transport: asyncio.Transport | None = None
        self._begun = begun
        self._ended = False
        self._closing = False
        self._slow: list[tuple[float, bytes]] = []
        self._later: asyncio.TimerHandle | None = None
        self._arrived = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._begun(self)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self._arrived.set()
        if len(self.buffer) > MOST_WAITING and self.transport is not None:
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        self._ended = True
        self._arrived.set()
        # A client that has only stopped writing still gets its replies; TLS knows no half-close.
        return self.transport is not None and not self.transport.get_extra_info("sslcontext")

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_slow()
        self._ended = True
        self._arrived.set()

    async def more(self, seconds: float) -> None:
        """Wait until octets have come.

        Raises:
            Ended: none will come.
            TimeoutError: none have come in time.
        """
        waiting = len(self.buffer)
        if self.transport is not None and not self.transport.is_reading() and not self._ended:
            self.transport.resume_reading()
        async with asyncio.timeout(seconds):
            while len(self.buffer) == waiting:
                if self._ended:
                    raise Ended
                self._arrived.clear()
                await self._arrived.wait()

    def write(self, octets: bytes) -> None:
        """Write, unless the connection is gone."""
        if self._slow:
            self._slow.append((0.0, octets))
        elif self.transport is not None and not self.transport.is_closing():
            self.transport.write(octets)

    def write_slowly(self, pieces: Iterable[tuple[float, bytes]]) -> None:
        """Write each piece so many seconds behind the one before; what is written next waits."""
        waiting = bool(self._slow)
        self._slow += pieces
        if not waiting:
            self._next_piece()

    def _next_piece(self) -> None:
        if self._slow:
            loop = asyncio.get_running_loop()
            self._later = loop.call_later(self._slow[0][0], self._write_piece)
        elif self._closing:
            self.close()

    def _write_piece(self) -> None:
        _, octets = self._slow.pop(0)
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(octets)
        self._next_piece()

    def _forget_slow(self) -> None:
        self._slow.clear()
        if self._later is not None:
            self._later.cancel()

    @property
    def ended(self) -> bool:
        """Whether the client has closed its side."""
        return self._ended

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """The server's side of a handshake.

        Raises:
            Ended: it failed.
        """
        if self.transport is None or self._ended:
            raise Ended
        try:
            self.transport = await asyncio.get_running_loop().start_tls(
                self.transport,
                self,
                context,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE,
                ssl_shutdown_timeout=1.0,
            )
        except (ssl.SSLError, OSError) as error:
            raise Ended from error
        if self.transport is None:
            raise Ended

    def close(self) -> None:
        """Close once everything is written."""
        self._closing = True
        if not self._slow and self.transport is not None:
            self.transport.close()

    def hang_up(self) -> None:
        """Close now; what was to be written later is not."""
        self._forget_slow()
        self.close()

    def abort(self) -> None:
        """Close now, and discard what is not yet written."""
        self._forget_slow()
        if self.transport is not None:
            self.transport.abort()
