"""The guard inside aiosmtplib: a drop-in class, and what `guard` puts under others.

    from fsm_smtp.guard.aiosmtplib import SMTP

aiosmtplib connects, and starts TLS, through the event loop that stands in its public attribute
``loop``: there a `GuardedLoop` stands instead. One private name is touched, of a connection that
was open before it was guarded (`adopt`). Everything raised here is an `aiosmtplib.SMTPException`.
"""

import asyncio
from typing import Any, Final, cast

import aiosmtplib
from aiosmtplib import errors as host

from fsm_smtp.guard.adopting import catch_up
from fsm_smtp.guard.errors import (
    GuardedCommand,
    GuardedContent,
    GuardedLine,
    GuardedOctets,
    GuardedOffer,
    GuardedReply,
    GuardError,
    error_maker,
)
from fsm_smtp.guard.findings import Finding
from fsm_smtp.guard.options import DEFAULTS, GuardOptions
from fsm_smtp.guard.streams import GuardedLoop, GuardedTransport, Watch


class _Message(GuardError, host.SMTPException):
    """The attribute that callers of aiosmtplib look at."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.message = str(finding)


class SMTPCommandRefused(_Message, GuardedCommand):
    """A command, or content, that is not legal now."""


class SMTPSessionOver(_Message, GuardedCommand, host.SMTPServerDisconnected):
    """The session has come to its end (421, a refused greeting): only QUIT or closing is left."""


class SMTPOfferMissing(_Message, GuardedOffer, host.SMTPNotSupported):
    """A command that needs an extension which the server does not offer."""


class SMTPLineRefused(_Message, GuardedLine):
    """A command line that must not be put on the wire; a `ValueError`, as aiosmtplib raises it."""


class SMTPContentRefused(_Message, GuardedContent):
    """Content that must not be sent as it is; a `ValueError` too."""


class SMTPReplyRefused(_Message, GuardedReply, host.SMTPServerDisconnected):
    """A reply that the protocol does not allow here; the connection was closed."""


class SMTPOctetsRefused(_Message, GuardedOctets, host.SMTPServerDisconnected):
    """Octets of the server that are no reply; the connection was closed."""


class SMTPGreetingRefused(_Message, GuardedReply, host.SMTPConnectError):
    """What the server greets with is no greeting."""


#: Makes the errors of this module, of classes that aiosmtplib's callers catch.
error_for: Final = error_maker(
    *(SMTPCommandRefused, SMTPOfferMissing, SMTPLineRefused, SMTPContentRefused),
    *(SMTPReplyRefused, SMTPOctetsRefused),
    over=SMTPSessionOver,
    greeting=SMTPGreetingRefused,
)


class Guarded(aiosmtplib.SMTP):
    """What makes a class of aiosmtplib guarded, as the first of its bases.

    Attributes:
        guarding: what the guard does with what it finds; set it on a class or on an object.
    """

    guarding: GuardOptions = DEFAULTS
    _watch: Watch | None = None

    def _get_loop(self) -> asyncio.AbstractEventLoop | None:
        return self.__dict__.get("loop")

    def _set_loop(self, loop: asyncio.AbstractEventLoop | None) -> None:
        if loop is not None and not isinstance(loop, GuardedLoop):
            guarded = GuardedLoop(
                loop, self.guarding, errors=error_for, lockstep=True, on_watch=self.__watched
            )
            loop = cast(asyncio.AbstractEventLoop, guarded)
        self.__dict__["loop"] = loop

    #: The event loop that this client connects through: a `GuardedLoop` around the one it is given.
    loop: Any = property(_get_loop, _set_loop)

    def __watched(self, watch: Watch) -> None:
        self._watch = watch

    def _blame(self, error: BaseException) -> BaseException:
        """What ended the connection, if the guard has."""
        blamed = None if self._watch is None else self._watch.error
        return error if blamed is None else blamed

    async def connect(self, **kwargs: Any) -> aiosmtplib.SMTPResponse:
        """As aiosmtplib's.

        Raises:
            GuardError: the server breaks the protocol; the connection is closed.
        """
        self._watch = None
        try:
            return await super().connect(**kwargs)
        except host.SMTPException as error:
            raise self._blame(error) from None

    async def execute_command(self, *args: bytes, **kwargs: Any) -> aiosmtplib.SMTPResponse:
        """As aiosmtplib's, of what is legal.

        Raises:
            GuardError: it is not, and nothing was written; or the server breaks the protocol, and
                the connection is closed.
        """
        try:
            return await super().execute_command(*args, **kwargs)
        except host.SMTPServerDisconnected as error:
            raise self._blame(error) from None

    async def data(self, message: str | bytes, /, **kwargs: Any) -> aiosmtplib.SMTPResponse:
        """As aiosmtplib's, of what is legal; raises as `execute_command`.

        Where it is the content that is refused, the connection is closed: the server waits for its
        end, and would take QUIT for a line of it.
        """
        try:
            return await super().data(message, **kwargs)
        except GuardedContent:
            self.close()
            raise
        except host.SMTPServerDisconnected as error:
            raise self._blame(error) from None

    async def starttls(self, **kwargs: Any) -> aiosmtplib.SMTPResponse:
        """As aiosmtplib's; raises as `execute_command`."""
        try:
            return await super().starttls(**kwargs)
        except host.SMTPServerDisconnected as error:
            raise self._blame(error) from None


class SMTP(Guarded):
    """`aiosmtplib.SMTP`, guarded."""


def adopt(client: aiosmtplib.SMTP, options: GuardOptions) -> None:
    """Guard *client*, made elsewhere: outside a transaction, and with nothing outstanding.

    What it has learned from its server so far is taken from it: whether EHLO was said, what was
    offered, whether TLS is up. Whether AUTH has succeeded cannot be seen.
    """
    protocol = client.protocol
    if not isinstance(client, Guarded):
        cls = type(client)
        client.__class__ = type(cls.__name__, (Guarded, cls), {"__module__": cls.__module__})
    guarded = cast(Guarded, client)
    guarded.guarding = options
    if protocol is None or protocol.transport is None:
        return
    guarded.loop = asyncio.get_running_loop()
    watch = cast(GuardedLoop, guarded.loop).watch(protocol)
    transport = cast(asyncio.Transport, protocol.transport)
    if isinstance(transport, GuardedTransport):
        transport = transport.transport
    hello = client.last_ehlo_response
    catch_up(
        watch.guard,
        tls=transport.get_extra_info("sslcontext") is not None,
        ehlo=None if hello is None else hello.message.encode("utf-8", "surrogateescape"),
        helo=not client.is_ehlo_or_helo_needed,
    )
    protocol.transport = client.transport = watch.attach(transport)
    transport.set_protocol(watch)
    # It starts TLS through the loop that it was made with, and there is no public way to it.
    vars(protocol)["_loop"] = guarded.loop
