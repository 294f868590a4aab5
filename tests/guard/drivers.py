"""Ways to send what one likes through a guarded client, and to read the answer as it reads it."""

import asyncio
import socket
from abc import ABC, abstractmethod

from fsm_smtp.guard import aiosmtplib as guarded_aiosmtplib
from fsm_smtp.guard import smtplib as guarded_smtplib
from fsm_smtp.guard.sockets import GuardedSocket

TIMEOUT = 20.0
Answer = tuple[int, str]


class Driver(ABC):
    """A guarded client. `open` gives the greeting; `send` writes a line or a whole content."""

    @abstractmethod
    def open(self, port: int) -> Answer:
        """Connect."""

    @abstractmethod
    def send(self, octets: bytes) -> Answer:
        """Write, and read the answer."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""


class Smtplib(Driver):
    """smtplib's `send` and `getreply`."""

    def open(self, port: int) -> Answer:
        self._smtp = guarded_smtplib.SMTP(local_hostname="client.example.test", timeout=TIMEOUT)
        code, text = self._smtp.connect("127.0.0.1", port)
        return code, text.decode()

    def send(self, octets: bytes) -> Answer:
        self._smtp.send(octets)
        code, text = self._smtp.getreply()
        return code, text.decode()

    def close(self) -> None:
        self._smtp.close()


class Aiosmtplib(Driver):
    """aiosmtplib's protocol: `write` and `read_response`."""

    def open(self, port: int) -> Answer:
        self._runner = asyncio.Runner()
        self._smtp = guarded_aiosmtplib.SMTP(
            hostname="127.0.0.1",
            port=port,
            timeout=TIMEOUT,
            start_tls=False,
            local_hostname="x.test",
        )
        answer = self._runner.run(self._smtp.connect())
        return answer.code, answer.message

    def send(self, octets: bytes) -> Answer:
        return self._runner.run(self._send(octets))

    async def _send(self, octets: bytes) -> Answer:
        protocol = self._smtp.protocol
        assert protocol is not None
        if octets.isascii() and octets.count(b"\r\n") == 1 and octets != b".\r\n":
            answer = await protocol.execute_command(octets[:-2], timeout=TIMEOUT)
        else:
            reading = asyncio.ensure_future(protocol.read_response(timeout=TIMEOUT))
            await asyncio.sleep(0)  # it waits for the answer now
            try:
                protocol.write(octets)
            except BaseException:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
                raise
            answer = await reading
        return answer.code, answer.message

    def close(self) -> None:
        async def close() -> None:
            self._smtp.close()
            await asyncio.sleep(0)

        self._runner.run(close())
        self._runner.close()


class Socket(Driver):
    """A guarded socket, written to in pieces."""

    def open(self, port: int) -> Answer:
        plain = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self._sock = GuardedSocket(plain, lockstep=True)
        self._file = self._sock.makefile("rb")
        return self._read()

    def send(self, octets: bytes) -> Answer:
        # A line in two: what is wrong with the second must keep the first from being written. Of
        # content, which is let go as it comes, that cannot be asked.
        middle = len(octets) // 2 if octets.count(b"\n") == 1 else len(octets)
        self._sock.sendall(octets[:middle])
        self._sock.sendall(octets[middle:])
        return self._read()

    def _read(self) -> Answer:
        lines: list[str] = []
        while True:
            line = self._file.readline().decode().rstrip("\r\n")
            lines.append(line[4:])
            if line[3:4] != "-":
                return int(line[:3]), "\n".join(lines)

    def close(self) -> None:
        self._file.close()
        self._sock.close()
