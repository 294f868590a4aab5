"""Messages on their way, without I/O: how far the client runs ahead of the replies (RFC 2920).

The depth (`Options.depth`) says how far:

- ``lockstep``: each command waits for the reply to the one before.
- ``group``: MAIL, each RCPT and DATA go in one write; the end of data waits. What is used where
  PIPELINING is offered, unless the caller says otherwise.
- ``full``: the next envelope goes in one write with the end of the content. Some servers that offer
  PIPELINING cannot do that: they refuse what they found behind the end of data, or throw it away.
  So the first time is a try: see `Reach`.
- ``window``: MAIL, RCPT and BDAT in one group, `Options.window` messages deep, where CHUNKING is
  offered; else as ``full``. This departs from RFC 3030 §2, which has the replies to the envelope
  come before the chunk: a server that refuses an envelope has to take in the content and throw it
  away. Never a default. What is at stake in a broken connection is a window of messages whose fate
  is unknown.

Whatever the depth, every recipient has one fate: accepted, refused, or, if the connection ended
between the last octet of the content and the reply to it, unknown. A message whose end was not
sent is never unknown.

`Delivery` is the sequence of messages, `Letter` one of them, `Reach` what has been learned about
the server.
"""

from fsm_smtp.client.delivery.delivery import Delivery
from fsm_smtp.client.delivery.reach import Reach

__all__ = ["Delivery", "Reach"]
