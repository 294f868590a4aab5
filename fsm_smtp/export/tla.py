"""The table as a TLA+ module: one action for each written row.

Nothing of the language is used beyond equality, finite sets of strings, priming, UNCHANGED and
one bounded quantifier, so that any tool can read it.
"""

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap

from fsm_smtp.export.names import Names
from fsm_smtp.table import Row, Table
from fsm_smtp.table.guard import Guard

_WORDS = """
ACTION ASSUME ASSUMPTION AXIOM BOOLEAN BY CASE CHOOSE CONSTANT CONSTANTS COROLLARY DEF DEFINE DEFS
DOMAIN ELSE ENABLED EXCEPT EXTENDS FALSE HAVE HIDE IF IN INSTANCE LAMBDA LEMMA LET LOCAL MODULE NEW
OBVIOUS OMITTED ONLY OTHER PICK PROOF PROOF PROPOSITION PROVE QED RECURSIVE SF_ STATE STRING
SUBSET SUFFICES TAKE TEMPORAL THEN THEOREM TRUE UNCHANGED UNION USE VARIABLE VARIABLES WF_ WITH
WITNESS Init Next Spec States TypeOK View event last state t vars
"""
#: The words of TLA+, and of this text itself.
RESERVED = frozenset(_WORDS.split())

_WIDTH = 92
_OR = " \\/ "


def to_tla(table: Table) -> str:
    """The whole table as the text of one TLA+ module."""
    return "\n".join(_Writer(table).lines()) + "\n"


