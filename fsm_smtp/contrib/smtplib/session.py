"""The session behind the face of smtplib: connecting, and every command by itself."""

import functools
import re
import socket
import ssl
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from smtplib import (
    CRLF,
    SMTP_PORT,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPDataError,
    SMTPException,
    SMTPHeloError,
    SMTPNotSupportedError,
    SMTPResponseException,
    SMTPServerDisconnected,
    quoteaddr,
)
from types import TracebackType
from typing import Any, ClassVar, Self

from fsm_smtp.client import Client, Options, Recipient
from fsm_smtp.client.callbacks import Credentials
from fsm_smtp.client.options import Security
from fsm_smtp.client.requests import Flow
from fsm_smtp.errors import (
    CommandRefused,
    HandshakeFailed,
    InvalidCommand,
    LocalProtocolError,
    NotConnected,
    ProtocolError,
    ReplyTimeout,
    UnexpectedReply,
)
from fsm_smtp.event import Event
from fsm_smtp.wire import Reply

Answer = tuple[int, bytes]

_LOST = "Connection unexpectedly closed"
_NOT_CONNECTED = "please run connect() first"
UNSET: Any = object()
# A mailbox of the server's own, without a domain; RFC 5321 knows only Postmaster.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")
_LINE_END = re.compile(r"\r\n|\n|\r(?!\n)")


class _Plain(Client):
    """A client that goes no further than the greeting by itself."""

    @property
    def socket(self) -> socket.socket | None:
        """The socket, as long as there is a connection."""
        return None if self._channel is None else self._channel.socket

    def greeted(self) -> Reply:
        """Connect, and wait for the greeting."""

        def flow() -> Flow[Reply]:
            self.session.connect(tls=self.options.security == "tls")
            return (yield from self._dialogue.reply())

        with self._alone:
            try:
                self._open()
                return self._converse(flow())
            except BaseException:
                self.close()
                raise


