"""The progress of a run on a terminal: a bar, how many of how many, the verdicts, the time left."""

from collections import Counter

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.reports.styles import count_line


class RunProgress:
    """A line that is redrawn while the cases run, and gone afterwards; none off a terminal."""

    def __init__(self, console: Console) -> None:
        self._counts: Counter[str] = Counter()
        self._progress = Progress(
            BarColumn(bar_width=20, complete_style="blue", finished_style="blue"),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("", total=None)

    def begin(self, cases: int) -> None:
        """Show that *cases* are to come."""
        self._progress.reset(self._task, total=cases)
        self._progress.start()

    def advance(self, verdict: Verdict) -> None:
        """A case has ended."""
        self._counts[verdict.value] += 1
        markup = count_line(self._counts).markup
        self._progress.update(self._task, advance=1, description=markup)

    def extend(self, sequences: int) -> None:
        """So many sequences of derived tests are still to come."""
        self._progress.update(self._task, total=(self._progress.tasks[0].total or 0) + sequences)

    def sequence(self) -> None:
        """A sequence has been played."""
        self._progress.update(self._task, advance=1)

    def found(self, verdict: Verdict) -> None:
        """A derived test has a result."""
        self._counts[verdict.value] += 1

    def end(self) -> None:
        """Clear the line."""
        self._progress.stop()
