"""The client on blocking sockets: connects, reads, writes, starts TLS, closes."""

import socket
import ssl
import time
from collections.abc import Generator, Iterable, Sequence
from email.message import Message as EmailLike
from types import TracebackType
from typing import TypeVar

from fsm_smtp.client.address import address_literal
from fsm_smtp.client.backoff import ONCE, may_help
from fsm_smtp.client.channel import Timed, channel
from fsm_smtp.client.commands import Commands
from fsm_smtp.client.content import Source
from fsm_smtp.client.extensions import Extensions, Recipient
from fsm_smtp.client.message import Message
from fsm_smtp.client.options import Depth
from fsm_smtp.client.requests import GLANCE, RECONNECT, Answer, Flow, Wait
from fsm_smtp.client.result import SendResult
from fsm_smtp.client.resume import Resume
from fsm_smtp.errors import CommandRefused, ConnectionLost, HandshakeFailed, ProtocolError
from fsm_smtp.wire import Reply

_T = TypeVar("_T")


class Client(Commands[Reply, None]):
    """An SMTP client on blocking sockets. One connection, one thread at a time.

    Use it as a context manager: it connects on entry, and sends QUIT and closes on exit::

        with Client("mx.example.com", 25, Options(security="starttls")) as client:
            result = client.send_message(b"...", "me@example.com", ["you@example.com"])

    Args:
        host: name or address; with *path* only the name for TLS.
        port: TCP port.
        options: security, credentials, names, times.
        path: a Unix socket to connect to, in place of host and port.
        source_address: local address and port to connect from.
    """

    _channel: Timed | None = None

    # -- life ------------------------------------------------------------------------------------

    def connect(self) -> Reply:
        """Connect, say EHLO, start TLS and authenticate as the options say; gives EHLO's reply.

        Raises:
            ConnectionLost: no connection could be made, or it ended.
            HandshakeFailed: TLS is wanted and cannot be had.
            Rejected: the server refuses the connection, EHLO or the credentials.
            ProtocolError: what else the server may do wrong. In each case the client is closed.
        """
        with self._alone:
            return self._connected()

    def _connected(self) -> Reply:
        pauses = (self.options.reconnect or ONCE).pauses()
        while True:
            try:
                return self._connect()
            except ProtocolError as error:
                pause = next(pauses, None) if may_help(error) else None
                if pause is None:
                    raise
                time.sleep(pause)

    def _connect(self) -> Reply:
        if self._channel is not None:
            raise RuntimeError("this client is connected already; close it first")
        try:
            self._open()
            return self._converse(self._dialogue.open())
        except BaseException:
            self.close()
            raise

    def prove(self, seconds: float) -> Reply:
        """Send RSET on a connection that was at rest; gives its reply, a 2yz.

        Afterwards the session is where a new one would be: ready for a mail transaction.

        Args:
            seconds: to wait for the reply.

        Raises:
            CommandRefused: the machine does not allow RSET now; nothing was written.
            Rejected: the server has ended the session meanwhile, or refuses RSET.
            ProtocolError: what else the server may do wrong.
        """
        return self._run(self._dialogue.prove(seconds))

    def quit(self, seconds: float | None = None) -> Reply | None:
        """Send QUIT if that is legal, and close; gives its reply, if there was one.

        Args:
            seconds: to wait for the reply; as long as for any other when ``None``.
        """
        with self._alone:
            return self._quit(seconds)

    def _quit(self, seconds: float | None = None) -> Reply | None:
        if self._channel is None:
            return None
        try:
            return self._converse(self._dialogue.quit(seconds))
        finally:
            self.close()

    def close(self) -> None:
        """Close the connection at once, without QUIT. Afterwards `connect` may be called again."""
        if self._channel is not None:
            self._channel.socket.close()
            self._channel = None
        self._ended()

    def __enter__(self) -> "Client":
        self.connect()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.quit()
        else:
            self.close()

    # -- mail ------------------------------------------------------------------------------------

    def send_message(
        self,
        content: Source,
        sender: str | None = None,
        recipients: str | Sequence[str | Recipient] | None = None,
        *,
        extensions: Extensions | None = None,
        quit: bool = False,
    ) -> SendResult:
        """Send one message; gives a fate for each recipient, whatever the server does.

        Args:
            content: an `email` message, octets, a binary file, or an iterable of octets; see
                `Content.of`. Line ends are made CRLF.
            sender: the reverse-path without angle brackets, ``""`` for notifications; the
                message's Sender or From when ``None``.
            recipients: the forward-paths without angle brackets, or each as a `Recipient`; the
                message's To, Cc and Bcc when ``None``. Bcc is never sent.
            extensions: what is asked of the server's extensions; SIZE, 8BITMIME and SMTPUTF8 are
                used as needed.
            quit: the session ends with this message: QUIT goes in one write with the end of the
                content where the server lets commands go ahead of replies (RFC 2920), which saves
                a round trip; afterwards the client is closed.

        Raises:
            LocalProtocolError: the message cannot be sent, or not now; nothing was written.
        """
        return self._send(Message.of(content, sender, recipients, extensions), goodbye=quit)

    def resume(self, resumed: Resume) -> SendResult:
        """Send a message to those of its recipients who are left (`Resume.pending`).

        Connects anew where there is no connection. What comes of it is in *resumed* too.

        Raises:
            ValueError: nobody is left.
            LocalProtocolError: as for `send_message`.
            ProtocolError: as for `connect`.
        """
        if not self.is_connected:
            self.close()
            self.connect()
        result = self._send(resumed.attempt())
        resumed.take(result)
        return result

    def _send(self, message: Message, *, goodbye: bool = False) -> SendResult:
        with self._alone:
            if self.session.mails_left == 0:  # the server's limit (RFC 9422 §4.1)
                self._quit()
                self._connect()
            result = self._converse(self._one(message, goodbye=goodbye))
            if goodbye:
                self.close()
        assert result is not None
        return result

    def send_many(
        self,
        messages: Iterable[Message | EmailLike],
        *,
        depth: Depth | None = None,
        quit: bool = False,
    ) -> Generator[SendResult, None, None]:
        """Send any number of messages; gives a result for each, in their order, as it comes.

        Messages are asked for when there is room for them. Where PIPELINING is offered, a message
        may be on its way while the result of the one before is not known yet. If the connection
        ends, another one is made for the next message; nothing is sent twice that may have been
        accepted. Who stops listening in the middle closes the connection.

        Args:
            messages: each a `Message`, or an `email` message with its envelope in its headers.
            depth: how far to run ahead of replies; as the options say when ``None``.
            quit: the session ends with the last message, as for `send_message`.

        Raises:
            ProtocolError: the connection is gone, and no other can be made; every message that
                was asked for has had its result.
        """
        if self._channel is None:
            raise self._not_connected()
        delivery = self._many(messages, depth, goodbye=quit)
        try:
            while True:
                with self._alone:
                    result = self._converse(delivery.next(), part=True, anew=True)
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

    def _reply(self, flow: Flow[Reply]) -> Reply:
        return self._run(flow)

    def _done(self, flow: Flow[None]) -> None:
        return self._run(flow)

    def _run(self, flow: Flow[_T]) -> _T:
        with self._alone:
            return self._converse(flow, part=True)

    def _converse(self, flow: Flow[_T], *, part: bool = False, anew: bool = False) -> _T:
        """Do what *flow* asks for, until it ends. A session that cannot go on is closed.

        When *flow* is *part* of more, it may end inside content or a SASL exchange. One that may
        ask for a connection *anew* need not find one.
        """
        moved = self._channel
        if moved is None and not anew:
            raise self._not_connected()
        send, seconds = flow.send, self.options.seconds
        answer: Answer = None
        before, whole = self.session.configuration, part
        try:
            while True:
                request = send(answer)
                if moved is None or request is RECONNECT:
                    answer = self._again()
                    moved = self._channel
                elif isinstance(request, Wait):
                    answer = moved.exchange(request, seconds)
                elif isinstance(request, bytes):
                    answer = moved.write(request, seconds)
                elif request is GLANCE:
                    answer = moved.glance()
                else:
                    answer = self._handshake(moved)
                    moved = self._channel or moved
        except StopIteration as done:
            value: _T = done.value
            return value
        except BaseException as error:
            whole = isinstance(error, CommandRefused) and self.session.configuration is before
            raise
        finally:
            if self._spent(whole=whole):
                self.close()

    def _again(self) -> ProtocolError | None:
        """Another connection in place of this one."""
        self.close()
        try:
            self._connected()
        except ProtocolError as error:
            return error
        return None

    def _handshake(self, plain: Timed) -> Answer:
        if plain.kept:
            return bytes(plain.kept)
        try:
            self._channel = channel(self._wrapped(plain.socket))
        except OSError as error:
            return error
        return None

    def _wrapped(self, plain: socket.socket) -> ssl.SSLSocket:
        plain.settimeout(self.options.seconds)
        # Of a connection that is gone already, `ssl` makes a socket without any handshake.
        plain.getpeername()
        name = self.options.server_name or self.host
        context = self.options.tls_context()
        secured = context.wrap_socket(plain, server_hostname=name)
        self._secured(secured, context)
        return secured

    def _open(self) -> None:
        """Connect, and shake hands where TLS comes first."""
        state = self.session.configuration.state
        try:
            connected = self._open_socket()
            self._channel = Timed(connected)  # from here on, `close` closes it
            if self.path is not None:
                connected.connect(self.path)
            if self.options.security == "tls":
                connected = self._wrapped(connected)
            self._channel = channel(connected)
        except ssl.SSLError as error:
            what = f"the TLS handshake failed: {error}"
            raise HandshakeFailed(what, state=state, rfc="8314 §3.3") from error
        except OSError as error:
            where = self.path or f"{self.host}:{self.port}"
            what = f"no connection to {where}: {str(error) or type(error).__name__}"
            lost = ConnectionLost(what, state=state, command=None, who="network")
            raise self._lost(lost) from error
        if self.options.ehlo_name is None:
            self._dialogue.ehlo_name = address_literal(connected.getsockname())

    def _open_socket(self) -> socket.socket:
        seconds = self.options.seconds
        if self.path is not None:
            unconnected = socket.socket(socket.AF_UNIX)
            unconnected.settimeout(seconds)
            return unconnected
        address = (self.host, self.port)
        connected = socket.create_connection(address, seconds, self.source_address)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected
