"""The verifier's own reading of the written rows; shares nothing with the machine.

It works on the rows as written, not on the resolved moves that the machine is built from, so that
a mistake in resolving them shows as a disagreement.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from fsm_smtp.table import Row, Table

#: Places of variables in the memory, and the values that a guard lets pass.
_Tests = list[tuple[int, tuple[str, ...]]]
#: Places of variables in the memory, and the values that an effect gives them.
_Changes = list[tuple[int, str]]

#: A state and the values of the variables, in the table's order.
Place = tuple[str, tuple[str, ...]]


class Edge(NamedTuple):
    """One step: the row that fired, on which trigger, from where to where."""

    row: Row
    trigger: str
    source: Place
    target: Place


class Interpreter:
    """Says which rows fire in a place, straight from the written rows."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._number: Mapping[str, int] = {name: n for n, name in enumerate(table.variables)}
        self._starts = tuple(variable.start for variable in table.variables.values())
        self._rows: dict[str, list[tuple[Row, _Tests, _Changes]]] = {}
        for row in table.rows:
            tests = [(self._number[name], values) for name, values in row.when]
            for source in row.sources:
                changes = self._changes(row, source)
                self._rows.setdefault(source, []).append((row, tests, changes))

    @property
    def start(self) -> Place:
        """The first state, and each variable's first value."""
        first = next(iter(self.table.states))
        return first, self._starts

    def edges(self, place: Place) -> Iterator[Edge]:
        """Every step that can be taken from *place*; two with one trigger are a contradiction."""
        state, memory = place
        for row, tests, changes in self._rows.get(state, ()):
            for number, values in tests:
                if memory[number] not in values:
                    break
            else:
                dest = self._dest(row, state, memory)
                if dest is not None:
                    after = list(memory)
                    for number, value in changes:
                        after[number] = value
                    target = dest, tuple(after)
                    for trigger in row.triggers:
                        yield Edge(row, trigger, place, target)

    def value(self, place: Place, variable: str) -> str:
        """The value of *variable* in *place*."""
        return place[1][self._number[variable]]

    def holds(self, place: Place, guard: tuple[tuple[str, tuple[str, ...]], ...]) -> bool:
        """Whether *guard* holds in *place*."""
        return all(self.value(place, name) in values for name, values in guard)

    def _dest(self, row: Row, state: str, memory: tuple[str, ...]) -> str | None:
        """The state that the row leads to; ``None`` when its ``$variable`` holds none."""
        if row.dest == "same":
            return state
        if row.dest.startswith("$"):
            dest = memory[self._number[row.dest[1:]]]
            return dest if dest in self.table.states else None
        return row.dest

    def _changes(self, row: Row, source: str) -> _Changes:
        """What the row does to the memory: first it forgets, then it sets."""
        changes = {self._number[name]: self._starts[self._number[name]] for name in row.forgets}
        for name, value in row.sets:
            changes[self._number[name]] = source if value == "$source" else value
        return list(changes.items())
