"""A run through the table as a transcript, with the state beside each line."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.table import Table as Grid
from rich.text import Text

from fsm_smtp.diagram.words import listed_codes, wire_line
from fsm_smtp.table import Table, Trigger
from fsm_smtp.verify.interpreter import Edge


@dataclass(frozen=True, slots=True)
class Line:
    """One step of a run.

    Attributes:
        text: what a transcript shows, such as ``C: MAIL …``.
        trigger: the trigger behind it.
        row: id of the row that fired.
        state: the state afterwards.
        violation: whose violation the step is, and why; ``None`` when it is none.
    """

    text: str
    trigger: str
    row: str
    state: str
    violation: str | None

    def as_dict(self) -> dict[str, str | None]:
        """For JSON."""
        return {
            "line": self.text,
            "trigger": self.trigger,
            "row": self.row,
            "state": self.state,
            "violation": self.violation,
        }


def transcript(table: Table, run: Iterable[Edge]) -> Iterator[Line]:
    """The lines of *run*; a class of replies is shown as a code that is listed for the command."""
    asked: Trigger | None = None
    for edge in run:
        trigger = table.triggers[edge.trigger]
        code: int | None = None
        if trigger.by == "client":
            asked = trigger if trigger.replies else asked
        elif trigger.digit is not None and asked is not None:
            code = next(iter(listed_codes(table, asked, trigger)), None)
            asked = None
        row = edge.row
        blame = f"the {row.violation}'s violation: {row.note}" if row.violation else None
        yield Line(wire_line(trigger, code), trigger.name, row.id, edge.target[0], blame)


#: Client lines and server lines, by their first letter.
_STYLES = {"C": "blue", "S": "magenta"}


def run_grid(lines: Iterable[Line], start: str | None = None) -> Grid:
    """The lines for a terminal: text, state afterwards, row.

    Args:
        lines: the run.
        start: the state that it begins in, when that is to be shown.
    """
    grid = Grid(box=None, show_header=False, padding=(0, 2, 0, 0))
    grid.add_column(ratio=1)
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    if start is not None:
        grid.add_row(Text("(the start)", "dim"), Text(start, "bold"), "")
    for line in lines:
        text = Text(line.text, _STYLES.get(line.text[0], ""))
        if line.violation:
            text.append(f"\n   {line.violation}", "yellow")
        grid.add_row(text, Text(line.state, "bold"), Text(f"row {line.row}", "dim"))
    return grid
