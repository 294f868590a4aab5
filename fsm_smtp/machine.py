"""The machine. THIS IS THE ONLY FILE THAT CHANGES A STATE.

Every change of a session's state or memory goes through one `transitions` machine, which is built
from the table, shared by all sessions, and frozen once it is built. Nothing here knows the order
of SMTP either: a transition's guard and effect are the row's own data.

How it works. A session's `Model` holds its configuration. `ProtocolMachine.fire` hands the model
to the event of that name. Configurations are finite and triggers carry no arguments, so an event
needs to let `transitions` decide each configuration only once: `MemoEvent` remembers the verdict.
A test holds the memo, the stock library and an independent reading of the YAML against each other
on every pair of configuration and trigger.

A trigger is refused when the library raises `MachineError` (the state has no such row) and when
it returns False (a guard fails). Both become `CommandRefused`, and nothing has changed.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NoReturn, cast

from transitions import Event, EventData, Machine, MachineError, State, Transition

from fsm_smtp.configuration import Configuration, ConfigurationSpace
from fsm_smtp.refusal import refusal
from fsm_smtp.table import Move, Row, Table, load_table
from fsm_smtp.yaml_source import nearest


@dataclass(frozen=True, slots=True)
class Step:
    """The machine's verdict on a trigger in a configuration.

    Attributes:
        row: the row that fires; ``None`` when the trigger is refused.
        target: the configuration afterwards; the same one when the trigger is refused.
    """

    row: Row | None
    target: Configuration


class Model:
    """What `transitions` drives: one session's configuration. No method has a trigger's name."""

    __slots__ = ("configuration", "space", "step")

    def __init__(self, configuration: Configuration, space: ConfigurationSpace) -> None:
        self.configuration = configuration
        self.space = space
        #: The last step taken.
        self.step = Step(None, configuration)

    @property
    def state(self) -> str:
        """The name of the state; the attribute that `transitions` reads and sets."""
        return self.configuration.state

    @state.setter
    def state(self, name: str) -> None:
        self.configuration = self.space.intern(name, self.configuration.memory)


class _Guard:
    """A row's `when` as a condition of the library."""

    __slots__ = ("_tests",)

    def __init__(self, move: Move, space: ConfigurationSpace) -> None:
        self._tests = tuple((space.place(name), values) for name, values in move.when)

    def __call__(self, event: EventData) -> bool:
        model = event.model
        assert isinstance(model, Model)
        memory = model.configuration.memory
        return all(memory[place] in values for place, values in self._tests)


class _Effect:
    """A row's `forget` and `set` as a callback of the library."""

    __slots__ = ("_changes", "_row")

    def __init__(self, move: Move, space: ConfigurationSpace) -> None:
        self._changes = tuple((space.place(name), value) for name, value in move.effect)
        self._row = move.row

    def __call__(self, event: EventData) -> None:
        model = event.model
        assert isinstance(model, Model)
        model.configuration = model.space.changed(model.configuration, self._changes)
        model.step = Step(self._row, model.configuration)


def _refuse_change(what: str) -> NoReturn:
    raise TypeError(f"the machine is frozen: {what} would change the protocol for every session")


class _Freezable:
    """Part of a machine. Once frozen it keeps its attributes, and its lists become tuples."""

    frozen = False

    def freeze(self) -> None:
        for name, value in list(vars(self).items()):
            if isinstance(value, list):
                setattr(self, name, tuple(cast("list[object]", value)))
        self.frozen = True

    def __setattr__(self, name: str, value: object) -> None:
        if self.frozen:
            _refuse_change(f"setting {name}")
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        _refuse_change(f"deleting {name}")


class _FrozenState(_Freezable, State):
    def add_callback(self, trigger: str, func: Any) -> None:
        _refuse_change("a callback on a state")


class _FrozenTransition(_Freezable, Transition):
    def add_callback(self, trigger: str, func: Any) -> None:
        _refuse_change("a callback on a transition")


