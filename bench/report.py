"""What the benchmark found: tables for the terminal and for ``RESULTS.md``."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.facts import facts


@dataclass(frozen=True, slots=True)
class Goal:
    """A target and what was measured.

    Attributes:
        what: what it is about.
        target: the target, as written.
        measured: the measurement, as written.
        reached: whether it is met.
    """

    what: str
    target: str
    measured: str
    reached: bool


@dataclass(slots=True)
class Section:
    """One table of results with its notes and targets; the first column names things."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list[Sequence[str]])
    notes: list[str] = field(default_factory=list[str])
    goals: list[Goal] = field(default_factory=list[Goal])


def show(console: Console, section: Section) -> None:
    """Print a section."""
    _print_table(console, section.title, section.columns, section.rows)
    for note in section.notes:
        console.print(f"  {note}", style="dim", highlight=False, markup=False)
    console.print()


def show_goals(console: Console, sections: Iterable[Section]) -> None:
    """Print all targets."""
    _print_table(console, "Targets", _GOAL_COLUMNS, _goal_rows(sections))


def markdown(sections: Sequence[Section], *, quick: bool) -> str:
    """The whole report as a page."""
    parts = [
        "# Benchmark",
        f"Written by `python -m bench{' --quick' if quick else ''}` on {date.today().isoformat()}. "
        "All competitors took turns in one run; figures are medians.",
        "\n".join(f"- {fact}" for fact in facts()),
        "## Targets",
        _markdown_table(_GOAL_COLUMNS, _goal_rows(sections)),
    ]
    for section in sections:
        parts += [f"## {section.title}", _markdown_table(section.columns, section.rows)]
        if section.notes:
            parts.append("\n".join(f"- {note}" for note in section.notes))
    return "\n\n".join(parts) + "\n"


_GOAL_COLUMNS = ("what", "target", "measured", "reached")


def _goal_rows(sections: Iterable[Section]) -> list[Sequence[str]]:
    return [
        (goal.what, goal.target, goal.measured, "yes" if goal.reached else "no")
        for section in sections
        for goal in section.goals
    ]


def _print_table(
    console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*map(escape, row))
    console.print(table)


def _markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(columns) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (columns, rule, *rows))
