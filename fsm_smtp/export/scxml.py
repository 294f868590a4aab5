"""The table as W3C State Chart XML: one transition for each row and source.

The variables are the data model (``ecmascript``), a row's triggers are the transition's events,
its guard is the ``cond`` and its effect the ``assign`` elements. A row that keeps the state has
no ``target``, so that nothing is left or entered. What the standard has no word for (the row's
id, its RFC section, whose violation it is) stands in attributes of a namespace of its own.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from xml.sax.saxutils import quoteattr

from fsm_smtp.export.names import Names
from fsm_smtp.table import Move, Table

NAMESPACE = "http://www.w3.org/2005/07/scxml"
#: Of the attributes ``row``, ``rfc``, ``violation``, ``note`` and ``means``.
OWN_NAMESPACE = "urn:fsm-smtp:table"

_WORDS = """
abstract arguments await boolean break byte case catch char class const continue debugger default
delete do double else enum eval export extends false final finally float for function goto if
implements import in instanceof int interface let long native new null package private protected
public return short static super switch synchronized this throw throws transient true try typeof
undefined var void volatile while with yield Infinity NaN In
"""
#: The words of ECMAScript; names that begin with ``_`` belong to SCXML's processor.
RESERVED = frozenset(_WORDS.split())


def to_scxml(table: Table) -> str:
    """The whole table as one SCXML document."""
    return "\n".join(_Writer(table).lines()) + "\n"


class _Writer:
    """Names everything in the table, and writes it."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.ids = Names()
        for state in table.states:
            self.ids.give("state", state)
        self.data = Names(RESERVED)
        for name in table.variables:
            self.data.give("variable", name, f"v{name}" if name.startswith("_") else name)
        self.events = Names()
        for trigger in table.triggers:
            self.events.give("trigger", trigger)

    def lines(self) -> Iterator[str]:
        """The text, line by line."""
        table = self.table
        name = "".join((table.name, *(f" + {overlay}" for overlay in table.overlays)))
        yield '<?xml version="1.0" encoding="UTF-8"?>'
        yield f"<scxml xmlns={quoteattr(NAMESPACE)} xmlns:smtp={quoteattr(OWN_NAMESPACE)}"
        yield f'       version="1.0" datamodel="ecmascript" name={quoteattr(name)}'
        yield f"       initial={quoteattr(self.ids.of('state', table.start_state))}>"
        yield "  <datamodel>"
        for variable in table.variables.values():
            identifier = quoteattr(self.data.of("variable", variable.name))
            yield f"    <data id={identifier} expr={quoteattr(_string(variable.start))}/>"
        yield "  </datamodel>"
        for state in table.states.values():
            identifier = quoteattr(self.ids.of("state", state.name))
            yield f"  <state id={identifier} smtp:means={quoteattr(state.means)}>"
            moves = (move for move in table.moves if move.source == state.name)
            for _, group in groupby(moves, key=lambda move: move.row.id):
                yield from self._row(list(group))
            yield "  </state>"
        yield "</scxml>"

    def _row(self, moves: Sequence[Move]) -> Iterator[str]:
        """The transitions of one row from one state."""
        by_dest: dict[tuple[object, str], list[Move]] = {}
        for move in moves:
            by_dest.setdefault((move.when, move.dest), []).append(move)
        for same in by_dest.values():
            yield from self._transition(same)

    def _transition(self, moves: Sequence[Move]) -> Iterator[str]:
        move, row = moves[0], moves[0].row
        events = " ".join(self.events.of("trigger", move.trigger) for move in moves)
        attributes = {"event": events}
        if move.when:
            attributes["cond"] = " && ".join(self._has(*test) for test in move.when)
        if row.dest != "same":
            attributes["target"] = self.ids.of("state", move.dest)
        attributes["smtp:row"] = row.id
        attributes["smtp:rfc"] = row.rfc
        if row.violation is not None:
            attributes["smtp:violation"] = row.violation
        if row.note is not None:
            attributes["smtp:note"] = row.note
        written = f"\n{' ' * 16}".join(
            f"{key}={quoteattr(text)}" for key, text in attributes.items()
        )
        yield f"    <transition {written}{'>' if move.effect else '/>'}"
        for name, value in move.effect:
            location = quoteattr(self.data.of("variable", name))
            yield f"      <assign location={location} expr={quoteattr(_string(value))}/>"
        if move.effect:
            yield "    </transition>"

    def _has(self, variable: str, values: Sequence[str]) -> str:
        name = self.data.of("variable", variable)
        terms = [f"{name} == {_string(value)}" for value in values]
        return terms[0] if len(terms) == 1 else f"({' || '.join(terms)})"


def _string(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"
