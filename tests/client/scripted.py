"""A server that does what a script says, right or wrong, on a port of its own; a script is data.

It speaks only when its script speaks, and each connection takes the next script. It is bounded in
time and octets, runs in a thread, and remembers what each connection has sent to it.
"""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: Seconds that the server waits for a client before it gives up; longer than any test's client.
PATIENCE = 8.0
#: Octets that the server takes in or gives out on one connection at most.
MOST = 80 * 1024 * 1024


@dataclass(frozen=True)
class Line:
    """Take in a line; it begins with these octets, or the script ends."""

    start: bytes = b""


@dataclass(frozen=True)
class Say:
    """Give out these octets, in one write, this many times, or until the client goes away."""

    octets: bytes
    times: int = 1


@dataclass(frozen=True)
class Drip:
    """Give out these octets one at a time, with a pause of so many seconds before each."""

    octets: bytes
    pause: float


@dataclass(frozen=True)
class Body:
    """Take in content up to its end of data, or only so many octets of it."""

    most: int = MOST


@dataclass(frozen=True)
class Pause:
    """Do nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Hold:
    """Say nothing more, and go on reading until the client goes away."""


@dataclass(frozen=True)
class Handshake:
    """Start TLS."""

    context: ssl.SSLContext


@dataclass(frozen=True)
class Close:
    """Close the connection, with *reset* so that the client's kernel discards it."""

    reset: bool = False


@dataclass(frozen=True)
class Honest:
    """Go on as an honest server would, until QUIT or the client goes away."""


Step = Line | Say | Drip | Body | Pause | Hold | Handshake | Close | Honest
Script = Sequence[Step]


@dataclass
class Taken:
    """What one connection was: the octets from the client, in clear and under TLS, and its end."""

    clear: bytearray = field(default_factory=bytearray)
    secret: bytearray = field(default_factory=bytearray)
    said: int = 0
    count: int = 0
    ended: str = "by the script"
    peer: object = None

    @property
    def octets(self) -> bytes:
        """All of them."""
        return bytes(self.clear + self.secret)


class _ScriptError(Exception):
    """The client did not do what the script says."""


