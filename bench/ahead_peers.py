"""The competitors that run ahead: ours in each depth, and for each depth a raw socket that does the
same exchange with prepared octets.
"""

import asyncio
import smtplib
import socket
from collections.abc import Iterator
from typing import ClassVar, Final

from bench.peers import HOST, Peer, Raw, judge, options
from bench.workload import EHLO_NAME, SENDER, TIMEOUT
from fsm_smtp.client import AsyncClient, Client
from fsm_smtp.client.extensions import NOTHING, Extensions
from fsm_smtp.client.message import Message
from fsm_smtp.client.options import Depth

#: How many messages the raw socket has on their way at a time.
WINDOW: Final = 32
CONNECTIONS: Final = 10


class _Ours(Peer):
    """`Client.send_many` in one depth."""

    depth: ClassVar[Depth]
    window: ClassVar[int] = WINDOW
    extensions: ClassVar[Extensions] = NOTHING

    def open(self, port: int) -> None:
        self._client = Client(HOST, port, options(self.depth, self.window))
        self._client.connect()
        self.send(2)  # what is tried once for each server is tried here

    def send(self, times: int) -> None:
        for result in self._client.send_many(self.messages(times)):
            judge(result)

    def messages(self, times: int) -> Iterator[Message]:
        """The same message again and again."""
        for _ in range(times):
            yield Message(self.message, SENDER, tuple(self.recipients), self.extensions)

    def close(self) -> None:
        self._client.quit()


class Group(_Ours):
    """MAIL, RCPT and DATA in one write."""

    depth = "group"


class Full(_Ours):
    """The next envelope behind the end of data."""

    depth = "full"


class FullByChunks(_Ours):
    """The next envelope behind the last chunk, as RFC 3030 §2 has it."""

    depth = "full"
    extensions = Extensions(chunking=True)


class Window(_Ours):
    """Several messages deep, by BDAT."""

    depth = "window"


class Deep(Window):
    """As deep again."""

    window = 2 * WINDOW


class Ten(Peer):
    """Ten `AsyncClient` at a time, in full depth."""

    depth: ClassVar[Depth] = "full"

    def open(self, port: int) -> None:
        self._runner = asyncio.Runner()
        self._clients = [AsyncClient(HOST, port, options(self.depth)) for _ in range(CONNECTIONS)]
        self._runner.run(self._each("connect"))
        self.send(2 * CONNECTIONS)

    async def _each(self, method: str) -> None:
        await asyncio.gather(*(getattr(client, method)() for client in self._clients))

    def send(self, times: int) -> None:
        self._runner.run(self._send(times // CONNECTIONS))

    async def _send(self, times: int) -> None:
        async def one(client: AsyncClient) -> None:
            given = (Message(self.message, SENDER, tuple(self.recipients)) for _ in range(times))
            async for result in client.send_many(given):
                judge(result)

        await asyncio.gather(*map(one, self._clients))

    def close(self) -> None:
        self._runner.run(self._each("quit"))
        self._runner.close()


class _RawAhead(Raw):
    """A raw socket; replies are counted by their line ends, and not looked at otherwise."""

    def open(self, port: int) -> None:
        self._socket = socket.create_connection((HOST, port), TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.recv(8192)
        self._exchange(f"EHLO {EHLO_NAME}\r\n".encode())
        lines = [f"MAIL FROM:<{SENDER}>", *(f"RCPT TO:<{each}>" for each in self.recipients)]
        self._envelope = "".join(f"{line}\r\n" for line in lines).encode()
        self._opening = self._envelope + b"DATA\r\n"
        self._content = self.message.replace(b"\r\n.", b"\r\n..") + b".\r\n"
        self._chunk = b"BDAT %d LAST\r\n" % len(self.message) + self.message
        self._replies = len(lines)
        self._early = 0  # replies that came together with others
        self.message = b""

    def _write(self, octets: bytes) -> None:
        self._socket.sendall(octets)

    def _read(self, replies: int) -> None:
        while self._early < replies:
            data = self._socket.recv(65536)
            if not data:
                raise RuntimeError("the sink closed the connection")
            self._early += data.count(b"\n")
        self._early -= replies


class RawGroup(_RawAhead):
    """Envelope and DATA in one write."""

    def send(self, times: int) -> None:
        for _ in range(times):
            self._write(self._opening)
            self._read(self._replies + 1)
            self._write(self._content)
            self._read(1)


class RawFull(_RawAhead):
    """The next envelope with the end of data."""

    def send(self, times: int) -> None:
        self._write(self._opening)
        self._read(self._replies + 1)
        for _ in range(times - 1):
            self._write(self._content + self._opening)
            self._read(self._replies + 2)
        self._write(self._content)
        self._read(1)


class RawWindow(_RawAhead):
    """`WINDOW` messages on their way, each in one write."""

    window: ClassVar[int] = WINDOW

    def send(self, times: int) -> None:
        message, replies = self._envelope + self._chunk, self._replies + 1
        ahead = min(times, self.window)
        self._write(message * ahead)
        for _ in range(times - ahead):
            self._read(replies)
            self._write(message)
        self._read(replies * ahead)


class RawDeep(RawWindow):
    """As deep again."""

    window = 2 * WINDOW


class SmtplibSession(Peer):
    """smtplib, with a session for each message."""

    def open(self, port: int) -> None:
        self._port = port

    def send(self, times: int) -> None:
        for _ in range(times):
            with smtplib.SMTP(HOST, self._port, EHLO_NAME, TIMEOUT) as smtp:
                smtp.sendmail(SENDER, self.recipients, self.message)

    def close(self) -> None:
        """Nothing is open."""


class GroupSession(Peer):
    """Ours, with a session for each message."""

    depth: ClassVar[Depth] = "group"

    def open(self, port: int) -> None:
        self._port = port

    def send(self, times: int) -> None:
        for _ in range(times):
            with Client(HOST, self._port, options(self.depth)) as client:
                message = Message(self.message, SENDER, tuple(self.recipients))
                for result in client.send_many([message], quit=True):
                    judge(result)

    def close(self) -> None:
        """Nothing is open."""


class WindowSession(GroupSession):
    """Ours by BDAT, with a session for each message."""

    depth = "window"


AHEAD_PEERS: Final[dict[str, type[Peer]]] = {
    "group": Group,
    "full": Full,
    "full, by BDAT": FullByChunks,
    "window": Window,
    "window, 64 deep": Deep,
    "full, 10 connections": Ten,
    "raw group": RawGroup,
    "raw full": RawFull,
    "raw window": RawWindow,
    "raw window, 64 deep": RawDeep,
    "smtplib, a session each": SmtplibSession,
    "group, a session each": GroupSession,
    "window, a session each": WindowSession,
}
