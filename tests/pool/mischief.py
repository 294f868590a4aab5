"""A server that does wrong now and then; and what must hold all the same."""

import random
import threading
from collections.abc import Callable, Mapping

from fsm_smtp.testing import SMTPServer
from fsm_smtp.testing.server.connection import Connection
from tests.pool.serving import arrived

CLOSING = "421 4.3.2 closing"
WRONGS: tuple[Callable[[Connection], None], ...] = (
    Connection.end,
    lambda connection: connection.order("RSET", reply=CLOSING, drop=True, times=1),
    lambda connection: connection.order("MAIL", reply=CLOSING, drop=True, times=1),
    lambda connection: connection.order(".", drop=True, lie=True, times=1),
    lambda connection: connection.order("DATA", reply="451 4.3.0 later", times=1),
    lambda connection: connection.order("RCPT", drop=True, times=1),
)


#: Lines between one wrong and the next: a slow machine does not see more of them.
APART = 30


def mischief(server: SMTPServer, over: threading.Event, seed: int) -> None:
    """Now and then, do something to a connection that is open."""
    chance = random.Random(seed)
    lines = 0
    while not over.wait(0.001):
        now = sum(len(session.lines) for session in server.sessions)
        if now - lines >= APART and (connections := server.open_connections):
            lines = now
            chance.choice(WRONGS)(chance.choice(connections))


def content_of(number: int) -> bytes:
    """What goes to the recipient of that number, and to nobody else."""
    return b"number %d\r\n" % number


def recipient_of(number: int) -> str:
    return f"to{number}@example.test"


def judge(server: SMTPServer, outcomes: Mapping[int, str]) -> None:
    """Accepted means taken once, unknown once or not at all, refused not at all."""
    taken = arrived(server)
    allowed = {"accepted": (1,), "refused": (0,), "unknown": (0, 1)}
    for number, outcome in outcomes.items():
        assert taken[recipient_of(number)] in allowed[outcome], (number, outcome)
    for message in server.messages:
        number = int(message.recipients[0].path[2:].partition(b"@")[0])
        assert message.content == content_of(number)