class _Connection:
    def __init__(self, connected: socket.socket, taken: Taken, cut: int | None, reset: bool):
        self.socket = connected
        self.taken = taken
        self.cut = cut  # after so many octets the connection ends
        self.reset = reset
        self.forgetful = False
        self.buffer = b""

    def run(self, script: Script) -> None:
        for step in script:
            match step:
                case Line(start):
                    line = self.upto(b"\r\n")
                    if not line.upper().startswith(start.upper()):
                        raise _ScriptError(f"{start!r} was expected, {line[:80]!r} came")
                case Say(octets, times):
                    for _ in range(times):
                        self.say(octets)
                case Drip(octets, pause):
                    for number in range(len(octets)):
                        time.sleep(pause)
                        self.say(octets[number : number + 1])
                case Body(most):
                    self.upto(b"\r\n.\r\n", most, before=b"\r\n")
                case Pause(seconds):
                    time.sleep(seconds)
                case Hold():
                    self.hold()
                case Handshake(context):
                    assert not self.buffer, "the client did not wait for the handshake"
                    self.socket = context.wrap_socket(self.socket, server_side=True)
                case Close(reset):
                    self.end(reset=reset)
                    return
                case Honest():
                    self.honest()

    def say(self, octets: bytes) -> None:
        if self.cut is not None and self.taken.said + len(octets) >= self.cut:
            octets = octets[: self.cut - self.taken.said]
            self.socket.sendall(octets)
            self.end(reset=self.reset)
            raise _ScriptError("cut")
        self.taken.said += len(octets)
        assert self.taken.said <= MOST
        self.socket.sendall(octets)

    def read(self) -> bytes:
        octets = self.socket.recv(65536)
        secret = isinstance(self.socket, ssl.SSLSocket)
        kept = self.taken.secret if secret else self.taken.clear
        self.taken.count += len(octets)
        assert self.taken.count <= MOST
        if not self.forgetful:
            kept += octets
        return octets

    def upto(self, end: bytes, most: int = MOST, before: bytes = b"") -> bytes:
        buffer = bytearray(before + self.buffer)
        passed, found = 0, buffer.find(end)
        while found < 0 and passed + len(buffer) < most:
            if self.forgetful:  # nobody wants what has gone by
                passed += len(buffer)
                del buffer[: -len(end)]
            searched = max(0, len(buffer) - len(end))
            octets = self.read()
            if not octets:
                raise _ScriptError("the client went away")
            buffer += octets
            found = buffer.find(end, searched)
        if found < 0:
            found = len(buffer)
        self.buffer = bytes(buffer[found + len(end) :])
        return bytes(buffer[:found])

    def hold(self) -> None:
        while self.read():
            pass
        raise _ScriptError("the client went away")

    def honest(self) -> None:
        verb = b""
        while verb != b"QUIT":
            verb = self.upto(b"\r\n")[:4].upper()
            self.say({b"QUIT": b"221 bye\r\n", b"DATA": b"354 go\r\n"}.get(verb, b"250 ok\r\n"))
            if verb == b"DATA":
                self.upto(b"\r\n.\r\n", before=b"\r\n")
                self.say(b"250 taken\r\n")

    def end(self, *, reset: bool) -> None:
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class ScriptedServer:
    """Listens, and plays one script for each connection."""

    def __init__(
        self,
        *scripts: Script,
        cut: int | None = None,
        reset: bool = False,
        path: Path | None = None,
        host: str = "127.0.0.1",
        forgetful: bool = False,
    ) -> None:
        self.taken: list[Taken] = []
        self.failures: list[BaseException] = []
        self._scripts = scripts
        self._cut, self._reset = cut, reset
        self._forgetful = forgetful  # keeps nothing of what it has been sent
        if path is not None:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(path))
            self.port = 0
        else:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._listener = socket.socket(family)
            self._listener.bind((host, 0))
            self.port = int(self._listener.getsockname()[1])
        self._listener.listen()
        self._listener.settimeout(PATIENCE)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        for script in self._scripts:
            try:
                connected, peer = self._listener.accept()
            except OSError:  # nobody came, or the test is over
                return
            connected.settimeout(PATIENCE)
            if connected.family != socket.AF_UNIX:
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            taken = Taken(peer=peer)
            self.taken.append(taken)
            connection = _Connection(connected, taken, self._cut, self._reset)
            connection.forgetful = self._forgetful
            try:
                connection.run(script)
            except (_ScriptError, OSError) as error:
                taken.ended = str(error) or type(error).__name__
            except BaseException as error:  # noqa: BLE001 - shown by the test that started us
                self.failures.append(error)
            finally:
                connection.socket.close()

    def stop(self) -> None:
        """Wait until the scripts have been played, then go away."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE + 2)
        assert not self._thread.is_alive(), "a script does not end"
        assert not self.failures, self.failures


@contextlib.contextmanager
def serving(
    *scripts: Script,
    cut: int | None = None,
    reset: bool = False,
    path: Path | None = None,
    host: str = "127.0.0.1",
    forgetful: bool = False,
) -> Iterator[ScriptedServer]:
    """A server for these scripts; at the end it has played them, or nobody came."""
    server = ScriptedServer(
        *scripts, cut=cut, reset=reset, path=path, host=host, forgetful=forgetful
    )
    try:
        yield server
    finally:
        server.stop()


# -- pieces of scripts ---------------------------------------------------------------------------

GREETING = (Say(b"220 mx.example.test\r\n"),)


def ehlo(*offers: str) -> Script:
    """The answer to EHLO, with these offers."""
    lines = ["mx.example.test", *offers]
    text = [f"250-{line}\r\n" for line in lines[:-1]] + [f"250 {lines[-1]}\r\n"]
    return (Line(b"EHLO"), Say("".join(text).encode()))


def answers(*pairs: tuple[bytes, bytes]) -> Script:
    """A line that begins so, and the answer to it, in turn."""
    return tuple(step for start, octets in pairs for step in (Line(start), Say(octets)))


OPENING = (*GREETING, *ehlo("SIZE", "8BITMIME"))
ENVELOPE = answers((b"MAIL", b"250 ok\r\n"), (b"RCPT", b"250 ok\r\n"), (b"DATA", b"354 go\r\n"))
GOODBYE = (*answers((b"QUIT", b"221 bye\r\n")), Close())
DELIVERY = (*OPENING, *ENVELOPE, Body(), Say(b"250 taken\r\n"))
