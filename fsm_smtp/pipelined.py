"""The gate when running ahead (RFC 2920): commands leave before the replies to others have come.

A `PipelinedSession` is a `Session` that can do one thing more: `send_ahead`. What it has sent so
waits in a flight (`fsm_smtp.ahead`); each reply is judged for the oldest command, and the session's
configuration is the confirmed one. With nothing sent ahead it is the session of lock-step.
"""

from collections import deque
from collections.abc import Sequence

from fsm_smtp.ahead import Flight, Pipeline, Run, Sent, Shape, pipeline_of, runs_of
from fsm_smtp.configuration import Configuration
from fsm_smtp.errors import ConnectionLost, ReplyTimeout, UnexpectedReply
from fsm_smtp.event import Event, Observer
from fsm_smtp.machine import ProtocolMachine
from fsm_smtp.session import Session
from fsm_smtp.wire import Command, Reply
from fsm_smtp.wire.commands import rset

__all__ = ["PipelinedSession"]


class PipelinedSession(Session):
    """One session of an SMTP client that may run ahead, without I/O.

    Args:
        machine: the protocol; the shared machine of the shipped table when ``None``.
        observer: called with an `Event` for everything that happens.
    """

    def __init__(
        self, machine: ProtocolMachine | None = None, *, observer: Observer | None = None
    ) -> None:
        super().__init__(machine, observer=observer)
        self._pipeline: Pipeline = pipeline_of(self._machine)
        self._flight: Flight | None = None  # while anything has been sent ahead
        # What was sent in runs, in place of the flight, as long as every reply is as hoped.
        self._known_runs = runs_of(self._pipeline)
        self._runs: deque[tuple[Run, Sequence[Command | str | None]]] = deque()
        self._in_runs = 0
        self._commands: deque[Command | str | None] = deque()  # beside what is outstanding
        #: Whether the server has never accepted a doomed command on this connection.
        self.trusted = True
        #: What the last reply answered, if that was sent ahead.
        self.answered: Sent | None = None

    # -- what is so ------------------------------------------------------------------------------

    @property
    def outstanding(self) -> int:
        """How many commands wait for their replies."""
        if self._runs:
            return self._in_runs
        if self._flight is not None:
            return len(self._flight.outstanding)
        return int(self._asked is not None)

    @property
    def last_command(self) -> str | None:
        """The last command that was sent, redacted; of several that wait, the oldest."""
        self.spread()
        if self._commands:
            oldest = self._commands[0]
            return oldest.redacted if isinstance(oldest, Command) else oldest
        return super().last_command

    def may_ahead(self, trigger: str) -> bool:
        """Whether *trigger* may be sent now, ahead of the replies that are awaited."""
        return self._pipeline.may(self._now(), trigger)

    # -- outgoing --------------------------------------------------------------------------------

    def connect(self, *, tls: bool = False) -> None:
        """The connection is open. See `Session.connect`."""
        super().connect(tls=tls)
        self._land()
        self.trusted = True

    def send_ahead(self, command: Command) -> bytes:
        """The octets of *command*, if it may be sent ahead of the replies that are awaited.

        Raises:
            CommandRefused: it may not; nothing has changed.
        """
        trigger = self._words.command(command)
        flight = self._now()
        hindrance = self._pipeline.hindrance(flight, trigger)
        if hindrance is not None:
            raise self._pipeline.refusal(flight, trigger, hindrance, command.redacted)
        if self._flight is None and self._asked is not None:
            self._commands.append(self._last)
        self._flight = self._pipeline.send(flight, trigger)
        self._commands.append(command)
        self._machine.follow(self._model, self._flight.confirmed)
        self._encoder = None
        self._asked = self._flight.outstanding[0].trigger
        self._last = command
        if command.verb == "MAIL":
            self.mails += 1
        if self._observer is not None:
            self._tell_sent(command, flight.expected, trigger)
        return command.line

    def send_run(
        self, mail: str, recipients: int, end: str, commands: Sequence[Command]
    ) -> Shape | None:
        """An envelope and what follows: what `send_ahead` does for each, at the price of one.

        Args:
            mail: the trigger of MAIL.
            recipients: how many RCPT follow it.
            end: the trigger of what follows them.
            commands: all these commands; the caller has their octets, and may add the last one
                afterwards.

        Returns:
            what may be sent: just these, or RSET before them. ``None`` if they may not be sent, or
            anything stands against taking them together: then nothing has changed.
        """
        if self._flight is not None or self._observer is not None or not self.trusted:
            return None
        runs = self._runs
        if runs:
            last = runs[-1][0]
            trigger = last.shape.triggers[-1]
            run = self._known_runs.envelope(last.after, trigger, mail, recipients, end)
        else:
            run = self._first_run(mail, recipients, end)
        if run is None:
            return None
        shape = run.shape
        if not runs:
            self._machine.follow(self._model, run.begun)
            self._asked = shape.triggers[0]
        runs.append((run, commands))
        self._in_runs += len(shape.triggers)
        self.mails += 1
        return shape

    def _first_run(self, mail: str, recipients: int, end: str) -> Run | None:
        """The run, when no other is in the air; an end of data becomes one that goes before it."""
        known, now = self._known_runs, self._model.configuration
        if self._asked is None:
            return known.envelope(now, None, mail, recipients, end)
        pair = known.behind(now, self._asked, mail, recipients, end)
        if pair is None:
            return None
        before, run = pair
        self._runs.append((before, (self._last,)))
        self._in_runs = 1
        return run

    def spread(self) -> None:
        """What was sent in runs is outstanding command by command from now on."""
        if self._runs:
            sent: list[Sent] = []
            for run, commands in self._runs:
                sent.extend(run.sent)
                if run.shape.reset:
                    self._commands.append(rset())
                self._commands.extend(commands)
            self._flight = Flight(self.configuration, tuple(sent), False, self.trusted)
            self._runs.clear()
            self._in_runs = 0

    # -- incoming --------------------------------------------------------------------------------

    def next_run(self) -> bytes | bool:
        """The replies to the oldest run, when all are here and as hoped: the last one's line.

        Returns:
            the line; False when they are not all here; True when they are not as hoped, or nothing
            was sent in runs: then `next_reply` has to be asked. (`spread` comes first.)
        """
        if not self._runs:
            return True
        run, _ = self._runs[0]
        count = len(run.sent)
        line = self._parser.take(run.shape.hoped, count)
        if not isinstance(line, bytes):
            return line
        self._runs.popleft()
        self._in_runs -= count
        if self._runs:
            following, _ = self._runs[0]
            self._machine.follow(self._model, following.begun)
            self._asked = following.shape.triggers[0]
        else:
            self._machine.follow(self._model, run.landed)
            self._asked = None
        return line

    def eof(self) -> ConnectionLost | None:
        """The server closed the connection. See `Session.eof`."""
        self.spread()
        error = super().eof()
        self._land()
        return error

    def timeout(self, seconds: float) -> ReplyTimeout:
        """No reply in time. See `Session.timeout`."""
        self.spread()
        error = super().timeout(seconds)
        self._land()
        return error

    def close(self) -> None:
        """The connection was closed on our side. See `Session.close`."""
        super().close()
        self._land()

    # -- inside ----------------------------------------------------------------------------------

    def _now(self) -> Flight:
        """The flight, also when nothing has been sent ahead yet."""
        self.spread()
        if self._flight is not None:
            return self._flight
        return self._pipeline.resume(self.configuration, self._asked, trusted=self.trusted)

    def _land(self) -> None:
        """Nothing is in the air any more."""
        self._runs.clear()
        self._in_runs = 0
        self._flight = None
        self._commands.clear()

    def _judge(self, reply: Reply) -> Reply:
        self.spread()
        if self._flight is None:
            self.answered = None
            return super()._judge(reply)
        trigger = self._words.reply(reply.code)
        before, command = self._model.configuration, self.last_command
        answer = self._pipeline.answer(self._flight, trigger)
        sent, self.answered = answer.sent, answer.sent
        self._machine.follow(self._model, answer.flight.confirmed)
        self._commands.popleft()
        self.trusted = answer.flight.trusted
        row = answer.step.row
        assert row is not None
        assert sent is not None
        if self._observer is not None:
            notes = self._notes(reply, sent.trigger)
            noted = (row.note, *notes) if row.note else notes
            after = answer.step.target.state
            event = Event("S", str(reply), before.state, after, trigger, row.id, noted, reply)
            self._observer(event)
        if answer.flight.outstanding:
            self._flight = answer.flight
            self._asked = answer.flight.outstanding[0].trigger
        else:
            self._land()
            self._asked = None
        if row.violation:
            raise UnexpectedReply(
                before.state, command, str(reply), why=row.note or "", rfc=row.rfc
            )
        return reply

    def _tell_sent(self, command: Command, before: Configuration, trigger: str) -> None:
        assert self._observer is not None
        step = self._machine.step(before, trigger)
        assert step.row is not None
        after = step.target.state
        told = Event("C", command.redacted, before.state, after, trigger, step.row.id)
        self._observer(told)
