"""Running ahead (PIPELINING, RFC 2920; BDAT, RFC 3030): the table of lock-step, read twice.

Beside the *confirmed* configuration, where the oldest outstanding command awaits its reply, stands
the *expected* one, which assumes that every outstanding command succeeds. A command may be sent
when the expected configuration accepts it and the rules of command groups allow it; a reply is
judged by the confirmed one. When a reply disappoints, what is outstanding is replayed.

    pipeline = Pipeline(machine)             # the rules; shared, without state of its own
    flight = pipeline.begin(configuration)   # nothing outstanding
    flight = pipeline.send(flight, "send_mail")          # raises CommandRefused, changes nothing
    flight = pipeline.send(flight, "send_rcpt")
    answer = pipeline.answer(flight, "reply_2yz")        # the reply to the oldest: MAIL
    answer.sent.trigger, answer.sent.doomed, answer.step, answer.flight
    flight = pipeline.end(answer.flight, "eof").flight   # or "timeout", "close"

A `Flight` is immutable and hashable: whoever explores visits flights, and whoever observes another
client keeps one. With nothing sent ahead it takes exactly the steps of lock-step. Which message a
command belongs to is not in it: flights that differ in numbers only are equal. Keep what you know
of each command in a queue beside the flight, since replies come in the order of the commands.

Rules (`Pipeline.hindrance` says which one forbids a command):

- ``order``: the expected configuration has no row for it.
- ``pipelining``: PIPELINING is not offered (RFC 2920 §3).
- ``group``: an outstanding command had to be the last of its group, or this one would have to be
  the first of its own (the table's ``group``, RFC 2920 §3.1).
- ``behind``: MAIL may directly follow only RSET or the end of data while they are outstanding (the
  table's ``behind``). Else an honest server can deliver message 2 under the sender of message 1:
  all RCPT of 1 refused, MAIL 2 answered 503 as nested, RCPT 2 and BDAT LAST 2 accepted.
- ``doomed``: the message of this command has come to nothing; doom belongs to the message, also
  where the configuration would allow the command.
- ``distrust``: a doomed command was accepted, so client and server disagree about the transaction:
  on this connection nothing is sent ahead any more, and RSET comes before the next MAIL.

`Pipeline.departure` names what departs from an RFC without being refused: a chunk in one group
with its envelope (RFC 3030 §2).

Nothing here does I/O or knows the time; the machine alone decides what follows what.
"""

from fsm_smtp.ahead.flight import Answer, Departure, Flight, Hindrance, Rule, Sent
from fsm_smtp.ahead.pipeline import Pipeline, pipeline_of, shared_pipeline
from fsm_smtp.ahead.runs import Run, Runs, Shape, runs_of, shape

__all__ = [
    "Answer",
    "Departure",
    "Flight",
    "Hindrance",
    "Pipeline",
    "Rule",
    "Run",
    "Runs",
    "Sent",
    "Shape",
    "pipeline_of",
    "runs_of",
    "shape",
    "shared_pipeline",
]