class ArgumentFreeEvent(_Freezable, Event):
    """An event that takes no arguments and cannot be changed once its machine is frozen."""

    def freeze(self) -> None:
        """Freeze the event and its transitions."""
        by_source: dict[str, tuple[_FrozenTransition, ...]] = {}
        for source, transitions in self.transitions.items():
            by_source[source] = tuple(cast("list[_FrozenTransition]", transitions))
            for transition in by_source[source]:
                transition.freeze()
        self.transitions = cast("Any", MappingProxyType(by_source))
        super().freeze()

    @property
    def protocol(self) -> "ProtocolMachine":
        """The machine, by its own type."""
        assert isinstance(self.machine, ProtocolMachine)
        return self.machine

    def add_transition(self, transition: Transition) -> None:
        """Add a transition, while the machine is being built.

        Raises:
            TypeError: the machine is frozen.
        """
        if self.frozen:
            _refuse_change("a transition")
        super().add_transition(transition)

    def add_callback(self, trigger: str, func: Any) -> None:
        """Refuse.

        Raises:
            TypeError: always.
        """
        _refuse_change("a callback on an event")

    def trigger(self, model: Any, *args: object, **kwargs: object) -> bool:
        """Let the library decide and move the model.

        Raises:
            TypeError: an argument was given; then one session would inherit another's.
        """
        if args or kwargs:
            raise TypeError(
                f"{self.name} takes no arguments: what content decides is its own trigger"
            )
        return super().trigger(model)


class MemoEvent(ArgumentFreeEvent):
    """An event that asks the library once for each configuration, and remembers its verdict."""

    def __init__(self, name: str, machine: Machine) -> None:
        super().__init__(name, machine)
        self._steps: dict[Configuration, Step] = {}

    def trigger(self, model: Any, *args: object, **kwargs: object) -> bool:
        """Move the model as the library would, or return False.

        Raises:
            TypeError: an argument was given.
        """
        if args or kwargs:
            return super().trigger(model, *args, **kwargs)
        step = self._steps.get(model.configuration) or self.step(model.configuration)
        if step.row is None:
            return False
        model.step = step
        model.configuration = step.target
        return True

    def step(self, configuration: Configuration) -> Step:
        """The verdict, without moving anything."""
        found = self._steps.get(configuration)
        if found is None:
            scratch = Model(configuration, self.protocol.space)
            with suppress(MachineError):  # the state has no such row: refused
                super().trigger(scratch)
            found = self._steps.setdefault(configuration, scratch.step)
        return found


