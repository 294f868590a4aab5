"""The client on asyncio: connects, reads, writes, starts TLS, closes."""

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, Coroutine, Iterable, Sequence
from email.message import Message as EmailLike
from types import TracebackType
from typing import Any, TypeVar

from fsm_smtp.client.address import address_literal
from fsm_smtp.client.backoff import ONCE, may_help
from fsm_smtp.client.commands import Commands
from fsm_smtp.client.content import Source
from fsm_smtp.client.extensions import Extensions, Recipient
from fsm_smtp.client.message import Message
from fsm_smtp.client.options import Depth
from fsm_smtp.client.requests import GLANCE, RECONNECT, Answer, Flow, Wait
from fsm_smtp.client.result import SendResult
from fsm_smtp.client.resume import Resume
from fsm_smtp.client.stream import Stream
from fsm_smtp.errors import CommandRefused, ConnectionLost, HandshakeFailed, ProtocolError
from fsm_smtp.wire import Reply

_T = TypeVar("_T")


class AsyncClient(Commands[Coroutine[Any, Any, Reply], Coroutine[Any, Any, None]]):
    """An SMTP client on asyncio: `Client` with ``await``. One connection, one task at a time.

    Args:
        host: name or address; with *path* only the name for TLS.
        port: TCP port.
        options: security, credentials, names, times.
        path: a Unix socket to connect to, in place of host and port.
        source_address: local address and port to connect from.
    """

    _stream: Stream | None = None

    # -- life ------------------------------------------------------------------------------------

    async def connect(self) -> Reply:
        """Connect, say EHLO, start TLS and authenticate as the options say; gives EHLO's reply.

        Raises:
            ConnectionLost: no connection could be made, or it ended.
            HandshakeFailed: TLS is wanted and cannot be had.
            Rejected: the server refuses the connection, EHLO or the credentials.
            ProtocolError: what else the server may do wrong. In each case the client is closed.
        """
        with self._alone:
            return await self._connected()

    async def _connected(self) -> Reply:
        pauses = (self.options.reconnect or ONCE).pauses()
        while True:
            try:
                return await self._connect()
            except ProtocolError as error:
                pause = next(pauses, None) if may_help(error) else None
                if pause is None:
                    raise
                await asyncio.sleep(pause)

    async def _connect(self) -> Reply:
        if self._stream is not None:
            raise RuntimeError("this client is connected already; close it first")
        try:
            await self._open()
            return await self._converse(self._dialogue.open())
        except BaseException:
            self.close()
            raise

    async def prove(self, seconds: float) -> Reply:
        """Send RSET on a connection that was at rest. See `Client.prove`."""
        return await self._run(self._dialogue.prove(seconds))

    async def quit(self, seconds: float | None = None) -> Reply | None:
        """Send QUIT if that is legal, and close; gives its reply, if there was one.

        Args:
            seconds: to wait for the reply; as long as for any other when ``None``.
        """
        with self._alone:
            return await self._quit(seconds)

    async def _quit(self, seconds: float | None = None) -> Reply | None:
        if self._stream is None:
            return None
        try:
            return await self._converse(self._dialogue.quit(seconds))
        finally:
            self.close()

    def close(self) -> None:
        """Close the connection at once, without QUIT. Afterwards `connect` may be called again."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self._ended()

    async def __aenter__(self) -> "AsyncClient":
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            await self.quit()
        else:
            self.close()

    # -- mail ------------------------------------------------------------------------------------

    async def send_message(
        self,
        content: Source,
        sender: str | None = None,
        recipients: str | Sequence[str | Recipient] | None = None,
        *,
        extensions: Extensions | None = None,
        quit: bool = False,
    ) -> SendResult:
        """Send one message; gives a fate for each recipient. See `Client.send_message`."""
        message = Message.of(content, sender, recipients, extensions)
        return await self._send(message, goodbye=quit)

    async def resume(self, resumed: Resume) -> SendResult:
        """Send a message to those of its recipients who are left. See `Client.resume`."""
        if not self.is_connected:
            self.close()
            await self.connect()
        result = await self._send(resumed.attempt())
        resumed.take(result)
        return result

    async def _send(self, message: Message, *, goodbye: bool = False) -> SendResult:
        with self._alone:
            if self.session.mails_left == 0:  # the server's limit (RFC 9422 §4.1)
                await self._quit()
                await self._connect()
            result = await self._converse(self._one(message, goodbye=goodbye))
            if goodbye:
                self.close()
        assert result is not None
        return result

    async def send_many(
        self,
        messages: Iterable[Message | EmailLike],
        *,
        depth: Depth | None = None,
        quit: bool = False,
    ) -> AsyncGenerator[SendResult, None]:
        """Send any number of messages; gives a result for each. See `Client.send_many`."""
        if self._stream is None:
            raise self._not_connected()
        delivery = self._many(messages, depth, goodbye=quit)
        try:
            while True:
                with self._alone:
                    result = await self._converse(delivery.next(), part=True, anew=True)
                if result is None:
                    if quit:
                        self.close()
                    return
                yield result
                while (result := delivery.known()) is not None:
                    yield result
        finally:
            if delivery.in_the_air:
                self.close()

    # -- octets ----------------------------------------------------------------------------------

    def _reply(self, flow: Flow[Reply]) -> Coroutine[Any, Any, Reply]:
        return self._run(flow)

    def _done(self, flow: Flow[None]) -> Coroutine[Any, Any, None]:
        return self._run(flow)

    async def _run(self, flow: Flow[_T]) -> _T:
        with self._alone:
            return await self._converse(flow, part=True)

    async def _converse(self, flow: Flow[_T], *, part: bool = False, anew: bool = False) -> _T:
        """Do what *flow* asks for, until it ends. A session that cannot go on is closed.

        When *flow* is *part* of more, it may end inside content or a SASL exchange. One that may
        ask for a connection *anew* need not find one.
        """
        stream = self._stream
        if stream is None and not anew:
            raise self._not_connected()
        send, seconds = flow.send, self.options.seconds
        answer: Answer = None
        before, whole = self.session.configuration, part
        try:
            while True:
                request = send(answer)
                if stream is None or request is RECONNECT:
                    answer = await self._again()
                    stream = self._stream
                elif isinstance(request, Wait):
                    answer = await _exchange(stream, request, seconds)
                elif isinstance(request, bytes):
                    answer = await stream.write(request, seconds)
                elif request is GLANCE:
                    answer = await stream.glance()
                else:
                    answer = await self._handshake(stream)
        except StopIteration as done:
            value: _T = done.value
            return value
        except BaseException as error:
            whole = isinstance(error, CommandRefused) and self.session.configuration is before
            raise
        finally:
            if self._spent(whole=whole):
                self.close()

    async def _again(self) -> ProtocolError | None:
        """Another connection in place of this one."""
        self.close()
        try:
            await self._connected()
        except ProtocolError as error:
            return error
        return None

    async def _handshake(self, stream: Stream) -> Answer:
        early = stream.take()
        if early:
            return early
        name = self.options.server_name or self.host
        try:
            context = self.options.tls_context()
            await stream.start_tls(context, name, self.options.seconds)
        except OSError as error:
            return error
        self._secured(stream.secured(), context)
        return None

    async def _open(self) -> None:
        """Connect, and shake hands where TLS comes first."""
        state = self.session.configuration.state
        try:
            self._stream = stream = await self._open_stream()
        except ssl.SSLError as error:
            what = f"the TLS handshake failed: {error}"
            raise HandshakeFailed(what, state=state, rfc="8314 §3.3") from error
        except OSError as error:
            where = self.path or f"{self.host}:{self.port}"
            what = f"no connection to {where}: {str(error) or type(error).__name__}"
            lost = ConnectionLost(what, state=state, command=None, who="network")
            raise self._lost(lost) from error
        if self.options.ehlo_name is None:
            self._dialogue.ehlo_name = address_literal(stream.local_address())

    async def _open_stream(self) -> Stream:
        loop = asyncio.get_running_loop()
        tls = self.options.security == "tls"
        context = self.options.tls_context() if tls else None
        name = (self.options.server_name or self.host) if tls else None
        async with asyncio.timeout(self.options.seconds):
            if self.path is not None:
                _, stream = await loop.create_unix_connection(
                    Stream, self.path, ssl=context, server_hostname=name
                )
            else:
                _, stream = await loop.create_connection(
                    Stream,
                    self.host,
                    self.port,
                    ssl=context,
                    server_hostname=name,
                    local_addr=self.source_address,
                )
        if context is not None:
            self._secured(stream.secured(), context)
        return stream


async def _exchange(stream: Stream, wait: Wait, seconds: float) -> Answer:
    if wait.octets:
        written = await stream.write(wait.octets, seconds)
        if not written:
            return written
        wait.octets = b""
    now = time.monotonic()
    if wait.deadline is None:
        wait.deadline = now + wait.seconds
    return await stream.read(wait.deadline - now)
