"""The guard around asyncio's transports, and around streams on top of them.

asyncio has one place where every octet of a client passes in each direction: the transport's
``write``, and the protocol's ``data_received``. `GuardedTransport` stands at the one, `Watch` at
the other. `GuardedLoop` is an event loop that puts both around whatever is connected through it,
TLS included: for libraries that take their loop from an attribute or an argument.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterable
from typing import Any, cast

from fsm_smtp.guard.core import Guard
from fsm_smtp.guard.errors import ErrorMaker, GuardedOctets, GuardedReply, GuardError, error_for
from fsm_smtp.guard.options import DEFAULTS, GuardOptions


class GuardedTransport(asyncio.Transport):
    """A transport whose octets pass a guard; everything else is the transport's own.

    Attributes:
        transport: the transport.
        watch: what stands between the transport and its protocol.
    """

    def __init__(self, transport: asyncio.Transport, watch: "Watch") -> None:
        super().__init__()
        self.transport = transport
        self.watch = watch
        self._sending = watch.guard.sending
        self._write = transport.write
        vars(self)["is_closing"] = transport.is_closing  # asked before each write: no frame of ours

    def write(self, data: Any) -> None:
        """As the transport's, of what is legal.

        Raises:
            GuardError: it is not; nothing of *data* was written.
        """
        try:
            released = self._sending(data if type(data) is bytes else bytes(data))
        except (GuardedReply, GuardedOctets) as error:
            self.watch.failed(error)
            raise
        if released:
            self._write(released)

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        """All of them as one; raises as `write`."""
        self.write(b"".join(list_of_data))

    def close(self) -> None:
        """As the transport's."""
        self.watch.guard.closed()
        self.transport.close()

    def abort(self) -> None:
        """As the transport's."""
        self.watch.guard.closed()
        self.transport.abort()

    def is_closing(self) -> bool:
        """As the transport's."""
        return self.transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As the transport's."""
        return self.transport.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """The protocol that is told of what arrives, once it has been judged."""
        self.watch.protocol = cast(asyncio.Protocol, protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol that was set."""
        return self.watch.protocol

    def pause_reading(self) -> None:
        """As the transport's."""
        self.transport.pause_reading()

    def resume_reading(self) -> None:
        """As the transport's."""
        self.transport.resume_reading()

    def is_reading(self) -> bool:
        """As the transport's."""
        return self.transport.is_reading()

    def can_write_eof(self) -> bool:
        """As the transport's."""
        return self.transport.can_write_eof()

    def write_eof(self) -> None:
        """As the transport's."""
        self.transport.write_eof()

    def get_write_buffer_size(self) -> int:
        """As the transport's."""
        return self.transport.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """As the transport's."""
        return self.transport.get_write_buffer_limits()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """As the transport's."""
        self.transport.set_write_buffer_limits(high, low)


class GuardedSSLTransport(GuardedTransport):
    """The same under TLS: there are programs that look for ``SSL`` in the name of the class."""


class Watch(asyncio.Protocol):
    """Stands between a transport and a client's protocol, and judges what arrives.

    Attributes:
        guard: the guard.
        protocol: the client's protocol.
        transport: the guarded transport that the protocol has.
        error: what the server broke, once it has: the protocol was told that the connection is
            lost, with this as the reason.
    """

    def __init__(self, protocol: asyncio.Protocol, guard: Guard) -> None:
        self.protocol = protocol
        self.guard = guard
        self._answer = guard.answer
        self.error: GuardError | None = None
        self.transport: GuardedTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A new connection: the client's protocol gets a guarded transport."""
        context = transport.get_extra_info("sslcontext")
        self.guard.connected(tls=context is not None, verified=_verifies(context))
        self.protocol.connection_made(self.attach(cast(asyncio.Transport, transport)))

    def attach(self, transport: asyncio.Transport) -> GuardedTransport:
        """The guarded form of *transport*, which is watched from now on."""
        tls = transport.get_extra_info("sslcontext") is not None
        self.transport = (GuardedSSLTransport if tls else GuardedTransport)(transport, self)
        return self.transport

    def data_received(self, data: bytes) -> None:
        """Octets of the server: judged, and then the client's."""
        if self.error is not None:
            return
        try:
            if self._answer(data) is None:
                self.guard.received(data)
        except GuardError as error:
            self.failed(error)
            return
        self.protocol.data_received(data)

    def failed(self, error: GuardError) -> None:
        """The server broke the protocol: the connection ends, and the client learns why."""
        self.error = error
        if self.transport is not None:
            self.transport.abort()
        self.protocol.connection_lost(error)

    def eof_received(self) -> bool | None:
        """The server has closed its side."""
        self.guard.eof()
        return self.protocol.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone; told once."""
        if self.error is None:
            self.protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        """The transport's buffer is full."""
        self.protocol.pause_writing()

    def resume_writing(self) -> None:
        """There is room again."""
        self.protocol.resume_writing()


def _verifies(context: Any) -> bool:
    return not isinstance(context, ssl.SSLContext) or context.verify_mode is not ssl.CERT_NONE


class GuardedLoop:
    """An event loop that guards what is connected through it; everything else is the loop's own.

    Args:
        loop: the loop.
        options: what the guards do with what they find.
        errors: makes the errors to raise; the package's own by default.
        lockstep: whether clients send one command at a time (see `Guard`).
        on_watch: called with the `Watch` of each connection.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        options: GuardOptions = DEFAULTS,
        *,
        errors: ErrorMaker = error_for,
        lockstep: bool = False,
        on_watch: Callable[[Watch], None] | None = None,
    ) -> None:
        self._loop = loop
        self._options = options
        self._errors = errors
        self._lockstep = lockstep
        self._on_watch = on_watch
        #: The loop's own: asked for with each reply, and so not looked for by `__getattr__`.
        self.create_future = loop.create_future

    @property
    def unguarded(self) -> asyncio.AbstractEventLoop:
        """The loop itself."""
        return self._loop

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def watch(self, protocol: Any) -> Watch:
        """A watch over a new connection of *protocol*."""
        made = Watch(protocol, Guard(self._options, errors=self._errors, lockstep=self._lockstep))
        if self._on_watch is not None:
            self._on_watch(made)
        return made

    async def create_connection(
        self, protocol_factory: Callable[[], Any], *args: Any, **kwargs: Any
    ) -> tuple[Any, Any]:
        """As the loop's, guarded."""
        return await self._guarded(self._loop.create_connection, protocol_factory, args, kwargs)

    async def create_unix_connection(
        self, protocol_factory: Callable[[], Any], *args: Any, **kwargs: Any
    ) -> tuple[Any, Any]:
        """As the loop's, guarded."""
        connect = self._loop.create_unix_connection
        return await self._guarded(connect, protocol_factory, args, kwargs)

    async def _guarded(
        self,
        connect: Callable[..., Any],
        factory: Callable[[], Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> tuple[Any, Any]:
        transport, watch = await connect(lambda: self.watch(factory()), *args, **kwargs)
        assert isinstance(watch, Watch)
        return watch.transport or transport, watch.protocol

    async def start_tls(
        self, transport: Any, protocol: Any, sslcontext: ssl.SSLContext, **kwargs: Any
    ) -> Any:
        """As the loop's, of a guarded transport; nothing learned before it is believed.

        Raises:
            GuardError: the server has not accepted STARTTLS (mode ``enforce``).
        """
        if not isinstance(transport, GuardedTransport):
            return await self._loop.start_tls(transport, protocol, sslcontext, **kwargs)
        watch = transport.watch
        watch.guard.handshake_begins()
        try:
            made = await self._loop.start_tls(transport.transport, watch, sslcontext, **kwargs)
        except Exception:
            watch.guard.tls_failed()
            raise
        if made is None:  # the connection was lost meanwhile
            return None
        watch.guard.tls_up(verified=_verifies(sslcontext))
        return watch.attach(made)


class GuardedStream:
    """A stream reader and writer whose octets pass a guard.

    `connect` makes one. The server's violation is raised by whatever reads.

    Attributes:
        reader: what the server sends.
        writer: what the client sends; it is judged when it is written.
        guard: the guard.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, watch: Watch
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.guard = watch.guard

    @classmethod
    async def connect(
        cls, host: str, port: int, options: GuardOptions = DEFAULTS, **kwargs: Any
    ) -> "GuardedStream":
        """Connect to a server; *kwargs* are those of the loop's ``create_connection``.

        Raises:
            OSError: there is no connection to be had.
        """
        watches: list[Watch] = []
        loop = GuardedLoop(asyncio.get_running_loop(), options, on_watch=watches.append)
        reader = asyncio.StreamReader(loop=cast(asyncio.AbstractEventLoop, loop))
        protocol = asyncio.StreamReaderProtocol(reader, loop=reader_loop(loop))
        transport, _ = await loop.create_connection(lambda: protocol, host, port, **kwargs)
        writer = asyncio.StreamWriter(transport, protocol, reader, reader_loop(loop))
        return cls(reader, writer, watches[0])

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str | None = None) -> None:
        """The TLS handshake that the server has accepted with 220 (RFC 3207 §4).

        Raises:
            GuardError: it has not.
            ssl.SSLError, OSError: the handshake failed.
        """
        await self.writer.start_tls(context, server_hostname=server_hostname)

    async def close(self) -> None:
        """Close the connection, and wait until it is closed."""
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except GuardError:  # why it was closed has been raised where it was read
            return


def reader_loop(loop: GuardedLoop) -> asyncio.AbstractEventLoop:
    """The guarded loop, by the type that asyncio's classes ask for."""
    return cast(asyncio.AbstractEventLoop, loop)
