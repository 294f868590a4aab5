"""Single deviations of the reference server, by area; who imports this knows them all."""

from tests.reference.faults import (
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
from tests.reference.faults.registry import FAULTS, Fault, Run, faulty

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
