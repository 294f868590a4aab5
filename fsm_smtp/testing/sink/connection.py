"""One connection to a sink: octets in, replies out."""

import socket
from typing import Final

from fsm_smtp.testing.sink.order import NO_SIZE, Place, beginning

_END: Final = b"\r\n.\r\n"
#: Of the end of data, what may stand at the end of one read and begin in the one before.
_SPLIT: Final = len(_END) - 1


class Connection:
    """What one connection is in the middle of.

    Attributes:
        link: the socket, which does not block.
        recv: its method.
        recv_into: another.
        send: another.
        place: where it stands.
        rest: octets of an unfinished line, or the last ones of the content so far.
        chunk: octets of a chunk that are still to come.
        unsent: what the client has not taken yet.
    """

    __slots__ = ("_input", "chunk", "link", "place", "recv", "recv_into", "rest", "send", "unsent")

    def __init__(self, connected: socket.socket) -> None:
        self.link = connected
        self.recv, self.recv_into, self.send = connected.recv, connected.recv_into, connected.send
        self.place: Place = beginning()
        self.rest = b""
        self.chunk = 0
        self.unsent = b""
        self._input = ""

    def take(self, data: bytes) -> bytes:
        """The replies to *data*."""
        said: list[bytes] = []
        while data and not self.place.closed:
            if self.place.content or self.chunk:
                data = data[self.body(data, len(data), said) :]
            else:
                data = self._lines(self.rest + data if self.rest else data, said)
        return b"".join(said)

    def body(self, octets: bytes | bytearray, count: int, said: list[bytes]) -> int:
        """Take in content or a chunk from the first *count* octets; how many were that."""
        if self.chunk:
            return self._chunk(count, said)
        # The end may begin in what came before. Only the few octets there are looked at twice.
        end = (self.rest + octets[: min(_SPLIT, count)]).find(_END)
        if end >= 0:
            behind = end + len(_END) - len(self.rest)
        else:
            found = octets.find(_END, 0, count)
            if found < 0:
                last = bytes(octets[max(0, count - _SPLIT) : count])
                self.rest = (self.rest + last)[-_SPLIT:]
                return count
            behind = found + len(_END)
        self.rest = b""
        self._answer("end_of_data", said)
        return behind

    def _lines(self, data: bytes, said: list[bytes]) -> bytes:
        """Take in lines up to content, a chunk, the end, or an unfinished one; what is left."""
        self.rest = b""
        start = 0
        while newline := data.find(b"\n", start) + 1:
            first = data[start : start + 4]
            known = self.place.answers.get(first)
            if known is None:
                if first.upper() == b"BDAT":
                    self._announced(data[start:newline].split(), said)
                    return data[newline:]
                known = self.place.to_line(first)
            answer, self.place = known
            said.append(answer)
            start = newline
            if self.place.content:
                self.rest = b"\r\n"  # the first half of the end of an empty content
                return data[start:]
            if self.place.closed:
                return b""
        self.rest = data[start:]
        return b""

    def _announced(self, words: list[bytes], said: list[bytes]) -> None:
        if len(words) < 2 or not words[1].isdigit():
            said.append(NO_SIZE)
            return
        self.chunk = int(words[1])
        self._input = "bdat_last" if words[2:3] else "bdat"
        if not self.chunk:
            self._answer(self._input, said)

    def _chunk(self, count: int, said: list[bytes]) -> int:
        taken = min(self.chunk, count)
        self.chunk -= taken
        if not self.chunk:
            self._answer(self._input, said)
        return taken

    def _answer(self, name: str, said: list[bytes]) -> None:
        answer, self.place = self.place.to_input(name)
        said.append(answer)
