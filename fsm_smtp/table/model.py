"""The table as frozen dataclasses: what was written, and what it says once names are resolved."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from fsm_smtp.table.guard import Guard
from fsm_smtp.table.properties import Flag, Property
from fsm_smtp.table.server_model import Server

Party = Literal["client", "server", "link", "ahead"]
Group = Literal["anywhere", "last", "first"]
RepliesExpected = Literal["one", "per_recipient"]
Part = Literal["begins", "within", "ends"]
ReplyClass = Literal["intermediate", "success", "error"]


@dataclass(frozen=True, slots=True)
class State:
    """One of the states. `value` is the number of Microsoft's SMTPCOMMAND."""

    name: str
    value: int
    means: str
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the memory: each value with its sentence; the first is the start value."""

    name: str
    values: Mapping[str, str]

    @property
    def domain(self) -> tuple[str, ...]:
        """The values, in the order written."""
        return tuple(self.values)

    @property
    def start(self) -> str:
        """The value in the start configuration."""
        return next(iter(self.values))


@dataclass(frozen=True, slots=True)
class Trigger:
    """Something that happens: the client sends, the server replies, the link comes up or breaks.

    By ``ahead``: a command that was sent ahead of replies takes its turn, and has come to nothing.

    A client trigger may name the command line it stands for (`verb`, narrowed by `argument` or
    `parameter`), the key under which its replies are listed (`replies`), how many seconds the
    client waits at least (`wait`, RFC 5321 §4.5.3.2), where it may stand in a command group
    (`group`, RFC 2920 §3.1), and whether it gets one reply or one for each recipient that was
    accepted (`replies_expected`, RFC 2033 §4.2); what it is to a `message`, which outstanding
    commands alone it may directly follow (`behind`; empty for any), the replies to which commands
    of its message it `awaits`, and by which trigger it takes its turn when its message has come to
    nothing (`doomed`) or has no recipient (`barren`). A server trigger names the replies it stands
    for by `codes`, or by first `digit`, or the EHLO `keyword` it reports.
    """

    name: str
    by: Party
    means: str
    rfc: str
    verb: str | None = None
    argument: str | None = None
    parameter: str | None = None
    replies: str | None = None
    wait: int | None = None
    group: Group | None = None
    replies_expected: RepliesExpected = "one"
    message: Part | None = None
    behind: tuple[str, ...] = ()
    awaits: tuple[str, ...] = ()
    doomed: str | None = None
    barren: str | None = None
    codes: tuple[int, ...] = ()
    digit: int | None = None
    keyword: str | None = None
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Restriction:
    """A guard that an overlay adds to rows, and the section it stands on."""

    rows: tuple[str, ...]
    when: Guard
    rfc: str


@dataclass(frozen=True, slots=True)
class Row:
    """A written row, the guard and source of its group included, names of sets resolved.

    `dest` is a state, ``same``, or ``$variable``. In `sets` a value may be ``$source``.
    `forgets` are the variables that take their start values before `sets` applies. `when`
    includes the guards that overlays added, which `restrictions` keeps apart for explanations.
    `ahead`: only running ahead reaches it.
    """

    id: str
    about: str
    triggers: tuple[str, ...]
    sources: tuple[str, ...]
    when: Guard
    dest: str
    forgets: tuple[str, ...]
    sets: tuple[tuple[str, str], ...]
    rfc: str
    violation: Literal["client", "server"] | None = None
    note: str | None = None
    ahead: bool = False
    restrictions: tuple[Restriction, ...] = ()
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Move:
    """A row for one trigger and one source, with nothing left to resolve."""

    row: Row
    trigger: str
    source: str
    when: Guard
    dest: str
    effect: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Goal:
    """What must stay reachable, from where, and without which triggers."""

    id: str
    says: str
    start: Guard
    trigger: str
    source: str | None
    without: tuple[str, ...]
    rfc: str


@dataclass(frozen=True, slots=True)
class Always:
    """Triggers that have a row in every reachable configuration where the guard holds."""

    id: str
    says: str
    when: Guard
    triggers: tuple[str, ...]
    rfc: str


@dataclass(frozen=True, slots=True)
class Codes:
    """The reply codes that one section lists for a command, in one class."""

    reply_class: ReplyClass
    codes: tuple[int, ...]
    rfc: str


def _no_server(_table: "Table") -> None:
    """Of a table that does not say what a server owes."""


@dataclass(frozen=True)
class Table:
    """A complete, checked table. Build it with `fsm_smtp.table.load_table`.

    `rows` and `triggers` are those of lock-step; what only running ahead (RFC 2920) reaches stands
    apart, and `whole` has both.
    """

    name: str
    path: str
    rfcs: Mapping[str, str]
    states: Mapping[str, State]
    variables: Mapping[str, Variable]
    triggers: Mapping[str, Trigger]
    rows: tuple[Row, ...]
    goals: tuple[Goal, ...]
    always: tuple[Always, ...]
    replies: Mapping[str, tuple[Codes, ...]]
    overlays: tuple[str, ...] = ()
    flags: Mapping[str, Flag] = field(default_factory=dict[str, Flag])
    properties: tuple[Property, ...] = ()
    ahead_rows: tuple[Row, ...] = ()
    ahead_triggers: Mapping[str, Trigger] = field(default_factory=dict[str, Trigger])
    read_server: "Callable[[Table], Server | None]" = field(
        default=_no_server, repr=False, compare=False
    )

    @cached_property
    def server(self) -> Server | None:
        """What a server owes; ``None`` in a table that does not say it.

        It is read when it is first asked for: few ask, and it is a third of the file.

        Raises:
            SpecError: the section has a mistake, or contradicts the client's rows.
        """
        return self.read_server(self)

    @cached_property
    def whole(self) -> "Table":
        """This table with the rows and triggers of running ahead among the others."""
        return replace(
            self,
            rows=self.rows + self.ahead_rows,
            triggers={**self.triggers, **self.ahead_triggers},
            ahead_rows=(),
            ahead_triggers={},
        )

    @cached_property
    def moves(self) -> tuple[Move, ...]:
        """Every row for each of its triggers and sources, in the order written."""
        return tuple(move for row in self.rows for move in expand(row, self))

    @cached_property
    def moves_by_source(self) -> Mapping[str, Mapping[str, tuple[Move, ...]]]:
        """State → trigger → moves."""
        index: dict[str, dict[str, list[Move]]] = {name: {} for name in self.states}
        for move in self.moves:
            index[move.source].setdefault(move.trigger, []).append(move)
        return {
            state: {trigger: tuple(moves) for trigger, moves in by_trigger.items()}
            for state, by_trigger in index.items()
        }

    @cached_property
    def moves_by_trigger(self) -> Mapping[str, tuple[Move, ...]]:
        """Trigger → moves; also for a trigger that no row has."""
        index: dict[str, list[Move]] = {name: [] for name in self.triggers}
        for move in self.moves:
            index[move.trigger].append(move)
        return {trigger: tuple(moves) for trigger, moves in index.items()}

    @property
    def start_state(self) -> str:
        """The state in which every session begins: the first one."""
        return next(iter(self.states))

    @cached_property
    def start_memory(self) -> tuple[str, ...]:
        """The start value of each variable, in the order of `variables`."""
        return tuple(variable.start for variable in self.variables.values())

    def client_triggers(self) -> tuple[str, ...]:
        """The names of the client's triggers, in the order written."""
        return tuple(name for name, trigger in self.triggers.items() if trigger.by == "client")

    def describe(self, variable: str, value: str) -> str:
        """The sentence that the table gives for this value."""
        return self.variables[variable].values[value]


def expand(row: Row, table: Table) -> list[Move]:
    """The moves of one written row: ``same``, ``$variable`` and ``$source`` resolved."""
    moves: list[Move] = []
    for source in row.sources:
        effect = {name: table.variables[name].start for name in row.forgets}
        effect.update((name, source if v == "$source" else v) for name, v in row.sets)
        for trigger in row.triggers:
            for when, dest in _destinations(row, source, table):
                moves.append(Move(row, trigger, source, when, dest, tuple(effect.items())))
    return moves


def _destinations(row: Row, source: str, table: Table) -> list[tuple[Guard, str]]:
    if not row.dest.startswith("$"):
        return [(row.when, source if row.dest == "same" else row.dest)]
    variable = row.dest[1:]
    guard = dict(row.when)
    held = guard.pop(variable, table.variables[variable].domain)
    return [
        ((*guard.items(), (variable, (value,))), value) for value in held if value in table.states
    ]
