"""What a table must be beyond its grammar: deterministic, without idle rows, states or values.

These checks look at the written guards alone. Whether a row can be reached is the verifier's
question (`fsm_smtp.verify`).
"""

from collections.abc import Iterator
from itertools import combinations

from fsm_smtp.errors import SpecError
from fsm_smtp.table.model import Move, Row, Table, Trigger


def check_consistency(table: Table) -> None:
    """Refuse a table whose rows contradict each other or can never fire.

    Raises:
        SpecError: two rows can both fire, a row can never fire, a state is no row's source, two
            states have one value, two triggers stand for the same line or reply, a ``$variable``
            holds no states, or ``$source`` is kept where it does not fit.
    """
    _check_values(table)
    _check_triggers(table)
    for row in table.rows:
        _check_row(table, row)
    for name, state in table.states.items():
        if not table.moves_by_source[name]:
            raise _at(state.place, f"no row has {name} among its sources")
    for by_trigger in table.moves_by_source.values():
        for trigger, moves in by_trigger.items():
            for one, other in combinations(moves, 2):
                if one.row is not other.row and _both_fire(one, other):
                    what = (
                        f"rows {one.row.id} and {other.row.id} can both fire "
                        f"on {trigger} in {one.source}"
                    )
                    raise _at(other.row.place, what)


def _check_values(table: Table) -> None:
    taken: dict[int, str] = {}
    for name, state in table.states.items():
        holder = taken.setdefault(state.value, name)
        if holder != name:
            raise _at(state.place, f"{name} has the value {state.value}, which is {holder}'s")


def _check_triggers(table: Table) -> None:
    taken: dict[str, str] = {}
    for name, trigger in table.triggers.items():
        for sign in _signs(trigger):
            holder = taken.setdefault(sign, name)
            if holder != name:
                raise _at(trigger.place, f"{name} stands for {sign}, as {holder} does")


def _signs(trigger: Trigger) -> Iterator[str]:
    """What the trigger is told by on the wire, in words."""
    if trigger.verb is not None:
        verb = f"the command {trigger.verb}" if trigger.verb else "the line inside AUTH"
        yield " ".join(filter(None, (verb, trigger.argument, trigger.parameter)))
    for code in trigger.codes:
        yield f"the reply {code}"
    if trigger.digit is not None:
        yield f"any other reply {trigger.digit}yz"
    if trigger.keyword is not None:
        yield f"the EHLO keyword {trigger.keyword}"


def _check_row(table: Table, row: Row) -> None:
    if row.dest.startswith("$"):
        variable = row.dest[1:]
        held = dict(row.when).get(variable, table.variables[variable].domain)
        if not any(value in table.states for value in held):
            raise _at(row.place, f"row {row.id} can never fire: {variable} can hold no state here")
    for name, value in row.sets:
        if value == "$source":
            for source in row.sources:
                if source not in table.variables[name].domain:
                    raise _at(row.place, f"row {row.id}: {source} is no value of {name}")
    for name, values in row.when:
        if len(values) == len(table.variables[name].domain):
            raise _at(
                row.place, f"row {row.id}: the guard on {name} excludes nothing; leave it out"
            )


def _both_fire(one: Move, other: Move) -> bool:
    guard = dict(one.when)
    return all(
        name not in guard or any(value in guard[name] for value in values)
        for name, values in other.when
    )


def _at(place: str, what: str) -> SpecError:
    path, line, column = place.rsplit(":", 2)
    return SpecError(path, int(line), int(column), what)
