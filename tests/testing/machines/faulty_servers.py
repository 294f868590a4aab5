"""Single mistakes of a server, and how many inputs the shortest session has that shows each."""

import ssl
from collections.abc import Callable
from dataclasses import replace

from fsm_smtp.testing.machines.server import ServerMachine, SMTPServerMachine
from fsm_smtp.testing.server.faults import FAULTS, faulty
from fsm_smtp.testing.server.memory import MemoryConnection
from fsm_smtp.testing.server.options import PASSWORD, USER, Options
from fsm_smtp.testing.server.session import Session

#: Inputs that show it at least, by the fault's name. The end of a session, QUIT, is not counted.
SHORTEST = {
    "takes RCPT without MAIL": 1,
    "answers RCPT without MAIL with 550": 1,
    "takes DATA without recipients": 4,
    "a nested MAIL keeps the recipients": 5,
    "MAIL keeps the recipients of the transaction before": 6,
    "a refused MAIL makes the next one fail": 4,
    "does not know MAIL": 2,
    "a refused RCPT ends the transaction": 4,
    "answers RCPT with 354": 1,
    "RSET forgets nothing": 4,
    "RSET keeps the sender": 4,
    "the end of data clears nothing": 6,
    "refuses RSET before EHLO": 1,
    "RSET closes": 1,
    "RSET forgets EHLO": 3,
    "does not know RSET": 1,
    "refuses a second EHLO": 2,
    "EHLO forgets nothing": 4,
    "does not know HELO": 1,
    "mixes codes": 1,
    "refuses NOOP before EHLO": 1,
    "never answers NOOP": 1,
    "refuses QUIT in a transaction": 2,
    "QUIT is answered with 250": 0,
    "QUIT does not close": 0,
    "takes every unknown command": 1,
    "takes a second AUTH": 3,
    "takes AUTH in a transaction": 3,
    "takes every password": 2,
    "refuses a cancelled AUTH with 535": 3,
    "takes BDAT at any time": 1,
    "takes BDAT behind the last chunk": 5,
    "takes DATA behind BDAT": 5,
    "takes STARTTLS under TLS": 3,
}


def options(fault: str | None = None) -> Options:
    """A server that offers everything, and keeps bare CR and LF: both are right."""
    usual = Options(context=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), watches=False, keeps_bare=True)
    ordered = FAULTS[fault].set_up(usual) if fault is not None else usual
    return replace(ordered, auth_in_clear=True)


def machine(fault: str | None = None) -> tuple[type[ServerMachine], Callable[[], int]]:
    """A machine for the server with this fault, and how many sessions it has opened."""
    session: type[Session] = faulty(fault) if fault is not None else Session
    chosen = options(fault)
    opened = 0

    def connect() -> MemoryConnection:
        nonlocal opened
        opened += 1
        return MemoryConnection(chosen, session)

    made = SMTPServerMachine(connect, user=USER, password=PASSWORD, strict=True)
    return made, lambda: opened
