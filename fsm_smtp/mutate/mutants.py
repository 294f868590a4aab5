"""Every single change of a written row.

Changes are made on the loaded rows, a group's guard included. Operators:

========== =====================================================================================
drop       the row is dropped
dest       it leads to another state
guard      a variable's guard is dropped; a value is taken out of it, put into it, or exchanged
effect     a variable is not forgotten; a value is not set, or another is
class      it no longer fires on a reply, or a reply moves to another row of the same states
source     a state is added to its sources, or taken out
verdict    a violation is no violation any more, or a legal reply becomes one
========== =====================================================================================
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from fsm_smtp.table import Row, Table


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one row.

    Attributes:
        name: unique and stable: ``row: what is changed``.
        row: id of the changed row.
        operator: one of the operators above.
        rows: all rows of the changed table.
    """

    name: str
    row: str
    operator: str
    rows: tuple[Row, ...]

    def table(self, original: Table) -> Table:
        """The changed table."""
        return replace(original, rows=self.rows)


Change = tuple[str, Row]


def all_mutants(table: Table) -> Iterator[Mutant]:
    """Every mutant of *table*, row by row."""
    for number, row in enumerate(table.rows):
        before, after = table.rows[:number], table.rows[number + 1 :]
        yield Mutant(f"{row.id}: dropped", row.id, "drop", before + after)
        for operator, changes in _OPERATORS.items():
            for what, changed in changes(row, table):
                yield Mutant(f"{row.id}: {what}", row.id, operator, (*before, changed, *after))
        yield from _moved_classes(number, row, table)


def sample(table: Table, count: int, seed: int) -> list[Mutant]:
    """*count* mutants, drawn with *seed*; the same ones every time.

    No row has a second one before each has one.
    """
    mutants = list(all_mutants(table))
    if count >= len(mutants):
        return mutants
    draw = random.Random(seed)
    by_row: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        by_row.setdefault(mutant.row, []).append(mutant)
    firsts = [draw.choice(group).name for group in by_row.values()]
    chosen = set(draw.sample(firsts, min(count, len(firsts))))
    rest = [mutant.name for mutant in mutants if mutant.name not in chosen]
    chosen.update(draw.sample(rest, count - len(chosen)))
    return [mutant for mutant in mutants if mutant.name in chosen]


def _dest(row: Row, table: Table) -> Iterator[Change]:
    alone = row.sources[0] if len(row.sources) == 1 else None
    for state in (*table.states, "same"):
        is_no_change = state == row.dest or {state, row.dest} == {"same", alone}
        if not is_no_change and not (state == "same" and alone is not None):
            yield f"leads to {state}", replace(row, dest=state)


def _guard(row: Row, table: Table) -> Iterator[Change]:
    for number, (name, values) in enumerate(row.when):
        rest = row.when[:number] + row.when[number + 1 :]
        yield f"no guard on {name}", replace(row, when=rest)
        for changed in _other_values(values, table.variables[name].domain):
            shown = ", ".join(changed)
            yield f"guard {name}: {shown}", replace(row, when=(*rest, (name, changed)))


def _other_values(values: tuple[str, ...], domain: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for value in domain:
        if value not in values:
            wider = tuple(v for v in domain if v in values or v == value)
            if len(wider) < len(domain):  # the whole domain is the guard dropped
                yield wider
            if len(values) == 1:
                yield (value,)
        elif len(values) > 1:
            yield tuple(v for v in values if v != value)


def _effect(row: Row, table: Table) -> Iterator[Change]:
    set_names = {name for name, _ in row.sets}
    for name in row.forgets:
        if name not in set_names:
            rest = tuple(other for other in row.forgets if other != name)
            yield f"{name} not forgotten", replace(row, forgets=rest)
    for number, (name, value) in enumerate(row.sets):
        before, after = row.sets[:number], row.sets[number + 1 :]
        yield f"{name} not set", replace(row, sets=before + after)
        for other in table.variables[name].domain:
            if other != value:
                changed = (*before, (name, other), *after)
                yield f"{name} set to {other}", replace(row, sets=changed)


def _source(row: Row, table: Table) -> Iterator[Change]:
    for state in table.states:
        if state not in row.sources:
            yield f"from {state} too", replace(row, sources=(*row.sources, state))
        elif len(row.sources) > 1:
            rest = tuple(source for source in row.sources if source != state)
            yield f"not from {state}", replace(row, sources=rest)


def _class(row: Row, _table: Table) -> Iterator[Change]:
    if len(row.triggers) > 1:
        for trigger in row.triggers:
            rest = tuple(other for other in row.triggers if other != trigger)
            yield f"not on {trigger}", replace(row, triggers=rest)


def _verdict(row: Row, table: Table) -> Iterator[Change]:
    if row.violation is not None:
        yield "no violation", replace(row, violation=None)
    elif any(table.triggers[trigger].by == "server" for trigger in row.triggers):
        yield "a violation", replace(row, violation="server", note="a mutant")


_OPERATORS: dict[str, Callable[[Row, Table], Iterator[Change]]] = {
    "dest": _dest,
    "guard": _guard,
    "effect": _effect,
    "class": _class,
    "source": _source,
    "verdict": _verdict,
}


def _moved_classes(number: int, row: Row, table: Table) -> Iterator[Mutant]:
    """A reply of *row* answered as another row of the same states would."""
    for trigger in row.triggers:
        if table.triggers[trigger].by != "server":
            continue
        for other_number, other in enumerate(table.rows):
            if other_number == number or not set(row.sources) <= set(other.sources):
                continue
            if trigger in other.triggers or not _is_about_replies(other, table):
                continue
            rows = list(table.rows)
            rows[other_number] = replace(other, triggers=(*other.triggers, trigger))
            rest = tuple(t for t in row.triggers if t != trigger)
            rows[number] = replace(row, triggers=rest)
            if not rest:
                del rows[number]
            yield Mutant(f"{row.id}: {trigger} moves to {other.id}", row.id, "class", tuple(rows))


def _is_about_replies(row: Row, table: Table) -> bool:
    return all(table.triggers[trigger].by == "server" for trigger in row.triggers)
