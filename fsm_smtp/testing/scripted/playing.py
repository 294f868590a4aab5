"""One connection of a scripted server: its script, played step by step."""

import socket
import ssl
import struct
import time

from fsm_smtp.testing.scripted.steps import (
    MOST,
    Answer,
    Body,
    Close,
    Drip,
    Handshake,
    Hold,
    Line,
    Pause,
    Say,
    Script,
    Step,
)
from fsm_smtp.testing.scripted.taken import Taken

_READ = 65536
_USUAL = {b"QUIT": b"221 bye\r\n", b"DATA": b"354 go\r\n", b".": b"250 taken\r\n"}


class Off(Exception):
    """The script is not played to its end: the client, or the cut, has ended it."""


class Player:
    """Plays a script on a connection.

    Args:
        connected: the connection.
        taken: what is remembered of it.
        cut: behind so many octets given out the connection ends; ``None``: never.
        reset: the cut resets the connection.
        forgetful: nothing of what comes in is kept, so that memory does not grow.
        most: octets of a read at the most; ``None``: many.
    """

    def __init__(
        self,
        connected: socket.socket,
        taken: Taken,
        *,
        cut: int | None = None,
        reset: bool = False,
        forgetful: bool = False,
        most: int | None = None,
    ) -> None:
        self.socket = connected
        self._taken = taken
        self._cut, self._reset = cut, reset
        self._forgetful = forgetful
        self._most = most or _READ
        self._buffer = b""

    def play(self, script: Script) -> None:
        """Play it to its end.

        Raises:
            Off: the client does not do what the script says, or is gone.
            OSError: the connection is gone.
        """
        for step in script:
            self._step(step)
            if isinstance(step, Close):
                return

    def _step(self, step: Step) -> None:
        match step:
            case Line(start):
                self._line(start)
            case Say(octets, times):
                for _ in range(times):
                    self._say(octets)
            case Drip(octets, pause):
                self._drip(octets, pause)
            case Body(most):
                self._upto(b"\r\n.\r\n", most + len(b"\r\n"), before=b"\r\n")
            case Pause(seconds):
                time.sleep(seconds)
            case Hold():
                self._hold()
            case Handshake():
                self._shake(step)
            case Close(reset):
                self._end(reset=reset)
            case Answer():
                self._answer(step)

    def _line(self, start: bytes) -> None:
        line = self._upto(b"\r\n")
        if not line.upper().startswith(start.upper()):
            raise Off(f"{start!r} was expected, {line[:80]!r} came")

    def _drip(self, octets: bytes, pause: float) -> None:
        for number in range(len(octets)):
            time.sleep(pause)
            self._say(octets[number : number + 1])

    def _hold(self) -> None:
        while self._read():
            pass
        raise Off("closed")

    def _say(self, octets: bytes) -> None:
        if self._cut is not None and self._taken.said + len(octets) >= self._cut:
            self.socket.sendall(octets[: self._cut - self._taken.said])
            self._end(reset=self._reset)
            raise Off("cut")
        self._taken.said += len(octets)
        if self._taken.said > MOST:
            raise Off(f"the script says more than {MOST} octets")
        self.socket.sendall(octets)

    def _read(self) -> bytes:
        octets = self.socket.recv(self._most)
        self._taken.count += len(octets)
        if self._taken.count > MOST:
            raise Off(f"the client says more than {MOST} octets")
        if not self._forgetful:
            secret = isinstance(self.socket, ssl.SSLSocket)
            kept = self._taken.secret if secret else self._taken.clear
            kept += octets
        return octets

    def _more(self) -> bytes:
        octets = self._read()
        if not octets:
            raise Off("closed")
        return octets

    def _upto(self, end: bytes, most: int = MOST, before: bytes = b"") -> bytes:
        buffer = bytearray(before + self._buffer)
        passed, found = 0, buffer.find(end)
        while found < 0 and passed + len(buffer) < most:
            if self._forgetful:  # nobody wants what has gone by
                passed += len(buffer)
                del buffer[: -len(end)]
            searched = max(0, len(buffer) - len(end))
            buffer += self._more()
            found = buffer.find(end, searched)
        if found < 0:
            found = len(buffer)
        self._buffer = bytes(buffer[found + len(end) :])
        return bytes(buffer[:found])

    def _chunk(self, size: int) -> None:
        while len(self._buffer) < size:
            self._buffer += self._more()
        self._buffer = self._buffer[size:]

    def _shake(self, handshake: Handshake) -> None:
        if self._buffer and not handshake.kept:
            raise AssertionError(f"the client did not wait for the handshake: {self._buffer!r}")
        self.socket = handshake.context.wrap_socket(self.socket, server_side=True)

    def _answer(self, how: Answer) -> None:
        verb = b""
        while verb != b"QUIT":
            verb, _, argument = self._upto(b"\r\n").strip().partition(b" ")
            verb = verb.upper()
            size, *_ = argument.split() or [b""]
            if verb == b"BDAT" and size.isdigit():
                self._chunk(int(size))
            said = self._reply(how, verb)
            if verb == b"DATA" and said.startswith(b"354"):
                self._upto(b"\r\n.\r\n", before=b"\r\n")
                self._reply(how, b".")
            elif verb == b"STARTTLS" and said.startswith(b"220"):
                self._secure(how)

    def _secure(self, how: Answer) -> None:
        if how.handshake is not None:
            self._shake(how.handshake)
            return
        if not self._buffer:
            self._more()
        self._buffer = b""
        self._say(how.other)

    def _reply(self, how: Answer, verb: bytes) -> bytes:
        octets = how.replies.get(verb, _USUAL.get(verb, how.other))
        self._say(octets)
        return octets

    def _end(self, *, reset: bool) -> None:
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
