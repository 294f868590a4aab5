"""Single deviations of the model server, by area; who imports this knows them all."""

from fsm_smtp.testing.server.faults import (
    asking,
    auth,
    chunking,
    content,
    envelope,
    extensions,
    hello,
    limits,
    offers,
    order,
    pipelining,
    reading,
    replies,
    starttls,
    submission,
)
from fsm_smtp.testing.server.faults.registry import FAULTS, Fault, Run, faulty

__all__ = [
    "FAULTS",
    "Fault",
    "Run",
    "asking",
    "auth",
    "chunking",
    "content",
    "envelope",
    "extensions",
    "faulty",
    "hello",
    "limits",
    "offers",
    "order",
    "pipelining",
    "reading",
    "replies",
    "starttls",
    "submission",
]
