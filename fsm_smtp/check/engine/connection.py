"""The client side of a check: a thin connection that reads replies and records what passed.

It knows no order of commands and judges nothing; a reply that cannot be read, a closed
connection and silence are outcomes, not exceptions.
"""

import asyncio
import contextlib
import errno
import functools
import os
import re
import socket
import ssl
import struct
import time
from collections import deque
from dataclasses import dataclass, field, replace
from enum import StrEnum

from fsm_smtp.check.engine.addresses import addresses_of, is_address
from fsm_smtp.check.engine.outcome import Outcome
from fsm_smtp.check.engine.pace import GAP_FLOOR
from fsm_smtp.check.engine.transcript import Transcript
from fsm_smtp.errors import MalformedReply, TargetUnreachable
from fsm_smtp.wire.replies import ReplyParser

#: Octets asked for in one read.
READ_SIZE = 16384
#: Longest unfinished line that is kept: far above every limit of a reply, far below harm.
MAX_PARTIAL = 65536


class TLSMode(StrEnum):
    """How the connection comes under TLS."""

    NONE = "none"
    STARTTLS = "starttls"
    IMPLICIT = "tls"


@dataclass(frozen=True)
class Target:
    """The server to judge, and how to reach it.

    Attributes:
        host: name or address, an IPv6 address without brackets.
        port: TCP port.
        tls: how TLS comes up.
        verify: whether the certificate must be right for *host*.
    """

    host: str
    port: int
    tls: TLSMode = TLSMode.NONE
    verify: bool = True
    _addresses: list[str] = field(default_factory=list[str], init=False, repr=False, compare=False)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    async def addresses(self) -> tuple[str, ...]:
        """Where *host* is, looked up once for a run.

        Raises:
            OSError: there is no such name, or nobody knows.
        """
        if is_address(self.host):
            return (self.host,)
        if not self._addresses:
            self._addresses.extend(await addresses_of(self.host, self.port))
        return tuple(self._addresses)

    def settle(self, address: str) -> None:
        """Stay with the *address* that has taken a connection: one server is judged."""
        self._addresses[:] = [address]

    @functools.cached_property
    def unverified(self) -> "Target":
        """The same server, where the certificate is not the point."""
        return replace(self, verify=False)

    @functools.cached_property
    def ssl_context(self) -> ssl.SSLContext:
        """A context for our side, made once; nothing is verified with ``verify=False``."""
        if self.verify:
            return ssl.create_default_context()
        # Authorities that nobody is judged by need not be loaded, which takes its time.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


