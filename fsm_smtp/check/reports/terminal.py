"""The report on a terminal: progress while cases run, then what is wrong, the summary last.

Everything a server said is untrusted: it is printed as plain text, never as markup, and control
characters are escaped.
"""

import textwrap
from collections import Counter
from collections.abc import Callable, Iterable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from fsm_smtp.check.case import Verdict
from fsm_smtp.check.events import CaseFinished, CaseResult, Event, SuiteFinished, SuiteStarted
from fsm_smtp.check.suite import Suite
from fsm_smtp.check.transcript import printable

STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.WARN: "yellow",
    Verdict.LATITUDE: "cyan",
    Verdict.INFO: "blue",
    Verdict.SKIP: "dim",
    Verdict.INCONCLUSIVE: "magenta",
    Verdict.TIMEOUT: "bold magenta",
    Verdict.ERROR: "bold red",
}
#: What is printed without being asked, from the least to the most important.
SHOWN = (Verdict.INCONCLUSIVE, Verdict.TIMEOUT, Verdict.WARN, Verdict.ERROR, Verdict.FAIL)
#: … and with ``verbose``.
SHOWN_VERBOSE = (Verdict.SKIP, Verdict.INFO, Verdict.LATITUDE, *SHOWN)
#: Verdicts that come with their transcript.
WITH_TRANSCRIPT = (Verdict.TIMEOUT, Verdict.ERROR, Verdict.FAIL)
#: Lines of a transcript that are printed; the JSON report has all of them.
TRANSCRIPT_LINES = 24
#: Width of text that goes to no terminal: it is not wrapped.
UNWRAPPED = 10_000
MARGIN = "  "
LABEL = 10

#: What helps, when a fifth of the cases is masked in the same way; the first that fits is said.
_HINTS: tuple[tuple[str, Callable[[CaseResult], bool]], ...] = (
    (
        "the server wants authentication or TLS first: --user and --password, --starttls or --tls",
        lambda result: result.actual.startswith("530"),
    ),
    (
        "the sender is refused: name one that is taken there, with --sender",
        lambda result: '"MAIL FROM:' in result.expected,
    ),
    (
        "the recipient is refused: name one that exists there, with --recipient",
        lambda result: '"RCPT TO:' in result.expected,
    ),
)


