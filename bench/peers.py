"""The competitors in lock-step: the same messages, one command at a time, the same timeouts.

Those that run ahead are in `ahead_peers`.
"""

import asyncio
import smtplib
import socket
from abc import ABC, abstractmethod
from typing import Final

import aiosmtplib

from bench.workload import EHLO_NAME, SENDER, TIMEOUT, Scenario
from fsm_smtp.client import AsyncClient, Client, Options, SendResult
from fsm_smtp.client.options import Depth

HOST: Final = "127.0.0.1"


class Peer(ABC):
    """A client that is connected and has said EHLO once `open` returns."""

    def __init__(self, scenario: Scenario) -> None:
        self.message = scenario.message()
        self.recipients = scenario.addresses()

    @abstractmethod
    def open(self, port: int) -> None:
        """Connect and say EHLO."""

    @abstractmethod
    def send(self, times: int) -> None:
        """Send the message *times* times over the same connection; raise when it is refused."""

    @abstractmethod
    def close(self) -> None:
        """End the connection."""


class Smtplib(Peer):
    """The standard library's."""

    def open(self, port: int) -> None:
        self._smtp = smtplib.SMTP(HOST, port, EHLO_NAME, TIMEOUT)
        self._smtp.ehlo()

    def send(self, times: int) -> None:
        for _ in range(times):
            self._smtp.sendmail(SENDER, self.recipients, self.message)

    def close(self) -> None:
        self._smtp.quit()


class Aiosmtplib(Peer):
    """aiosmtplib."""

    client: type[aiosmtplib.SMTP] = aiosmtplib.SMTP

    def open(self, port: int) -> None:
        self._runner = asyncio.Runner()
        self._smtp = self.client(
            hostname=HOST, port=port, local_hostname=EHLO_NAME, timeout=TIMEOUT, start_tls=False
        )
        self._runner.run(self._open())

    async def _open(self) -> None:
        await self._smtp.connect()
        await self._smtp.ehlo()

    def send(self, times: int) -> None:
        self._runner.run(self._send(times))

    async def _send(self, times: int) -> None:
        for _ in range(times):
            await self._smtp.sendmail(SENDER, self.recipients, self.message)

    def close(self) -> None:
        self._runner.run(self._close())
        self._runner.close()

    async def _close(self) -> None:
        await self._smtp.quit()


def options(depth: Depth, window: int = 32) -> Options:
    """Ours: as for the others, and how far to run ahead."""
    return Options(timeout=TIMEOUT, ehlo_name=EHLO_NAME, depth=depth, window=window)


def judge(result: SendResult) -> None:
    """Raise unless everybody was accepted."""
    if not result.all_accepted:
        raise RuntimeError(f"the sink did not take a message: {result}")


class Ours(Peer):
    """`fsm_smtp.Client`."""

    def open(self, port: int) -> None:
        self._client = Client(HOST, port, options("lockstep"))
        self._client.connect()

    def send(self, times: int) -> None:
        for _ in range(times):
            judge(self._client.send_message(self.message, SENDER, self.recipients))

    def close(self) -> None:
        self._client.quit()


class OursAsync(Peer):
    """`fsm_smtp.AsyncClient`."""

    def open(self, port: int) -> None:
        self._runner = asyncio.Runner()
        self._client = AsyncClient(HOST, port, options("lockstep"))
        self._runner.run(self._client.connect())

    def send(self, times: int) -> None:
        self._runner.run(self._send(times))

    async def _send(self, times: int) -> None:
        for _ in range(times):
            judge(await self._client.send_message(self.message, SENDER, self.recipients))

    def close(self) -> None:
        self._runner.run(self._client.quit())
        self._runner.close()


class Raw(Peer):
    """A socket that writes prepared octets and reads each reply without looking at more than its
    first digit: the least that the exchange costs in Python."""

    def open(self, port: int) -> None:
        self._socket = socket.create_connection((HOST, port), TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.recv(8192)
        self._exchange(f"EHLO {EHLO_NAME}\r\n".encode())
        content = self.message.replace(b"\r\n.", b"\r\n..") + b".\r\n"
        envelope = [f"MAIL FROM:<{SENDER}>", *(f"RCPT TO:<{each}>" for each in self.recipients)]
        self._steps = [f"{line}\r\n".encode() for line in (*envelope, "DATA")] + [content]
        self.message = b""  # held once, as by the others

    def _exchange(self, octets: bytes) -> None:
        self._socket.sendall(octets)
        reply = self._socket.recv(8192)
        if reply[:1] not in (b"2", b"3"):
            raise RuntimeError(f"the sink answered {reply!r}")

    def send(self, times: int) -> None:
        for _ in range(times):
            for step in self._steps:
                self._exchange(step)

    def close(self) -> None:
        self._exchange(b"QUIT\r\n")
        self._socket.close()


PEERS: Final[dict[str, type[Peer]]] = {
    "raw socket": Raw,
    "smtplib": Smtplib,
    "aiosmtplib": Aiosmtplib,
    "Client": Ours,
    "AsyncClient": OursAsync,
}
