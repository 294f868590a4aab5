"""Runs: commands that leave together, and whose replies are taken together when all are as hoped.

Configurations are finite and triggers carry no arguments, so a run of triggers from a configuration
can be decided once and remembered, as a single one can. A run is a short cut of `Pipeline` and
nothing else: whoever meets a reply that is not as hoped goes on command by command (`Run.sent`).
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from fsm_smtp.ahead.flight import Flight, Sent
from fsm_smtp.ahead.pipeline import Pipeline
from fsm_smtp.configuration import Configuration
from fsm_smtp.wire import limits

_TEXT = rb"[\t -~]{0,%d}+\r\n" % (limits.MAX_REPLY_LINE - 6)

#: The reply that opens a content.
_OPENED = "reply_354"


class Shape:
    """Triggers in a row, made once (see `shape`): compared by identity.

    Attributes:
        triggers: the triggers.
        opens: whether the last of them opens a content.
        reset: whether RSET goes before the others.
        hoped: matches the replies that are hoped for, each of one tidy line; the group is the last.
    """

    __slots__ = ("hoped", "opens", "reset", "triggers")

    def __init__(self, triggers: tuple[str, ...], *, opens: bool) -> None:
        self.triggers = triggers
        self.opens = opens
        self.reset = triggers[0] == "send_rset" and len(triggers) > 1
        before, last = len(triggers) - 1, b"354 " if opens else b"2[0-5][0-9] "
        pattern = rb"(?:2[0-5][0-9] %b){%d}+(%b%b)" % (_TEXT, before, last, _TEXT)
        self.hoped = re.compile(pattern)


@lru_cache(maxsize=1024)
def shape(rset: bool, mail: str | None, recipients: int, end: str) -> Shape:
    """The shape of an envelope and what follows.

    Args:
        rset: whether RSET comes first.
        mail: the trigger of MAIL; ``None`` for an end of data alone.
        recipients: how many RCPT.
        end: the last trigger.
    """
    first = ("send_rset",) if rset else ()
    envelope = () if mail is None else (mail, *("send_rcpt",) * recipients)
    return Shape((*first, *envelope, end), opens=end == "send_data")


@dataclass(frozen=True, slots=True)
class Run:
    """A shape from one configuration.

    Attributes:
        shape: its triggers.
        begun: the configuration in which the first of them awaits its reply.
        sent: what is outstanding then.
        landed: the configuration once every reply has come, as hoped.
    """

    shape: Shape
    begun: Configuration
    sent: tuple[Sent, ...]
    landed: Configuration

    @property
    def after(self) -> Configuration:
        """The configuration that is expected behind it; what opens a content is not left yet."""
        return self.sent[-1].after


class Runs:
    """The runs of one pipeline, each worked out once."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._known: dict[tuple[Configuration, str | None, Shape], Run | None] = {}
        self._envelopes: dict[tuple[Configuration, str | None, str, int, str], Run | None] = {}
        self._pairs: dict[tuple[Configuration, str, str, int, str], tuple[Run, Run] | None] = {}

    def envelope(
        self, expected: Configuration, last: str | None, mail: str, recipients: int, end: str
    ) -> Run | None:
        """The run of an envelope and what follows it, behind RSET only where MAIL needs that.

        Args:
            expected, last: as for `find`.
            mail, recipients, end: as for `shape`.
        """
        key = (expected, last, mail, recipients, end)
        try:
            return self._envelopes[key]
        except KeyError:
            wanted = (shape(reset, mail, recipients, end) for reset in (False, True))
            runs = (self.find(expected, last, each) for each in wanted)
            found = self._envelopes[key] = next(filter(None, runs), None)
            return found

    def behind(
        self, configuration: Configuration, asked: str, mail: str, recipients: int, end: str
    ) -> tuple[Run, Run] | None:
        """A command that waits for its reply by itself, as a run, and the run behind it.

        Args:
            configuration: where the command waits.
            asked: its trigger.
            mail, recipients, end: as for `envelope`.
        """
        key = (configuration, asked, mail, recipients, end)
        try:
            return self._pairs[key]
        except KeyError:
            now = self._pipeline.resume(configuration, asked, trusted=True)
            run = self.envelope(now.expected, asked, mail, recipients, end)
            alone = Run(shape(False, None, 0, asked), now.confirmed, now.outstanding, now.expected)
            found = self._pairs[key] = None if run is None else (alone, run)
            return found

    def find(self, expected: Configuration, last: str | None, wanted: Shape) -> Run | None:
        """The run of *wanted*, or ``None`` if one of its commands may not be sent.

        Args:
            expected: the configuration if everything that is outstanding succeeds.
            last: the last trigger that is outstanding, if any is.
            wanted: the triggers.
        """
        key = (expected, last, wanted)
        try:
            return self._known[key]
        except KeyError:
            found = self._known[key] = self._worked_out(*key)
            return found

    def _worked_out(self, expected: Configuration, last: str | None, wanted: Shape) -> Run | None:
        pipeline = self._pipeline
        ahead = () if last is None else (Sent(last, False, expected),)
        flight = Flight(expected, ahead)
        for trigger in wanted.triggers:
            if not pipeline.may(flight, trigger):
                return None
            flight = pipeline.send(flight, trigger)
        step = pipeline.machine.step
        begun, landed = step(expected, wanted.triggers[0]).target, flight.expected
        if wanted.opens:
            landed = step(landed, _OPENED).target
        return Run(wanted, begun, flight.outstanding[len(ahead) :], landed)


@lru_cache(maxsize=64)
def runs_of(pipeline: Pipeline) -> Runs:
    """The runs of *pipeline*, kept as long as it is."""
    return Runs(pipeline)
