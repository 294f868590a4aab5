"""The table in Promela, the language of the model checker `spin`: a second opinion.

One process, one loop, one ``d_step`` for each written row and trigger. Searched without a claim,
spin stores one state for each reachable configuration and takes one transition for each edge: the
numbers that `fsm_smtp.verify` finds. Switches add variables: ``-DLAST`` the last trigger,
``-DHISTORY`` the history that properties speak of, ``-DCLAIMS`` both, whose violation the last
event was, and a claim for each property; ``-DREFUTED`` in place of these the claims that must be
refuted (`fsm_smtp.export.promela_claims`).

The rows are read as written; neither the verifier nor the machine has a hand in it.
"""

from collections.abc import Collection, Iterator, Sequence

from fsm_smtp.errors import SpecError
from fsm_smtp.export.names import Names
from fsm_smtp.export.promela_claims import Claim, ClaimWriter
from fsm_smtp.export.promela_history import HistoryWriter
from fsm_smtp.export.promela_text import (
    CONTINUED,
    RESERVED,
    comment,
    one_of,
    pieces,
    plain,
    wrapped,
)
from fsm_smtp.table import Row, Table, Trigger

#: How many values a Promela enumeration can have: a byte's, without 0, which is none of them.
MOST_VALUES = 255

_HEADER = """\
 *
 * Each configuration (a state, and the values of the variables) is one state here, and each row
 * one option of the loop for each of its triggers.
 *
 *   spin -o2 -a FILE && cc -O1 -DNOREDUCE -DSAFETY -o pan pan.c && ./pan -m1000000
 *
 * stores one state for each reachable configuration (without -o2, spin leaves out variables that
 * no guard reads). With `spin -DLAST -o2 -a FILE` the last trigger is remembered, and there is a
 * state for each configuration and trigger that leads to it, and one for the start. The claims:
 *
 *   spin -DCLAIMS -o2 -a FILE && cc -O0 -DNOREDUCE -o pan pan.c && ./pan -m1000000 -a -N CLAIM
 *
 * finds no error, whichever claim; with -DREFUTED there are others, of which each has one. (spin
 * has room for 255 claims at a time. With -O1 the compiler takes minutes.)
 */"""

_SWITCHES = """
#ifdef REFUTED
#define CLAIMS
#endif

#ifdef CLAIMS
#define LAST
#define HISTORY
mtype:party = { nobody, client, server };
mtype:party culprit = nobody;  /* whose violation the last event was */
#define blame(who) culprit = who
#else
#define blame(who) skip
#endif

#ifdef LAST
mtype:trigger ev = nothing;  /* the last event */
#define last(trigger) ev = trigger
#else
#define last(trigger) skip
#endif
"""


def to_promela(table: Table, properties: Collection[str] | None = None) -> str:
    """The whole table as one Promela text.

    Args:
        table: what to write.
        properties: ids of the properties (and entries of ``always``) to claim, with the part of
            the history that they need; all when ``None``.

    Raises:
        SpecError: the table has more than `MOST_VALUES` states and values, or triggers.
    """
    return "\n".join(_Writer(table, properties).lines()) + "\n"


def promela_claims(table: Table, properties: Collection[str] | None = None) -> tuple[Claim, ...]:
    """The claims in that text, and whether each must hold or be refuted.

    Raises:
        SpecError: the table has more than `MOST_VALUES` states and values, or triggers.
    """
    return _Writer(table, properties).claims


