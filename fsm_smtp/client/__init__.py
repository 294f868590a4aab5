"""Clients that send mail through the gate: `Client` on sockets, `AsyncClient` on asyncio.

`dialogue` holds what they say, once, without I/O; `sync` and `aio` only move octets.
"""

from fsm_smtp.client.aio import AsyncClient
from fsm_smtp.client.options import Options, Security
from fsm_smtp.client.result import Fate, SendResult
from fsm_smtp.client.sync import Client

__all__ = ["AsyncClient", "Client", "Fate", "Options", "Security", "SendResult"]