class Connection:
    """One session with the target.

    Raises:
        TargetUnreachable: from `open` and `start_tls` only.
    """

    def __init__(
        self,
        target: Target,
        timeout: float,
        transcript: Transcript | None = None,
        *,
        gap: float = GAP_FLOOR,
    ) -> None:
        self._gap = gap
        self.target = target
        self.timeout = timeout
        self.transcript = transcript or Transcript(time.monotonic)
        #: The last outcome that was not silence.
        self.last = ""
        self._first = ""
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._parser = ReplyParser()
        self._ready: deque[Outcome] = deque()
        self._partial = b""
        self._raw: list[bytes] = []
        self._ended = False

    async def open(self) -> None:
        """Connect, under TLS if the target wants it from the first octet."""
        try:
            async with asyncio.timeout(self.timeout):
                self._streams = await self._connected()
        except TimeoutError as error:
            raise self._unreachable(f"no connection within {self.timeout:g} s") from error
        except ssl.SSLError as error:
            hint = "; does this port want --starttls?" if error.reason in _NO_TLS else ""
            raise self._unreachable(f"TLS failed: {_tls_reason(error)}{hint}") from error
        except OSError as error:
            raise self._unreachable(_reason(error)) from error

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The streams to the first address that takes the connection."""
        target = self.target
        tls = target.tls is TLSMode.IMPLICIT
        context, name = (target.ssl_context, target.host) if tls else (None, None)
        addresses = await target.addresses()
        for address in addresses:
            try:
                streams = await asyncio.open_connection(
                    address, target.port, ssl=context, server_hostname=name, limit=READ_SIZE
                )
            except OSError:
                if address == addresses[-1]:
                    raise
                continue
            target.settle(address)
            return streams
        raise OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))

    async def start_tls(self) -> None:
        """The TLS handshake, once the server has said that it is ready."""
        if await self.surplus() is not None or self._partial:
            raise self._unreachable("octets came behind the reply to STARTTLS (RFC 3207 §4.2)")
        outcome = await self.handshake()
        if outcome.word != "secured":
            raise self._unreachable(f"TLS failed: {outcome.detail}")

    async def handshake(self) -> Outcome:
        """The TLS handshake as an outcome: ``secured``, ``unsecured``, ``closed`` or ``silence``.

        The certificate is verified only if the run is under TLS: a case that asks for TLS by
        itself is about the protocol.
        """
        _, writer = self._open_streams()
        judged = self.target if self.target.tls is not TLSMode.NONE else self.target.unverified
        context = judged.ssl_context
        try:
            async with asyncio.timeout(self.timeout):
                await writer.start_tls(context, server_hostname=self.target.host)
        except TimeoutError:
            return self._ends(Outcome("silence", detail=f"no end of it in {self.timeout:g} s",
                                      waited=self.timeout))  # fmt: skip
        except (ConnectionError, ssl.SSLEOFError):
            return self._ends(Outcome("closed", detail="the server closed the connection"))
        except ssl.SSLError as error:
            return self._ends(Outcome("unsecured", detail=_tls_reason(error)))
        except OSError as error:
            return self._ends(Outcome("unsecured", detail=_reason(error)))
        self._parser = ReplyParser()
        self.transcript.note("TLS is up")
        tls = writer.get_extra_info("ssl_object")
        return Outcome("secured", detail=str(tls.version()))

    def _ends(self, outcome: Outcome) -> Outcome:
        self._ends_by(f"no TLS: {outcome.detail}")
        return outcome

    async def write(self, *segments: bytes, secret: bool = False) -> None:
        """Write the segments, each in a write of its own; *secret* keeps them off the record.

        A connection that is gone swallows them: the next `outcome` tells.
        """
        _, writer = self._open_streams()
        for number, segment in enumerate(segments):
            if number:
                await asyncio.sleep(self._gap)
            self.transcript.client(segment, secret=secret)
            # What broke TLS while reading is raised here, too.
            with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
                writer.write(segment)
                async with asyncio.timeout(self.timeout):
                    await writer.drain()

    async def outcome(self, seconds: float | None = None) -> Outcome:
        """The next reply, or what came in its place within *seconds* (the timeout, without)."""
        limit = self.timeout if seconds is None else seconds
        try:
            async with asyncio.timeout(limit):
                while not self._ready and not self._ended:
                    await self._read()
        except TimeoutError:
            return Outcome("silence", waited=limit)
        outcome = self._ready.popleft() if self._ready else Outcome("closed")
        if not self.last:
            self._first = outcome.word
        self.last = outcome.word
        return outcome

    async def surplus(self) -> Outcome | None:
        """A reply that has come already, although nothing waits for one."""
        if self._streams is None:
            return None
        # A turn of the loop lets in what lies in the socket; no time is waited.
        await asyncio.sleep(0)
        outcome = await self.outcome(0)
        return None if outcome.word in ("silence", "closed") else outcome

    @property
    def turned_away(self) -> bool:
        """Whether the server would not talk to us at all: no connection, no greeting, or 421."""
        return self._streams is None or self._first in ("closed", "421")

    @property
    def greeted(self) -> bool:
        """Whether a reply has come at all."""
        return self._first not in ("", "closed")

    @property
    def is_open(self) -> bool:
        """Whether neither side has closed, as far as we have read."""
        return self._streams is not None and not self._ended

    async def close(self) -> None:
        """Close our side, without a word."""
        if self._streams is None:
            return
        _, writer = self._streams
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await writer.wait_closed()

    async def drop(self, *, reset: bool = False) -> None:
        """End the connection from our side: a FIN, or a RST with *reset*."""
        self.transcript.note(f"we {'reset' if reset else 'close'} the connection")
        if reset and self._streams is not None:
            _, writer = self._streams
            sock = writer.get_extra_info("socket")
            # No lingering: close() then sends RST.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        await self.close()
        self._ended = True

    def _open_streams(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            raise RuntimeError("the connection was never opened")
        return self._streams

    async def _read(self) -> None:
        reader, _ = self._open_streams()
        try:
            data = await reader.read(READ_SIZE)
        except ConnectionError:
            data = b""
        except ssl.SSLError as error:
            self._ends_by(f"TLS broke: {_tls_reason(error)}")
            return
        if not data:
            self._ends_by("the server closed the connection")
            return
        self.transcript.server(data)
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            if not self._feed(line + b"\n"):
                return
        if len(self._partial) > MAX_PARTIAL:
            self._feed(self._partial)
            self._partial = b""

    def _ends_by(self, what: str) -> None:
        self._ended = True
        self.transcript.note(what)

    def _feed(self, line: bytes) -> bool:
        """Whether what follows in the same segment can still be told apart."""
        self._raw.append(line)
        self._parser.feed(line)
        try:
            reply = self._parser.next_reply()
        except MalformedReply as error:
            self._ready.append(
                Outcome("malformed", raw=tuple(self._raw), detail=f"{error.what} (RFC {error.rfc})")
            )
            self._raw.clear()
            self._partial = b""
            self._parser = ReplyParser()
            return False
        if reply is not None:
            self._ready.append(Outcome(f"{reply.code:03d}", reply, tuple(self._raw)))
            self._raw.clear()
        return True

    def _unreachable(self, why: str) -> TargetUnreachable:
        return TargetUnreachable(str(self.target), why)


def _reason(error: OSError) -> str:
    # asyncio puts its own words into strerror, and the errors of several addresses into one.
    numbers = re.findall(r"\[Errno ([0-9]+)\]", str(error))
    if numbers:
        return os.strerror(int(numbers[-1])).lower()
    return error.strerror or str(error)


#: What OpenSSL says of octets that are no TLS record.
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "HTTP_REQUEST")


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is refused: {error.verify_message}"
    if error.reason in _NO_TLS:
        return "what answers is no TLS"
    return (error.reason or str(error)).lower().replace("_", " ")