class _Writer:
    """Names everything in the table, and writes it."""

    def __init__(self, table: Table, properties: Collection[str] | None) -> None:
        self.table = table
        self.names = Names(RESERVED)
        self._values = [self.names.give("state", state) for state in table.states]
        for name in table.variables:
            self.names.give("variable", name)
        self._triggers = [self.names.give("trigger", trigger) for trigger in table.triggers]
        for variable in table.variables.values():
            for value in variable.domain:
                # A variable that holds a state holds the state's own value, to be assigned.
                if value not in table.states:
                    kind = f"value of {variable.name}"
                    self._values.append(self.names.give(kind, value, f"{variable.name}_{value}"))
        for trigger in table.triggers:
            self.names.give("event", trigger, f"on_{trigger}")
            self.names.give("can", trigger, f"can_{trigger}")
        for row in table.rows:
            self.names.give("row", row.id, f"row_{row.id}")
        # one value more of each: nowhere, nothing
        for what, given in (("states and values", self._values), ("triggers", self._triggers)):
            if len(given) + 1 > MOST_VALUES:
                problem = f"Promela has room for {MOST_VALUES - 1} {what}; there are {len(given)}"
                raise SpecError(table.path, 1, 1, problem)
        chosen = [one for one in table.properties if properties is None or one.id in properties]
        always = [one for one in table.always if properties is None or one.id in properties]
        self.history = HistoryWriter(table, self.names, None if properties is None else chosen)
        self.claim_writer = ClaimWriter(table, self.names, self.history, self.has)
        self.claim_writer.mark(chosen)
        self.claims = tuple(self.claim_writer.claims(chosen, always))

    def lines(self) -> Iterator[str]:
        """The text, line by line."""
        laid = "".join(f" + {name}" for name in self.table.overlays)
        yield f"/* {plain(self.table.name + laid)}: what may happen next in an SMTP session."
        yield from _HEADER.splitlines()
        yield from self._declarations()
        for trigger in self.table.triggers.values():
            yield from self._event(trigger)
        yield ""
        yield "active proctype session() {"
        yield "end:"
        yield "  do"
        about = None
        for row in self.table.rows:
            if row.about != about:
                about = row.about
                yield ""
                yield f"  /* ---- {plain(about)} ---- */"
            yield from self._row(row)
        yield from self._stuck()
        yield "  od"
        yield "}"
        yield from self._claims()

    # -- parts -----------------------------------------------------------------------------------

    def _declarations(self) -> Iterator[str]:
        table = self.table
        yield ""
        yield "/* the states, and the values of the variables */"
        yield from wrapped("mtype:config = { ", [*self._values, "nowhere"], ", ", " };")
        yield "/* what may happen: by the client, by the server, by the link between them */"
        yield from wrapped("mtype:trigger = { ", [*self._triggers, "nothing"], ", ", " };")
        yield ""
        yield f"mtype:config state = {self.names.of('state', table.start_state)};"
        for variable in table.variables.values():
            start = self._value(variable.name, variable.start)
            yield f"mtype:config {self.names.of('variable', variable.name)} = {start};"
        if any(_swaps(row) for row in table.rows):
            yield "hidden mtype:config before;  /* the state that a row fires from */"
        yield from _SWITCHES.splitlines()
        marks = list(self.claim_writer.declarations())
        if marks:
            yield from ["", "#ifdef CLAIMS", *marks, "#endif"]
        yield ""
        yield "#ifdef HISTORY"
        yield from self.history.declarations()
        yield "#endif"
        yield ""
        forgets = [self._forget(name) for name in table.variables]
        yield from wrapped("inline forget_all() { ", forgets, "; ", " }")

    def _event(self, trigger: Trigger) -> Iterator[str]:
        """What an event changes beside what its row does."""
        yield ""
        yield from comment(f"By the {trigger.by}: {trigger.means}. RFC {trigger.rfc}")
        yield f"inline {self.names.of('event', trigger.name)}() {{"
        marks = self.claim_writer.marks(trigger.name)
        if marks:
            yield "#ifdef CLAIMS"
            yield from (f"  {step};" for step in marks)
            yield "#endif"
        yield "#ifdef HISTORY"
        yield from (f"  {step};" for step in self.history.changes(trigger))
        yield "#endif"
        yield f"  blame(nobody); last({self.names.of('trigger', trigger.name)})"
        yield "}"

    def _row(self, row: Row) -> Iterator[str]:
        name = self.names.of("row", row.id)
        yield from comment(f"{row.id}. RFC {row.rfc}", "  ")
        if row.note is not None:
            who = f"violation by the {row.violation}: " if row.violation else ""
            yield from comment(f"{who}{row.note}", "    ")
        yield from wrapped(f"#define {name} (", pieces(self._guard(row)), " ", ")", CONTINUED)
        effect = self._effect(row)
        if row.violation is not None:
            effect.insert(0, f"blame({row.violation})")
        for trigger in row.triggers:
            steps = [f"{self.names.of('event', trigger)}()", *effect]
            yield from wrapped(f"  :: d_step {{ {name} -> ", steps, "; ", " }")

    def _stuck(self) -> Iterator[str]:
        rows = [self.names.of("row", row.id) for row in self.table.rows]
        yield ""
        yield "#ifdef CLAIMS"
        yield "  /* ---- no row fires: nothing more happens, for ever ---- */"
        yield from wrapped("#define row_none !(", pieces(rows, "||"), " ", ")", CONTINUED)
        yield "  :: d_step { row_none -> blame(nobody); last(nothing) }"
        yield "#endif"

    def _claims(self) -> Iterator[str]:
        yield ""
        yield "#ifdef CLAIMS"
        yield "/* which events some row allows */"
        for trigger in self.table.triggers:
            rows = [
                self.names.of("row", row.id) for row in self.table.rows if trigger in row.triggers
            ]
            can = self.names.of("can", trigger)
            guards = pieces(rows or ["false"], "||")
            yield from wrapped(f"#define {can} (", guards, " ", ")", CONTINUED)
        for test, refuted in (("#ifndef REFUTED", False), ("#ifdef REFUTED", True)):
            yield ""
            yield test
            for claim in self.claims:
                if claim.refuted == refuted:
                    yield from ("", *claim.lines)
            yield "#endif"
        for goal in self.table.goals:
            yield ""
            yield from comment(
                f"No claim can say this, for it is about what some run can do, from each "
                f"configuration; and a claim is about every run: {goal.says} ({goal.id})"
            )
        yield "#endif"

    # -- guards and effects ----------------------------------------------------------------------

    def _guard(self, row: Row) -> list[str]:
        """Conditions that must all hold; at least one."""
        tests: list[str] = []
        if len(row.sources) < len(self.table.states):
            named = {state: self.names.of("state", state) for state in self.table.states}
            others = [name for state, name in named.items() if state not in row.sources]
            tests.append(one_of("state", [named[state] for state in row.sources], others))
        guard = dict(row.when)
        if row.dest.startswith("$"):
            variable = row.dest[1:]
            held = guard.get(variable, self.table.variables[variable].domain)
            guard[variable] = tuple(value for value in held if value in self.table.states)
        tests += [self.has(variable, values) for variable, values in guard.items()]
        return tests or ["true"]

    def has(self, variable: str, values: Sequence[str]) -> str:
        """The condition that *variable* has one of *values*."""
        named = {
            value: self._value(variable, value) for value in self.table.variables[variable].domain
        }
        others = [name for value, name in named.items() if value not in values]
        left = self.names.of("variable", variable)
        return one_of(left, [named[value] for value in values], others)

    def _effect(self, row: Row) -> list[str]:
        """Assignments that lead to where the row leads, in an order in which none misleads."""
        source = "before" if _swaps(row) else "state"
        kept = dict(row.sets)
        changes = (
            ["forget_all()"]
            if row.forgets == tuple(self.table.variables)
            else [self._forget(name) for name in row.forgets if name not in kept]
        )
        for name, value in row.sets:
            new = source if value == "$source" else self._value(name, value)
            changes.append(f"{self.names.of('variable', name)} = {new}")
        if row.dest == "same":
            return changes
        if not row.dest.startswith("$"):
            return [*changes, f"state = {self.names.of('state', row.dest)}"]
        held = self.names.of("variable", row.dest[1:])
        first = ["before = state"] if _swaps(row) else []
        return [*first, f"state = {held}", *changes]

    def _forget(self, name: str) -> str:
        start = self.table.variables[name].start
        return f"{self.names.of('variable', name)} = {self._value(name, start)}"

    def _value(self, variable: str, value: str) -> str:
        if value in self.table.states:
            return self.names.of("state", value)
        return self.names.of(f"value of {variable}", value)


def _swaps(row: Row) -> bool:
    """Whether the row goes where a variable says and keeps where it came from."""
    return row.dest.startswith("$") and any(value == "$source" for _, value in row.sets)
