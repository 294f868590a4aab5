"""A dialogue with a server that is a function: what has no chance in it needs no sockets."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from fsm_smtp.client import Options
from fsm_smtp.client.dialogue import Dialogue
from fsm_smtp.client.requests import GLANCE, HANDSHAKE, Answer, Flow, Wait

_T = TypeVar("_T")

#: Gives what the server says to these octets: octets, none at the end, None for silence.
Server = Callable[[bytes], bytes | None]


def run(flow: Flow[_T], server: Server) -> _T:
    """Run *flow* to its end."""
    answer: Answer = None
    written = b""  # since the last wait: then the server answers
    while True:
        try:
            request = flow.send(answer)
        except StopIteration as done:
            value: _T = done.value
            return value
        if isinstance(request, Wait):
            octets, request.octets = written + request.octets, b""
            written, answer = b"", server(octets)
        elif isinstance(request, bytes):
            written += request
            answer = True
        else:
            assert request is GLANCE or request is HANDSHAKE
            answer = None


class Recorded:
    """A server that says these things in turn, and keeps what it was told."""

    def __init__(self, *says: bytes | None) -> None:
        self._says = iter(says)
        self.told: list[bytes] = []

    def __call__(self, octets: bytes) -> bytes | None:
        if octets:
            self.told.append(octets)
        return next(self._says)

    @property
    def lines(self) -> list[str]:
        """What it was told, a line each."""
        return b"".join(self.told).decode("utf-8").split("\r\n")[:-1]


def opened(
    offers: Iterable[str] = (), *says: bytes | None, **options: Any
) -> tuple[Dialogue, Recorded]:
    """A dialogue after EHLO, whose server offers this and then says these things."""
    dialogue = Dialogue(Options(**options))
    lines = ["mx.example.test", *offers]
    text = "".join(f"250-{line}\r\n" for line in lines[:-1]) + f"250 {lines[-1]}\r\n"
    server = Recorded(b"220 mx\r\n", text.encode(), *says)
    dialogue.session.connect()
    run(dialogue.reply(), server)
    run(dialogue.hello(), server)
    server.told.clear()
    return dialogue, server
