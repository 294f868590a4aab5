"""A byte stream on asyncio whose read buffer is ours.

asyncio's own streams keep a buffer that survives `start_tls`: octets that an attacker put behind
the plaintext 220 would be read as if they had come inside TLS. Here the buffer can be seen and
taken before the handshake.
"""

import asyncio
import ssl
from typing import Final

from fsm_smtp.client.readable import readable

#: Octets kept that nobody has asked for yet; a server that babbles meanwhile has to wait.
READ_AHEAD: Final = 1024 * 1024


class Stream(asyncio.Protocol):
    """A connection: read, write, start TLS, close."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._ended = False
        self._lost = False
        self._paused = False
        self._reader: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None

    # -- called by the client --------------------------------------------------------------------

    async def read(self, seconds: float) -> bytes | None:
        """The octets that are here, or the next that come; none at the end of the stream.

        ``None`` when nothing comes within *seconds*.
        """
        if not self._buffer and not self._ended:
            self._reader = self._loop.create_future()
            try:
                await self._within(seconds, self._reader)
            finally:
                self._reader = None
            if not self._buffer and not self._ended:
                return None
        return self.take()

    def take(self) -> bytes:
        """The octets that are here, without waiting."""
        octets = bytes(self._buffer)
        self._buffer.clear()
        if self._paused:
            self._paused = False
            assert self._transport is not None
            self._transport.resume_reading()
        return octets

    async def glance(self) -> bytes | None:
        """The octets that are here; none at the end of the stream, ``None`` if nothing is here."""
        assert self._transport is not None
        if not self._ended and readable(self._transport.get_extra_info("socket").fileno()):
            # One turn of the loop finds out what the socket holds, the next one takes it in.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        if self._buffer or self._ended:
            return self.take()
        return None

    async def write(self, octets: bytes, seconds: float) -> bool | None:
        """Write, and wait while the peer takes in nothing; False when the connection is lost.

        ``None`` when the peer has not taken in enough within *seconds*.
        """
        if self._lost or self._transport is None:
            return False
        self._transport.write(octets)
        waiting = self._writable
        if waiting is not None:
            await self._within(seconds, waiting)
            if self._writable is waiting:  # nothing has cleared it
                return None
        return not self._lost

    async def start_tls(self, context: ssl.SSLContext, name: str, seconds: float) -> None:
        """Shake hands.

        Raises:
            OSError: the handshake failed (`ssl.SSLError`, `ConnectionError`, `TimeoutError`).
        """
        assert self._transport is not None
        try:
            transport = await self._loop.start_tls(
                self._transport,
                self,
                context,
                server_hostname=name,
                ssl_handshake_timeout=seconds,
            )
        except ConnectionAbortedError as error:
            raise TimeoutError(str(error)) from error
        if transport is None:
            raise ConnectionResetError("the connection was closed during the TLS handshake")
        self._transport = transport

    def close(self) -> None:
        """Close at once; what has not been written is lost."""
        assert self._transport is not None
        self._transport.abort()

    def local_address(self) -> object:
        """What the socket is bound to."""
        assert self._transport is not None
        return self._transport.get_extra_info("sockname")

    def secured(self) -> object:
        """The TLS connection, an `ssl.SSLObject`; ``None`` in clear."""
        assert self._transport is not None
        return self._transport.get_extra_info("ssl_object")

    # -- called by the event loop ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there; called anew when TLS comes up."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Octets have come."""
        self._buffer += data
        if len(self._buffer) > READ_AHEAD and not self._paused:
            self._paused = True
            assert self._transport is not None
            self._transport.pause_reading()
        self._wake(self._reader)

    def eof_received(self) -> bool:
        """The server will send no more."""
        self._ended = True
        self._wake(self._reader)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._ended = self._lost = True
        self._wake(self._reader)
        self.resume_writing()

    def pause_writing(self) -> None:
        """The write buffer is full."""
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """The write buffer has room again."""
        waiting, self._writable = self._writable, None
        self._wake(waiting)

    async def _within(self, seconds: float, future: asyncio.Future[None]) -> None:
        """Wait for *future*, or until time has run out. Half the price of `asyncio.timeout`."""
        timer = self._loop.call_later(seconds, self._wake, future)
        try:
            await future
        finally:
            timer.cancel()

    @staticmethod
    def _wake(future: asyncio.Future[None] | None) -> None:
        if future is not None and not future.done():
            future.set_result(None)