class Session:
    """The session of `SMTP`: connecting, and every command by itself.

    Args:
        host: name or address, perhaps with ``:port``; connects at once unless it is empty.
        port: TCP port; 25 when 0.
        local_hostname: for EHLO; the host's full name when ``None``.
        timeout: seconds for each wait; the default of `socket` when it is not given.
        source_address: local address and port to connect from.
    """

    default_port: ClassVar[int] = SMTP_PORT
    _security: ClassVar[Security] = "none"

    def __init__(
        self,
        host: str = "",
        port: int = 0,
        local_hostname: str | None = None,
        timeout: float | None = UNSET,
        source_address: tuple[str, int] | None = None,
    ) -> None:
        self.timeout = socket.getdefaulttimeout() if timeout is UNSET else timeout
        self.local_hostname = local_hostname or _own_name()
        self.source_address = source_address
        self.debuglevel = 0
        self.helo_resp: bytes | None = None
        self.ehlo_resp: bytes | None = None
        self.does_esmtp = False
        self.esmtp_features: dict[str, str] = {}
        self._context: ssl.SSLContext | None = None
        self._client: _Plain | None = None
        self._heard: Reply | None = None
        if host:
            code, message = self.connect(host, port)
            if code != 220:
                self.close()
                raise SMTPConnectError(code, message)

    # -- the session -----------------------------------------------------------------------------

    def connect(
        self,
        host: str = "localhost",
        port: int = 0,
        source_address: tuple[str, int] | None = None,
    ) -> Answer:
        """Connect, and give the greeting."""
        if self.timeout is not None and not self.timeout:
            raise ValueError("Non-blocking socket (timeout=0) is not supported")
        if not port and host.count(":") == 1:
            host, _, digits = host.partition(":")
            if not digits.isdecimal():
                raise OSError("nonnumeric port")
            port = int(digits)
        self.source_address = source_address or self.source_address
        options = Options(
            security=self._security,
            clear_auth=True,  # as smtplib does
            ehlo_name=self.local_hostname,
            timeout=self.timeout,
            tls=self._context,
            observer=self._observe,
        )
        self.close()
        self._forget()
        client = _Plain(
            host, port or self.default_port, options, source_address=self.source_address
        )
        self._client = client
        try:
            return self._ask(client.greeted)
        except SMTPServerDisconnected as error:
            # That there was no connection at all is the network's own error.
            lost = error.__cause__
            if lost is not None and isinstance(lost.__cause__, OSError):
                raise lost.__cause__ from None
            raise

    def ehlo(self, name: str = "") -> Answer:
        """EHLO."""
        self.esmtp_features = {}
        code, message = self._ask(lambda: self.there.ehlo(name or self.local_hostname))
        self.ehlo_resp = message
        if code == 250:
            self.does_esmtp = True
            for keyword, parameters in self.there.offers.items():
                text = " ".join(parameters)
                self.esmtp_features[keyword.lower()] = f" {text}" if keyword == "AUTH" else text
        return code, message

    def helo(self, name: str = "") -> Answer:
        """HELO."""
        code, message = self._ask(lambda: self.there.helo(name or self.local_hostname))
        self.helo_resp = message
        return code, message

    def ehlo_or_helo_if_needed(self) -> None:
        """EHLO, else HELO, unless one of them was said before."""
        if self.helo_resp is None and self.ehlo_resp is None and self.ehlo()[0] // 100 != 2:
            code, message = self.helo()
            if code // 100 != 2:
                raise SMTPHeloError(code, message)

    def has_extn(self, opt: str) -> bool:
        """Whether the last EHLO offered this extension."""
        return opt.lower() in self.esmtp_features

    def starttls(self, *, context: ssl.SSLContext | None = None) -> Answer:
        """STARTTLS and the handshake; without a context the certificate is verified."""
        self.ehlo_or_helo_if_needed()
        if not self.has_extn("starttls"):
            raise SMTPNotSupportedError("STARTTLS extension not supported by server.")
        client = self.there
        client.options = replace(client.options, tls=context)
        code, message = self._ask(client.starttls)
        if code != 220:
            raise SMTPResponseException(code, message)
        self._forget()
        return code, message

    def login(self, user: str, password: str, *, initial_response_ok: bool = True) -> Answer:
        """AUTH by the best mechanism in common.

        *initial_response_ok* is there for old callers: each mechanism knows that itself.
        """
        del initial_response_ok
        self.ehlo_or_helo_if_needed()
        if not self.has_extn("auth"):
            raise SMTPNotSupportedError("SMTP AUTH extension not supported by server.")
        try:
            code, message = self._ask(
                lambda: self.there.auth(credentials=Credentials(user, password))
            )
        except InvalidCommand as error:
            raise SMTPException("No suitable authentication method found.") from error
        if code != 235:
            raise SMTPAuthenticationError(code, message)
        return code, message

    def quit(self) -> Answer:
        """QUIT, and close."""
        try:
            return self.docmd("quit")
        finally:
            self.close()
            self._forget()

    def close(self) -> None:
        """Close the connection at once."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def prove(self, seconds: float) -> bool:
        """Whether the connection is as good as a new one, by RSET: see `Client.prove`."""
        try:
            self.ehlo_or_helo_if_needed()
            self.there.prove(seconds)
        except (ProtocolError, SMTPException):
            self.close()
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            code, message = self.docmd("QUIT")
            if code != 221:
                raise SMTPResponseException(code, message)
        except SMTPServerDisconnected:
            pass
        finally:
            self.close()

    # -- single commands -------------------------------------------------------------------------

    def docmd(self, cmd: str, args: str = "") -> Answer:
        """A command line of any kind."""
        return self._ask(lambda: self.there.custom(f"{cmd} {args}" if args else cmd))

    def noop(self) -> Answer:
        """NOOP."""
        return self._ask(self.there.noop)

    def rset(self) -> Answer:
        """RSET."""
        return self._ask(self.there.rset)

    def help(self, args: str = "") -> bytes:
        """HELP; gives the text."""
        return self._ask(lambda: self.there.help(args))[1]

    def verify(self, address: str) -> Answer:
        """VRFY."""
        return self._ask(lambda: self.there.vrfy(_address(address)))

    vrfy = verify

    def expn(self, address: str) -> Answer:
        """EXPN."""
        return self._ask(lambda: self.there.expn(_address(address)))

    def mail(self, sender: str, options: Sequence[str] = ()) -> Answer:
        """MAIL, with options such as ``SIZE=1000``."""
        wanted = _parameters(options) if self.does_esmtp else {}
        if "SMTPUTF8" in wanted and not self.has_extn("smtputf8"):
            raise SMTPNotSupportedError("SMTPUTF8 not supported by server")
        self._utf8 = "SMTPUTF8" in wanted
        address = _address(sender)
        if _LOCAL.fullmatch(address):
            return self.docmd("MAIL", _local("FROM", address, wanted))
        return self._ask(lambda: self.there.mail(address, parameters=wanted))

    def rcpt(self, recip: str, options: Sequence[str] = ()) -> Answer:
        """RCPT, with options such as ``NOTIFY=NEVER``."""
        wanted = _parameters(options) if self.does_esmtp else {}
        address = _address(recip)
        if _LOCAL.fullmatch(address):
            return self.docmd("RCPT", _local("TO", address, wanted))
        recipient = Recipient(address, parameters=wanted)
        return self._ask(lambda: self.there.rcpt(recipient, utf8=self._utf8))

    def data(self, msg: str | bytes) -> Answer:
        """DATA, the content and its end."""
        code, message = self._ask(self.there.data)
        if code != 354:
            raise SMTPDataError(code, message)
        content = octets(msg)

        def sent() -> Reply:
            self.there.stream(content)
            return self.there.dot()

        return self._ask(sent)

    def set_debuglevel(self, debuglevel: int) -> None:
        """Above zero: everything that happens goes to the standard error output, redacted."""
        self.debuglevel = debuglevel

    # -- inside ----------------------------------------------------------------------------------

    _utf8 = False

    @property
    def sock(self) -> socket.socket | None:
        """The socket, as long as there is a connection; to be looked at only."""
        return None if self._client is None else self._client.socket

    @property
    def there(self) -> _Plain:
        """The client. Raises `SMTPServerDisconnected` when there is no connection."""
        if self._client is None:
            raise SMTPServerDisconnected(_NOT_CONNECTED)
        return self._client

    def _observe(self, event: Event) -> None:
        if event.reply is not None:
            self._heard = event.reply
        if self.debuglevel > 0:
            print(f"{event.after} {event.who}: {event.text}", file=sys.stderr)

    def _forget(self) -> None:
        self.helo_resp = self.ehlo_resp = None
        self.does_esmtp = False
        self.esmtp_features = {}

    def _ask(self, call: Callable[[], Reply]) -> Answer:
        """What the server says, as smtplib has it; or what smtplib would raise."""
        self._heard = None
        try:
            reply = call()
        except UnexpectedReply as error:
            # The session is over, but this was said.
            if self._heard is None:
                self.close()
                raise SMTPServerDisconnected(str(error)) from error
            reply = self._heard
        except InvalidCommand:
            raise
        except CommandRefused as error:
            if self.there.is_connected:
                raise SMTPException(str(error)) from error
            self.close()  # the server has said 421, and closes
            raise SMTPServerDisconnected(_LOST) from error
        except LocalProtocolError as error:
            if isinstance(error, NotConnected):
                self.close()
                raise SMTPServerDisconnected(_NOT_CONNECTED) from error
            raise
        except HandshakeFailed as error:
            self.close()
            if isinstance(error.__cause__, OSError):
                raise error.__cause__ from None
            raise SMTPServerDisconnected(str(error)) from error
        except ReplyTimeout as error:
            self.close()
            raise SMTPServerDisconnected(f"{_LOST}: timed out") from error
        except ProtocolError as error:
            self.close()
            raise SMTPServerDisconnected(_LOST) from error
        return reply.code, b"\n".join(line.strip(b" \t") for line in reply.lines)


@functools.cache
def _own_name() -> str:
    name = socket.getfqdn()
    if "." in name:
        return name
    try:
        return f"[{socket.gethostbyname(socket.gethostname())}]"
    except OSError:
        return "[127.0.0.1]"


def _address(given: str) -> str:
    """The address in *given*, which may have a name beside it, without angle brackets."""
    return quoteaddr(given).removeprefix("<").removesuffix(">")


def _local(direction: str, address: str, parameters: Mapping[str, str | None]) -> str:
    rest = (
        f" {name}" if value is None else f" {name}={value}" for name, value in parameters.items()
    )
    return f"{direction}:<{address}>{''.join(rest)}"


def _parameters(options: Sequence[str]) -> dict[str, str | None]:
    pairs = (option.partition("=") for option in options)
    return {name.upper(): value if equals else None for name, equals, value in pairs}


def octets(message: str | bytes) -> bytes:
    return message if isinstance(message, bytes) else _LINE_END.sub(CRLF, message).encode("ascii")