class TerminalReport:
    """Listens to a run and prints on *console*; with *verbose* also the harmless verdicts."""

    def __init__(self, console: Console, *, verbose: bool = False) -> None:
        self._console = console
        self._verbose = verbose
        self._results: list[CaseResult] = []
        self._counts: Counter[Verdict] = Counter()
        self._planned = 0
        self._elapsed_s = 0.0
        self._complete = False
        self._task = TaskID(0)
        self._progress = Progress(
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
            expand=True,
        )

    def handle(self, event: Event) -> None:
        """Show *event*."""
        match event:
            case SuiteStarted():
                self._begin(event)
            case CaseFinished():
                self._results.append(event.result)
                self._counts[event.result.verdict] += 1
                self._elapsed_s = event.at_s
                self._progress.update(self._task, advance=1, description=self._count_line().markup)
            case SuiteFinished():
                self._results = list(event.results)
                self._elapsed_s = event.duration_s
                self._complete = True
            case _:
                return

    def close(self) -> None:
        """End the progress, then print the findings and the summary, of what is known."""
        self._progress.stop()
        if not self._planned:
            return
        shown = SHOWN_VERBOSE if self._verbose else SHOWN
        for verdict in shown:
            found = [result for result in self._results if result.verdict is verdict]
            if verdict is Verdict.INCONCLUSIVE and not self._verbose:
                self._masked(found)
                continue
            for result in found:
                self._finding(result)
        self._hints()
        self._summary()

    def _begin(self, event: SuiteStarted) -> None:
        self._planned = event.cases
        greeting = event.server.greeting.split("\n", 1)[0]
        head = Text(f"{event.target}  ", style="bold")
        head.append(printable(greeting.encode("latin-1")), style="dim")
        self._console.print(head, soft_wrap=True)
        self._task = self._progress.add_task("", total=event.cases)
        self._progress.start()

    def _finding(self, result: CaseResult) -> None:
        case = result.case
        self._console.print()
        head = Text(f"{result.verdict.value.upper():<6}", style=STYLES[result.verdict])
        head.append(f" {case.id}", style="bold")
        head.append(f"  RFC {case.rfc} §{case.section}, {case.level.value}", style="dim")
        self._console.print(head, soft_wrap=True)
        self._wrapped("", case.requirement)
        self._wrapped("expected", result.expected, style="green")
        self._wrapped("got", result.actual, style=STYLES[result.verdict])
        if result.verdict in WITH_TRANSCRIPT:
            self._transcript(result.transcript)

    def _masked(self, results: list[CaseResult]) -> None:
        """The inconclusive cases, those with the same reason together."""
        reasons: dict[str, list[CaseResult]] = {}
        for result in results:
            reasons.setdefault(result.actual, []).append(result)
        for actual, group in reasons.items():
            if len(group) == 1:
                self._finding(group[0])
                continue
            self._console.print()
            head = Text(f"{len(group)} cases are inconclusive for the same reason")
            head.stylize(STYLES[Verdict.INCONCLUSIVE])
            self._console.print(head, soft_wrap=True)
            wanted = {result.expected for result in group}
            more = f", and {len(wanted) - 1} more" if len(wanted) > 1 else ""
            self._wrapped("expected", f"{group[0].expected}{more}", style="green")
            self._wrapped("got", actual, style=STYLES[Verdict.INCONCLUSIVE])

    def _wrapped(self, label: str, text: str, *, style: str = "") -> None:
        width = self._console.width if self._console.is_terminal else UNWRAPPED
        indent = MARGIN + " " * LABEL if label else MARGIN
        lines = textwrap.wrap(text, max(width - len(indent), 30), break_on_hyphens=False) or [""]
        for number, line in enumerate(lines):
            lead = f"{MARGIN}{label:<{LABEL}}" if label and not number else indent
            row = Text(lead, style="dim")
            row.append(line, style=style)
            self._console.print(row, soft_wrap=True)

    def _transcript(self, lines: tuple[str, ...]) -> None:
        if len(lines) > TRANSCRIPT_LINES:
            left_out = len(lines) - TRANSCRIPT_LINES
            head = lines[: TRANSCRIPT_LINES // 3]
            tail = lines[-(TRANSCRIPT_LINES - len(head)) :]
            lines = (*head, f"{'':8} … {left_out} lines, all of them in the JSON report", *tail)
        for line in lines:
            row = Text(f"{MARGIN}{MARGIN}{line}", style="dim" if " C: " not in line else "")
            self._console.print(row, no_wrap=True, overflow="ellipsis", crop=False)

    def _hints(self) -> None:
        masked = [item for item in self._results if item.verdict is Verdict.INCONCLUSIVE]
        for what, matches in _HINTS:
            if sum(map(matches, masked)) > len(self._results) // 5:
                self._console.print()
                self._wrapped("hint", what)
                return

    def _summary(self) -> None:
        self._console.print()
        count = len(self._results)
        if self._complete:
            head = f"{count} cases, {self._elapsed_s:.1f} s: "
        else:
            head = f"{count} of {self._planned} cases, broken off after {self._elapsed_s:.1f} s: "
        line = Text(head, style="bold")
        line.append_text(self._count_line())
        self._console.print(line, soft_wrap=True)

    def _count_line(self) -> Text:
        line = Text()
        for verdict in Verdict:
            if count := self._counts[verdict]:
                line.append(", " if line else "")
                line.append(f"{count} {verdict.value}", style=STYLES[verdict])
        return line


def print_list(console: Console, suite: Suite) -> None:
    """The suite as a table of contents."""
    section = ""
    for case in suite.cases:
        heading = f"RFC {case.rfc} §{case.section}  {case.title}"
        if heading != section:
            console.print(Text(("\n" if section else "") + heading, style="bold"), soft_wrap=True)
            section = heading
        row = Text(f"  {case.id:<44} ")
        row.append(f"{case.level.value:<6} ", style="dim")
        row.append(case.requirement)
        console.print(row, soft_wrap=True)


def exit_code(results: Iterable[CaseResult], *, complete: bool) -> int:
    """1 if a case fails, else 2 if the run is not complete or has an error of ours, else 0."""
    verdicts = {result.verdict for result in results}
    if Verdict.FAIL in verdicts:
        return 1
    return 0 if complete and Verdict.ERROR not in verdicts else 2
