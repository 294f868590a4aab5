"""The rules of running ahead: what may be sent, what a reply means, who is doomed by it.

The order of commands is the machine's, the columns that bear on groups are the table's; see the
package's docstring for the rules in words.
"""

from functools import lru_cache
from typing import Final

from fsm_smtp.ahead.flight import Answer, Departure, Flight, Hindrance, Sent
from fsm_smtp.configuration import Configuration
from fsm_smtp.errors import CommandRefused
from fsm_smtp.machine import ProtocolMachine, shared_machine
from fsm_smtp.refusal import why_not
from fsm_smtp.table import Trigger
from fsm_smtp.vocabulary import Vocabulary

#: The trigger by which a doomed command takes its turn, unless its own entry names another.
_DOOMED: Final = "doomed_command"
#: A refusal, which is what a doomed command is expected to get.
_REFUSAL_CODE: Final = 550

_GROUPS: Final = "2920 §3.1"


class Pipeline:
    """The rules of running ahead over one machine. Without state of its own; share it."""

    def __init__(self, machine: ProtocolMachine) -> None:
        self.machine = machine
        table = machine.table
        words = Vocabulary(table)
        self._triggers = table.triggers
        self._refusal = words.reply(_REFUSAL_CODE)
        #: By reply trigger: whether it is a success.
        self._success = {
            name: (trigger.digit or trigger.codes[0] // 100) == 2
            for name, trigger in table.triggers.items()
            if trigger.by == "server" and (trigger.digit or trigger.codes)
        }
        #: By client trigger that others may follow: the reply that stands for its success.
        self._hoped = {
            name: words.reply(codes.codes[0])
            for name, trigger in table.triggers.items()
            if trigger.group in ("anywhere", "first") and trigger.replies is not None
            for codes in table.replies[trigger.replies]
            if codes.reply_class == "success"
        }

    def begin(self, configuration: Configuration | None = None) -> Flight:
        """A flight with nothing outstanding, in *configuration* (the start when ``None``)."""
        return Flight(configuration or self.machine.space.start)

    def resume(self, configuration: Configuration, awaited: str | None, *, trusted: bool) -> Flight:
        """The flight of a session of lock-step.

        Args:
            configuration: where the session is.
            awaited: the trigger whose reply it awaits there, if it does.
            trusted: see `Flight`.
        """
        if awaited is None:
            return Flight(configuration, (), False, trusted)
        after = self._hoped_for(configuration, awaited)
        return Flight(configuration, (Sent(awaited, False, after),), False, trusted)

    # -- outgoing --------------------------------------------------------------------------------

    def may(self, flight: Flight, trigger: str) -> bool:
        """Whether the client may send *trigger* now.

        Raises:
            KeyError: there is no such trigger.
        """
        return self.hindrance(flight, trigger) is None

    def hindrance(self, flight: Flight, trigger: str) -> Hindrance | None:
        """Why the client may not send *trigger* now; ``None`` when it may.

        Raises:
            KeyError: there is no such trigger.
        """
        column = self._triggers[trigger]
        if flight.outstanding:
            forbidden = self._hindered_by_group(flight, column)
            if forbidden is not None:
                return forbidden
        expected = flight.expected
        if not self.machine.allows(expected, trigger):
            return Hindrance("order", *why_not(self.machine.table, expected, trigger))
        if column.message in ("within", "ends") and self._last_message_doomed(flight):
            return Hindrance("doomed", "the MAIL of this message was refused", "5321 §3.3")
        return None

    def _hindered_by_group(self, flight: Flight, column: Trigger) -> Hindrance | None:
        last = flight.outstanding[-1]
        if not flight.trusted:
            why = "the server has accepted what should have come to nothing: one command at a time"
            return Hindrance("distrust", why, _GROUPS)
        if self._triggers[last.trigger].group not in ("anywhere", "first"):
            return Hindrance("group", f"the reply to {last.trigger} is awaited", _GROUPS)
        if column.group not in ("anywhere", "last"):
            return Hindrance("group", "it cannot be sent while replies are awaited", _GROUPS)
        if flight.expected["offer_pipelining"] != "yes":
            return Hindrance("pipelining", "the last EHLO did not offer PIPELINING", "2920 §3")
        if column.behind and last.trigger not in column.behind:
            *others, final = column.behind
            names = f"{', '.join(others)} or {final}" if others else final
            why = f"ahead of replies it follows only {names}, else it may join another transaction"
            return Hindrance("behind", why, _GROUPS)
        return None

    def departure(self, flight: Flight, trigger: str) -> Departure | None:
        """What departs from an RFC when *trigger* is sent now, although nothing forbids it."""
        awaited = self._triggers[trigger].awaits
        # Replies come in order: when those of its own message have come, so have all older ones.
        for sent in reversed(flight.outstanding):
            if sent.trigger in awaited:
                why = f"it is sent before the reply to {sent.trigger} has come"
                return Departure(why, self._triggers[trigger].rfc)
        return None

    def send(self, flight: Flight, trigger: str) -> Flight:
        """The flight once *trigger* is sent.

        Raises:
            CommandRefused: it may not be sent now; see `hindrance`.
        """
        hindrance = self.hindrance(flight, trigger)
        if hindrance is not None:
            raise self.refusal(flight, trigger, hindrance)
        column = self._triggers[trigger]
        begun = self.machine.step(flight.expected, trigger).target
        if column.replies is None:
            return Flight(begun, (), flight.doomed, flight.trusted)
        after = self._hoped_for(begun, trigger)
        confirmed = flight.confirmed if flight.outstanding else begun
        outstanding = (*flight.outstanding, Sent(trigger, False, after))
        return Flight(confirmed, outstanding, flight.doomed, flight.trusted)

    def refusal(
        self, flight: Flight, trigger: str, hindrance: Hindrance, command: str | None = None
    ) -> CommandRefused:
        """The typed refusal; *command* is the line it came from, redacted."""
        state = flight.expected.state
        legal = tuple(name for name in self.machine.client_triggers if self.may(flight, name))
        return CommandRefused(
            state, trigger, legal=legal, why=hindrance.why, rfc=hindrance.rfc, command=command
        )

    def _last_message_doomed(self, flight: Flight) -> bool:
        for sent in reversed(flight.outstanding):
            if self._triggers[sent.trigger].message == "begins":
                return sent.doomed
        return flight.doomed

    # -- incoming --------------------------------------------------------------------------------

    def answer(self, flight: Flight, reply: str) -> Answer:
        """What *reply* (a server trigger) does: it answers the oldest outstanding command.

        Raises:
            CommandRefused: there is no connection on which it could come.
        """
        step = self.machine.step(flight.confirmed, reply)
        if step.row is None:
            raise self.machine.refusal(flight.confirmed, reply)
        if not flight.outstanding:
            return Answer(Flight(step.target, (), flight.doomed, flight.trusted), None, step)
        sent, *_ = flight.outstanding
        success = self._success.get(reply, False)
        part = self._triggers[sent.trigger].message
        doomed = flight.doomed
        if part == "begins":
            doomed = sent.doomed or not success
        elif part == "ends":
            doomed = False
        disputed = sent.doomed and success and part != "ends" and step.target["link"] != "closing"
        trusted = flight.trusted and not disputed
        rest = flight.outstanding[1:]
        if step.target is not sent.after or doomed != flight.doomed:
            rest = self._replayed(step.target, rest, doomed=doomed, was_doomed=flight.doomed)
        confirmed = self._turn(step.target, rest[0], doomed=doomed) if rest else step.target
        return Answer(Flight(confirmed, rest, doomed, trusted), sent, step, disputed)

    def end(self, flight: Flight, trigger: str) -> Answer:
        """The connection ends (``eof``, ``close``), or the wait for a reply does (``timeout``).

        What is outstanding stays without a reply; afterwards nothing is.

        Raises:
            CommandRefused: nothing can end that way now.
        """
        step = self.machine.step(flight.confirmed, trigger)
        if step.row is None:
            raise self.machine.refusal(flight.confirmed, trigger)
        sent = flight.outstanding[0] if flight.outstanding else None
        return Answer(Flight(step.target), sent, step)

    def pass_on(self, flight: Flight, trigger: str) -> Flight:
        """Something that is neither a command nor a reply happens while nothing is outstanding:
        an offer is read (``offer_…``, ``offers_end``), or TLS comes up or fails.

        Raises:
            CommandRefused: it cannot happen now.
        """
        step = self.machine.step(flight.confirmed, trigger)
        if step.row is None or flight.outstanding:
            raise self.machine.refusal(flight.confirmed, trigger)
        return Flight(step.target, (), flight.doomed, flight.trusted)

    # -- inside ----------------------------------------------------------------------------------

    def _replayed(
        self,
        configuration: Configuration,
        outstanding: tuple[Sent, ...],
        *,
        doomed: bool,
        was_doomed: bool,
    ) -> tuple[Sent, ...]:
        """What is outstanding, with what *configuration* now makes of it."""
        changed: list[Sent] = []
        for number, old in enumerate(outstanding):
            new = self._expected(configuration, old, message_doomed=doomed)
            if self._triggers[old.trigger].message == "begins":
                doomed, was_doomed = new.doomed, old.doomed
            if new == old and doomed == was_doomed:  # what follows stays as it is, too
                return (*changed, *outstanding[number:])
            changed.append(new)
            configuration = new.after
        return tuple(changed)

    def _expected(self, configuration: Configuration, sent: Sent, *, message_doomed: bool) -> Sent:
        column = self._triggers[sent.trigger]
        doomed = (
            sent.doomed
            or (message_doomed and column.message in ("within", "ends"))
            or not self.machine.allows(configuration, sent.trigger)
        )
        new = Sent(sent.trigger, doomed, configuration)
        begun = self._turn(configuration, new, doomed=message_doomed)
        if doomed:
            return new._replace(after=self.machine.step(begun, self._refusal).target)
        return new._replace(after=self._hoped_for(begun, sent.trigger))

    def _hoped_for(self, begun: Configuration, trigger: str) -> Configuration:
        """Where the success of *trigger*, in flight in *begun*, leads."""
        hoped = self._hoped.get(trigger)
        return begun if hoped is None else self.machine.step(begun, hoped).target

    def _turn(self, configuration: Configuration, sent: Sent, *, doomed: bool) -> Configuration:
        """*configuration* once *sent* has taken its turn; *doomed* says whether its message is."""
        step = self.machine.step
        if not sent.doomed:
            return step(configuration, sent.trigger).target
        column = self._triggers[sent.trigger]
        if column.barren is not None and not doomed:
            barren = step(configuration, column.barren)
            if barren.row is not None:
                return barren.target
        return step(configuration, column.doomed or _DOOMED).target  # when all is over: unchanged


@lru_cache(maxsize=64)
def pipeline_of(machine: ProtocolMachine) -> Pipeline:
    """The pipeline over *machine*, made once."""
    return Pipeline(machine)


def shared_pipeline(overlays: tuple[str, ...] = ()) -> Pipeline:
    """The pipeline over `shared_machine`; built on first use, then shared."""
    return pipeline_of(shared_machine(overlays))