class ProtocolMachine(_Freezable, Machine):
    """The shared machine of a table. Frozen after building: adding to it raises TypeError."""

    state_cls = _FrozenState
    transition_cls = _FrozenTransition
    event_cls: type[Event] = MemoEvent

    def __init__(self, table: Table) -> None:
        self.table = table
        whole = table.whole
        self._allowed: dict[Configuration, dict[str, bool]] = {}
        self.space = ConfigurationSpace(table)
        super().__init__(
            model=None,
            states=list(table.states),
            initial=table.start_state,
            send_event=True,
            auto_transitions=False,
        )
        for name in whole.triggers:  # also those whose rows an overlay has dropped
            self.events[name] = self._create_event(name, self)
        for move in whole.moves:
            self.add_transition(
                move.trigger,
                move.source,
                move.dest,
                conditions=[_Guard(move, self.space)],
                after=[_Effect(move, self.space)],
            )
        self.client_triggers = table.client_triggers()
        self.freeze()

    # -- what a session asks ---------------------------------------------------------------------

    def new_model(self) -> Model:
        """A model in the start configuration."""
        return Model(self.space.start, self.space)

    def fire(self, model: Model, trigger: str) -> Step:
        """Move *model* by *trigger*, or refuse and change nothing.

        Raises:
            CommandRefused: the table has no row for this trigger in this configuration.
            ValueError: there is no such trigger.
        """
        try:
            event = self.events[trigger]
        except KeyError:
            raise self._unknown(trigger) from None
        if event.trigger(model):
            return model.step
        raise self.refusal(model.configuration, trigger)

    def follow(self, model: Model, configuration: Configuration) -> None:
        """Move *model* to where steps of this machine have led (see `step`).

        Raises:
            ValueError: the configuration is another machine's.
        """
        if self.space.intern(configuration.state, configuration.memory) is not configuration:
            raise ValueError(f"{configuration!r} is no configuration of this machine")
        model.configuration = configuration

    def step(self, configuration: Configuration, trigger: str) -> Step:
        """What *trigger* would do in *configuration*.

        Raises:
            ValueError: there is no such trigger.
        """
        event = self.events.get(trigger)
        if not isinstance(event, MemoEvent):
            raise self._unknown(trigger)
        return event.step(configuration)

    def allows(self, configuration: Configuration, trigger: str) -> bool:
        """Whether *trigger* can happen in *configuration*.

        Raises:
            ValueError: there is no such trigger.
        """
        try:
            return self._allowed[configuration][trigger]
        except KeyError:
            known = self.step(configuration, trigger).row is not None
        self._allowed.setdefault(configuration, {})[trigger] = known
        return known

    def legal(self, configuration: Configuration) -> tuple[str, ...]:
        """The client triggers that are legal in *configuration*, in the table's order."""
        return tuple(
            name for name in self.client_triggers if self.step(configuration, name).row is not None
        )

    def refusal(
        self, configuration: Configuration, trigger: str, command: str | None = None
    ) -> Exception:
        """The error that says why *trigger* is refused in *configuration*.

        Args:
            configuration: where it is refused.
            trigger: what is refused.
            command: the command line it came from, redacted.
        """
        legal = self.legal(configuration)
        return refusal(self.table, configuration, trigger, legal=legal, command=command)

    def _unknown(self, trigger: str) -> ValueError:
        near = nearest(trigger, self.events)
        hint = f"; did you mean {near}?" if near else ""
        return ValueError(f"{trigger!r} is no trigger of the table {self.table.name}{hint}")

    # -- frozen ----------------------------------------------------------------------------------

    def freeze(self) -> None:
        """Freeze the machine, its states and its events."""
        states = cast("dict[str, _FrozenState]", dict(self.states))
        events = cast("dict[str, ArgumentFreeEvent]", dict(self.events))
        for part in (*states.values(), *events.values()):
            part.freeze()
        self.states = cast("Any", MappingProxyType(states))
        self.events = cast("Any", MappingProxyType(events))
        super().freeze()

    def __getattr__(self, name: str) -> Any:
        # The library makes callback adders out of unknown names here.
        raise AttributeError(f"the machine has no attribute {name!r}")

    def add_transition(self, *args: Any, **kwargs: Any) -> None:
        """Add a transition, while the machine is being built.

        Raises:
            TypeError: the machine is frozen.
        """
        if self.frozen:
            _refuse_change("a transition")
        super().add_transition(*args, **kwargs)

    def add_states(self, *args: Any, **kwargs: Any) -> None:
        """Add states, while the machine is being built.

        Raises:
            TypeError: the machine is frozen.
        """
        if self.frozen:
            _refuse_change("a state")
        super().add_states(*args, **kwargs)

    def add_model(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: models are driven by `fire`, the library keeps no list of them.

        Raises:
            TypeError: always.
        """
        _refuse_change("a model of the library's own")

    def remove_transition(self, *args: Any, **kwargs: Any) -> None:
        """Refuse.

        Raises:
            TypeError: always.
        """
        _refuse_change("removing a transition")


@lru_cache(maxsize=16)
def shared_machine(overlays: tuple[str, ...] = ()) -> ProtocolMachine:
    """The machine of the shipped table, with shipped overlays; built on first use, then shared."""
    return ProtocolMachine(load_table(overlays=overlays))


def stock_machine(table: Table) -> "ProtocolMachine":
    """A machine of the same table on the library's own events, without the memo."""
    return _StockMachine(table)


class _StockMachine(ProtocolMachine):
    event_cls = ArgumentFreeEvent


__all__ = ["Model", "ProtocolMachine", "Step", "shared_machine", "stock_machine"]
