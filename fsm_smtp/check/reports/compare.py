"""Several saved reports side by side: servers across, cases down."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fsm_smtp.check.reports.saved import SavedCase, SavedReport
from fsm_smtp.check.reports.styles import STYLES, count_line
from fsm_smtp.check.reports.visible import visible

#: Of the JSON comparison.
SCHEMA = 1

NOT_PLAYED = "–"


@dataclass(frozen=True, slots=True)
class Row:
    """A case, with what each report has of it: ``None`` where it was not played."""

    cells: tuple[SavedCase | None, ...]

    @property
    def case(self) -> SavedCase:
        """What the case is about."""
        return next(case for case in self.cells if case is not None)

    @property
    def differs(self) -> bool:
        """Whether the verdicts are not all the same, or one is missing."""
        return len({case and case.verdict for case in self.cells}) > 1

    @property
    def verdicts(self) -> tuple[str | None, ...]:
        """The verdicts in the order of the reports."""
        return tuple(case.verdict.value if case is not None else None for case in self.cells)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The matrix.

    Attributes:
        reports: in the order given.
        labels: a short name for each, no two the same.
        rows: every case of any report, in the order of the first report that has it.
    """

    reports: tuple[SavedReport, ...]
    labels: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def differing(self) -> tuple[Row, ...]:
        """The rows that differ."""
        return tuple(row for row in self.rows if row.differs)

    def counts(self, number: int) -> dict[str, int]:
        """How many cases have each verdict in one report."""
        return Counter(case.verdict.value for case in self.reports[number].cases)


def compare_reports(reports: Sequence[SavedReport]) -> Comparison:
    """The matrix of *reports*."""
    by_id = [{case.id: case for case in report.cases} for report in reports]
    ids = dict.fromkeys(case.id for report in reports for case in report.cases)
    rows = tuple(Row(tuple(cases.get(name) for cases in by_id)) for name in ids)
    return Comparison(tuple(reports), _labels(reports), rows)


def _labels(reports: Sequence[SavedReport]) -> tuple[str, ...]:
    """The names of the files; where two are the same, with their number."""
    names = [Path(report.file).name.removesuffix(".json") for report in reports]
    return tuple(
        name if names.count(name) == 1 else f"{name} ({number})"
        for number, name in enumerate(names, start=1)
    )


def comparison_json(comparison: Comparison) -> str:
    """The whole matrix as JSON, with a line end."""
    labels = comparison.labels
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "reports": [
            {
                "label": label,
                "file": report.file,
                "target": report.target,
                "version": report.version,
                "started": report.started,
                "greeting": report.greeting,
            }
            for label, report in zip(labels, comparison.reports, strict=True)
        ],
        "cases": [
            {
                "id": row.case.id,
                "rfc": row.case.rfc,
                "section": row.case.section,
                "level": row.case.level,
                "requirement": row.case.requirement,
                "differs": row.differs,
                "verdicts": dict(zip(labels, row.verdicts, strict=True)),
            }
            for row in comparison.rows
        ],
        "summary": {
            "cases": len(comparison.rows),
            "differing": len(comparison.differing),
        },
    }
    return json.dumps(document, indent=2) + "\n"


def print_comparison(console: Console, comparison: Comparison, *, everything: bool) -> None:
    """Print the matrix: the rows that differ, or all; what was compared, and a summary last."""
    for number, (label, report) in enumerate(
        zip(comparison.labels, comparison.reports, strict=True)
    ):
        line = Text(visible(label), style="bold")
        line.append(f"  {visible(report.target)}  {report.started[:19]}  ", style="dim")
        line.append_text(count_line(comparison.counts(number)))
        console.print(line, soft_wrap=True)
    rows = comparison.rows if everything else comparison.differing
    if rows:
        console.print(_matrix(comparison, rows, wide=not console.is_terminal))
    else:
        console.print()
    line = Text(f"{len(comparison.rows)} cases, {len(comparison.differing)} differ", style="bold")
    console.print(line, soft_wrap=True)


def _matrix(comparison: Comparison, rows: Sequence[Row], *, wide: bool) -> Table:
    width = max(len(row.case.id) for row in rows)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("case", overflow="fold", min_width=width if wide else None)
    for label in comparison.labels:
        table.add_column(Text(visible(label)), overflow="fold", min_width=5)
    for row in rows:
        cells = (
            Text(case.verdict.value, style=STYLES[case.verdict])
            if case is not None
            else Text(NOT_PLAYED, style="dim")
            for case in row.cells
        )
        table.add_row(Text(visible(row.case.id)), *cells)
    return table
