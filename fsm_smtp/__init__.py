"""fsm_smtp: SMTP as an explicit, verified finite-state machine.

One table, ``specs/transitions.yaml``, says what an SMTP client may do next. `ProtocolMachine`
runs it, `Session` lets octets pass only when the machine agrees, `Client` and `AsyncClient` send
mail through that gate. What is here is loaded on first use, so that importing costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from fsm_smtp.command import SMTPCommand
from fsm_smtp.errors import (
    CommandRefused,
    ConnectionLost,
    HandshakeFailed,
    InvalidCommand,
    InvalidContent,
    LimitReached,
    LocalProtocolError,
    MalformedReply,
    NotConnected,
    NotOffered,
    ProtocolError,
    Rejected,
    RemoteProtocolError,
    ReplyTimeout,
    SpecError,
    UnexpectedReply,
)
from fsm_smtp.version import __version__

if TYPE_CHECKING:
    from fsm_smtp.client import (
        AsyncClient,
        Client,
        Extensions,
        Fate,
        Options,
        Recipient,
        SendResult,
    )
    from fsm_smtp.machine import ProtocolMachine, shared_machine
    from fsm_smtp.pool import AsyncClientPool, ClientPool
    from fsm_smtp.session import Event, Session
    from fsm_smtp.table import Table, load_table

_LAZY = {
    "AsyncClient": "fsm_smtp.client",
    "AsyncClientPool": "fsm_smtp.pool",
    "Client": "fsm_smtp.client",
    "ClientPool": "fsm_smtp.pool",
    "Event": "fsm_smtp.session",
    "Extensions": "fsm_smtp.client",
    "Fate": "fsm_smtp.client",
    "Options": "fsm_smtp.client",
    "ProtocolMachine": "fsm_smtp.machine",
    "Recipient": "fsm_smtp.client",
    "SendResult": "fsm_smtp.client",
    "Session": "fsm_smtp.session",
    "Table": "fsm_smtp.table",
    "load_table": "fsm_smtp.table",
    "shared_machine": "fsm_smtp.machine",
}

__all__ = [
    "AsyncClient",
    "AsyncClientPool",
    "Client",
    "ClientPool",
    "CommandRefused",
    "ConnectionLost",
    "Event",
    "Extensions",
    "Fate",
    "HandshakeFailed",
    "InvalidCommand",
    "InvalidContent",
    "LimitReached",
    "LocalProtocolError",
    "MalformedReply",
    "NotConnected",
    "NotOffered",
    "Options",
    "ProtocolError",
    "ProtocolMachine",
    "Recipient",
    "Rejected",
    "RemoteProtocolError",
    "ReplyTimeout",
    "SMTPCommand",
    "SendResult",
    "Session",
    "SpecError",
    "Table",
    "UnexpectedReply",
    "__version__",
    "load_table",
    "shared_machine",
]


def __getattr__(name: str) -> object:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(module), name)
