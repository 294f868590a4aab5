"""What a sink answers where: the machine of a server that takes all that the table lets it take."""

from functools import cache
from typing import Final

from fsm_smtp.owed import Instance, ServerModel
from fsm_smtp.table import load_table

NAME: Final = b"sink.example.test"
GREETING: Final = b"220 %b ESMTP\r\n" % NAME
NO_SIZE: Final = b"501 5.5.4 A size, please\r\n"
_UNKNOWN: Final = b"500 5.5.2 What is that?\r\n"
_OUT_OF_ORDER: Final = b"503 5.5.1 Not now\r\n"
_OK: Final = b"250 2.0.0 Ok\r\n"
#: The table's input of a verb.
_INPUTS: Final = {
    b"EHLO": "ehlo",
    b"HELO": "helo",
    b"MAIL": "mail",
    b"RCPT": "rcpt",
    b"DATA": "data",
    b"RSET": "rset",
    b"NOOP": "noop",
    b"VRFY": "vrfy",
    b"QUIT": "quit",
}
#: How an input is answered where the table has it accepted; by 250 where nothing else stands here.
_ACCEPTED: Final = {
    "ehlo": b"250-%b\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n"
    b"250-BINARYMIME\r\n250-DSN\r\n250 ENHANCEDSTATUSCODES\r\n" % NAME,
    "helo": b"250 %b\r\n" % NAME,
    "mail": b"250 2.1.0 Ok\r\n",
    "rcpt": b"250 2.1.5 Ok\r\n",
    "data": b"354 End data with <CR><LF>.<CR><LF>\r\n",
    "vrfy": b"252 2.5.2 Perhaps\r\n",
    "quit": b"221 2.0.0 Bye\r\n",
}


class Place:
    """Where a connection stands.

    Attributes:
        content: lines of content are read here, and no commands.
        closed: the connection is over.
        answers: by the first four octets of a line, as they were spelled, the reply and the place
            behind it; what was asked before, and does not close the connection.
    """

    __slots__ = ("_instance", "_places", "_state", "answers", "closed", "content")

    def __init__(self, instance: Instance, state: int, places: "list[Place]") -> None:
        mode = instance.standings[state][0]
        self.content, self.closed = mode == "content", mode == "closed"
        self.answers: dict[bytes, tuple[bytes, Place]] = {}
        self._instance, self._state, self._places = instance, state, places

    def to_line(self, start: bytes) -> "tuple[bytes, Place]":
        """The reply to a line that starts with these four octets, and the place behind it."""
        name = _INPUTS.get(start.upper())
        if name is None:
            return _UNKNOWN, self
        decided = self.to_input(name)
        if not decided[1].closed:
            self.answers[start] = decided
        return decided

    def to_input(self, name: str) -> "tuple[bytes, Place]":
        """The reply to an input of the table, and the place behind it."""
        taken = self._instance.outputs[self._state, name][0] in "23"
        reply = _ACCEPTED.get(name, _OK) if taken else _OUT_OF_ORDER
        return reply, self._places[self._instance.next[self._state, name]]


@cache
def beginning() -> Place:
    """The place behind the greeting.

    Raises:
        TableError: the table cannot be read.
    """
    instance = ServerModel.of(load_table()).instantiate({}, frozenset({"CHUNKING"}))
    places: list[Place] = []
    places += [Place(instance, state, places) for state in range(len(instance.standings))]
    return places[instance.initial]