class _Writer:
    """Names everything in the table, and writes it."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.names = Names(RESERVED)
        self.module = self.names.give("module", table.name)
        for name in table.variables:
            self.names.give("variable", name)
        for row in table.rows:
            self.names.give("guard", row.id, f"May_{row.id}")
            self.names.give("row", row.id, f"Row_{row.id}")
        for entry in table.always:
            self.names.give("when", entry.id, f"When_{entry.id}")
            self.names.give("always", entry.id, f"Always_{entry.id}")
        self.variables = ["state", *(self.names.of("variable", name) for name in table.variables)]

    def lines(self) -> Iterator[str]:
        """The text, line by line."""
        yield f"---- MODULE {self.module} ----"
        yield from self._header()
        yield f"VARIABLES {', '.join(self.variables)}, last"
        yield ""
        yield from self._listed("vars == <<", [*self.variables, "last"], ">>")
        yield from self._listed("View == <<", self.variables, ">>")
        yield ""
        yield from self._listed("States == {", [_text(state) for state in self.table.states], "}")
        yield ""
        yield from self._typed()
        yield ""
        yield "Init =="
        yield f"  /\\ state = {_text(self.table.start_state)}"
        for variable in self.table.variables.values():
            name = self.names.of("variable", variable.name)
            yield f"  /\\ {name} = {_text(variable.start)}"
        yield '  /\\ last = ""'
        about = None
        for row in self.table.rows:
            yield ""
            if row.about != about:
                about = row.about
                yield from _comment(f"---- {about} ----")
                yield ""
            yield from self._row(row)
        yield ""
        yield "Next =="
        for row in self.table.rows:
            yield f"  \\/ {self.names.of('row', row.id)}"
        yield ""
        yield "Spec == Init /\\ [][Next]_vars"
        yield from self._always()
        yield "===="

    # -- parts -----------------------------------------------------------------------------------

    def _header(self) -> Iterator[str]:
        laid = "".join(f" + {name}" for name in self.table.overlays)
        invariants = ["TypeOK", *(self.names.of("always", entry.id) for entry in self.table.always)]
        yield from _comment(f"{self.table.name}{laid}: what may happen next in an SMTP session.")
        yield from _comment(
            "Each action is one row of the table, for any of its triggers; last is the last "
            "trigger. Under VIEW View it does not count, and there is one distinct state for "
            "each reachable configuration. For TLC:"
        )
        yield "\\*   SPECIFICATION Spec"
        yield "\\*   VIEW View"
        yield f"\\*   INVARIANTS {' '.join(invariants)}"
        yield ""

    def _typed(self) -> Iterator[str]:
        yield "TypeOK =="
        yield "  /\\ state \\in States"
        for variable in self.table.variables.values():
            name = self.names.of("variable", variable.name)
            yield from self._listed(f"  /\\ {name} \\in {{", map(_text, variable.domain), "}")
        yield from self._listed("  /\\ last \\in {", map(_text, ("", *self.table.triggers)), "}")

    def _row(self, row: Row) -> Iterator[str]:
        yield from _comment(f"{row.id}. RFC {row.rfc}")
        if row.note is not None:
            who = f"violation by the {row.violation}: " if row.violation else ""
            yield from _comment(f"  {who}{row.note}")
        guard = self.names.of("guard", row.id)
        yield f"{guard} =="
        yield from self._has("state", row.sources)
        yield from self._guard(row.when)
        if row.dest.startswith("$"):
            yield f"  /\\ {self.names.of('variable', row.dest[1:])} \\in States"
        yield f"{self.names.of('row', row.id)} =="
        yield f"  /\\ {guard}"
        yield from self._listed("  /\\ \\E t \\in {", map(_text, row.triggers), "} : last' = t")
        changed = self._changes(row)
        for name, value in changed.items():
            yield f"  /\\ {name}' = {value}"
        kept = [name for name in self.variables if name not in changed]
        if kept:
            yield from self._listed("  /\\ UNCHANGED <<", kept, ">>")

    def _changes(self, row: Row) -> dict[str, str]:
        """What each variable that changes is set to."""
        changes: dict[str, str] = {}
        if row.dest.startswith("$"):
            changes["state"] = self.names.of("variable", row.dest[1:])
        elif row.dest != "same":
            changes["state"] = _text(row.dest)
        for name in row.forgets:
            changes[self.names.of("variable", name)] = _text(self.table.variables[name].start)
        for name, value in row.sets:
            new = "state" if value == "$source" else _text(value)
            changes[self.names.of("variable", name)] = new
        return changes

    def _always(self) -> Iterator[str]:
        for entry in self.table.always:
            when, name = self.names.of("when", entry.id), self.names.of("always", entry.id)
            yield ""
            yield from _comment(f"{entry.id}: {entry.says}. RFC {entry.rfc}")
            yield f"{when} =="
            yield from self._guard(entry.when) if entry.when else ["  TRUE"]
            yield f"{name} =="
            yield f"  {when} =>"
            for trigger in entry.triggers:
                guards = [
                    self.names.of("guard", row.id)
                    for row in self.table.rows
                    if trigger in row.triggers
                ]
                yield from _comment(f"{trigger}:")
                yield f"    /\\ {_OR.join(guards) or 'FALSE'}"

    def _guard(self, guard: Guard) -> Iterator[str]:
        for name, values in guard:
            yield from self._has(self.names.of("variable", name), values)

    def _has(self, left: str, values: Sequence[str]) -> Iterator[str]:
        if len(values) == 1:
            yield f"  /\\ {left} = {_text(values[0])}"
        else:
            yield from self._listed(f"  /\\ {left} \\in {{", map(_text, values), "}")

    @staticmethod
    def _listed(before: str, terms: Iterable[str], after: str) -> Iterator[str]:
        """A list in brackets, on as many lines as it takes, aligned behind the bracket."""
        lines = [before]
        terms = list(terms)
        for number, term in enumerate(terms):
            text = term + (after if number == len(terms) - 1 else ",")
            if len(lines[-1]) + len(text) > _WIDTH and number:
                lines.append(" " * len(before))
            elif number:
                text = f" {text}"
            lines[-1] += text
        yield from lines


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _line(text: str) -> str:
    return " ".join(text.split())


def _comment(text: str) -> Iterator[str]:
    for line in wrap(_line(text), _WIDTH):
        yield f"\\* {line}"
