"""Clients that send mail through the gate: `Client` on sockets, `AsyncClient` on asyncio.

`dialogue` holds what they say, once, without I/O; `sync` and `aio` only move octets.
"""

from fsm_smtp.client.aio import AsyncClient
from fsm_smtp.client.backoff import Backoff
from fsm_smtp.client.base import Closed
from fsm_smtp.client.callbacks import Credentials, Logon, Response, Status, Waiting
from fsm_smtp.client.content import Progress
from fsm_smtp.client.extensions import DeliverBy, Extensions, Recipient
from fsm_smtp.client.message import Message
from fsm_smtp.client.options import Depth, Options, Security
from fsm_smtp.client.result import Fate, SendResult
from fsm_smtp.client.resume import Resume
from fsm_smtp.client.sync import Client

__all__ = [
    "AsyncClient",
    "Backoff",
    "Client",
    "Closed",
    "Credentials",
    "DeliverBy",
    "Depth",
    "Extensions",
    "Fate",
    "Logon",
    "Message",
    "Options",
    "Progress",
    "Recipient",
    "Response",
    "Resume",
    "Security",
    "SendResult",
    "Status",
    "Waiting",
]
