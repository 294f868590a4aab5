"""A sink: takes every message from anybody and keeps nothing, fast. For tests under load.

Its order is the table's, each decision made once and remembered; of a command it looks at the first
four letters, and of BDAT at the size. For a server that reads every word, see
`fsm_smtp.testing.server`. One thread serves all connections, by epoll: it runs on Linux only.
"""

from fsm_smtp.testing.sink.server import Sink

__all__ = ["Sink"]
