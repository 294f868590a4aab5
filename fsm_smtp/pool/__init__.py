"""Connections that are kept and used again: `ClientPool` for threads, `AsyncClientPool` for tasks.

`book` knows who has which connection and who waits, without I/O; `pool` is the life of the
connections, once, as generators; `sync` and `aio` wait, and call what the generators ask for.
"""

from fsm_smtp.pool.aio import AsyncClientPool
from fsm_smtp.pool.errors import PoolClosed, PoolError, PoolTimeout
from fsm_smtp.pool.events import PoolEvent, Usage
from fsm_smtp.pool.limits import Limits
from fsm_smtp.pool.server import Server
from fsm_smtp.pool.sync import ClientPool

__all__ = [
    "AsyncClientPool",
    "ClientPool",
    "Limits",
    "PoolClosed",
    "PoolError",
    "PoolEvent",
    "PoolTimeout",
    "Server",
    "Usage",
]
