"""The report on a terminal: progress while cases run, then what is wrong, the summary last.

Everything a server said is untrusted: it is printed as plain text, never as markup, and control
characters are escaped.
"""

import textwrap
from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.derived.events import AnyEvent, ModelPrepared, ModelProgress
from fsm_smtp.check.engine.events import CaseFinished, CaseResult, SuiteStarted
from fsm_smtp.check.engine.transcript import printable
from fsm_smtp.check.reports.gate import Gate, Passage
from fsm_smtp.check.reports.progress import RunProgress
from fsm_smtp.check.reports.record import Record, summary
from fsm_smtp.check.reports.styles import STYLES, count_line

#: What is printed without being asked, from the least to the most important.
SHOWN = (Verdict.INCONCLUSIVE, Verdict.TIMEOUT, Verdict.WARN, Verdict.ERROR, Verdict.FAIL)
#: … and with ``verbose``.
SHOWN_VERBOSE = (Verdict.SKIP, Verdict.INFO, Verdict.LATITUDE, *SHOWN)
#: Verdicts that come with their transcript.
WITH_TRANSCRIPT = (Verdict.TIMEOUT, Verdict.ERROR, Verdict.FAIL)
#: Lines of a transcript that are printed; the other reports have all of them.
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


class ReportConsole(Console):
    """A console that leaves a closed pipe to the program; rich would exit with 1, a verdict."""

    def on_broken_pipe(self) -> None:
        """Raise.

        Raises:
            BrokenPipeError: always.
        """
        raise BrokenPipeError


class TerminalReport:
    """Shows a run on *console*: *record* is what is known of it, *gate* what fails it.

    With *verbose* the harmless verdicts are shown too.
    """

    def __init__(
        self, console: Console, record: Record, gate: Gate, *, verbose: bool = False
    ) -> None:
        self._console = console
        self._record = record
        self._gate = gate
        self._verbose = verbose
        self._planned = 0
        self._derived = False
        self._progress = RunProgress(console)

    def handle(self, event: AnyEvent) -> None:
        """Show *event*, of which the record knows already."""
        match event:
            case SuiteStarted():
                self._begin(event)
            case CaseFinished():
                if self._derived:
                    self._progress.found(event.result.verdict)
                else:
                    self._progress.advance(event.result.verdict)
            case ModelPrepared():
                self._derived = True
                self._progress.extend(event.sequences)
            case ModelProgress(phase="sequences"):
                self._progress.sequence()
            case _:
                return

    def close(self) -> None:
        """End the progress, then print the findings and the summary, of what is known."""
        self._progress.end()
        if not self._planned:
            return
        passage = self._gate.judge(self._record.results)
        self._findings(passage)
        self._known(passage)
        self._mended(passage)
        self._failures(passage)
        self._model()
        self._notes()
        self._summary(passage)

    def _begin(self, event: SuiteStarted) -> None:
        self._planned = event.cases
        greeting = event.server.greeting.split("\n", 1)[0]
        head = Text(f"{event.target}  ", style="bold")
        head.append(printable(greeting.encode("latin-1")), style="dim")
        self._console.print(head, soft_wrap=True)
        self._progress.begin(event.cases)

    # -- findings --------------------------------------------------------------------------------

    def _findings(self, passage: Passage) -> None:
        """What does not fail the run, the least important first."""
        gated = {*passage.new, *passage.known}
        for verdict in SHOWN_VERBOSE if self._verbose else SHOWN:
            found = [
                result
                for result in self._record.results
                if result.verdict is verdict and result.case.id not in gated
            ]
            if verdict is Verdict.INCONCLUSIVE and not self._verbose:
                self._masked(found)
                continue
            for result in found:
                self._finding(result)

    def _failures(self, passage: Passage) -> None:
        """What fails the run, the worst last."""
        new = [result for result in self._record.results if result.case.id in passage.new]
        for result in sorted(new, key=lambda result: result.verdict.weight):
            self._finding(result)

    def _known(self, passage: Passage) -> None:
        self._named("known", passage.known, "in the baseline already, and accepted")

    def _mended(self, passage: Passage) -> None:
        self._named("mended", passage.mended, "failed in the baseline, and not any more")

    def _named(self, what: str, ids: tuple[str, ...], means: str) -> None:
        by_id = {result.case.id: result for result in self._record.results}
        if ids:
            self._console.print()
            self._console.print(Text(f"{what}: {means}", style="bold"), soft_wrap=True)
        for name in ids:
            result = by_id[name]
            row = Text(f"  {result.verdict.value.upper():<6}", style=STYLES[result.verdict])
            row.append(f" {name}", style="bold")
            row.append(f"  {result.actual}", style="dim")
            self._console.print(row, soft_wrap=True)

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

    # -- lines -----------------------------------------------------------------------------------

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

    def _model(self) -> None:
        model = self._record.model
        if model is None:
            return
        self._console.print()
        if self._verbose:
            for choice in model.prepared.choices:
                sure = "" if choice.certain else " (by what is nearest)"
                self._wrapped("choice", f"{choice.point}: {choice.answer}{sure}")
        self._wrapped("model", model.guarantee)
        if model.reset is not None:
            self._wrapped("reset", model.reset.said)

    def _notes(self) -> None:
        for note in self._record.notes:
            self._console.print()
            self._wrapped("note", printable(note.encode("latin-1", "replace")))
        if not self._record.notes:
            self._hints()

    def _hints(self) -> None:
        results = self._record.results
        masked = [item for item in results if item.verdict is Verdict.INCONCLUSIVE]
        for what, matches in _HINTS:
            if sum(map(matches, masked)) > len(results) // 5:
                self._console.print()
                self._wrapped("hint", what)
                return

    def _summary(self, passage: Passage) -> None:
        self._console.print()
        record = self._record
        count = len(record.results)
        if record.complete:
            head = f"{count} cases, {record.duration_s:.1f} s: "
        else:
            head = f"{count} of {self._planned} cases, broken off after {record.duration_s:.1f} s: "
        line = Text(head, style="bold")
        line.append_text(count_line(summary(record.results)))
        if self._gate.asks_more:
            fails = len(passage.new)
            line.append(f"; {fails or 'nothing'} fail{'' if fails > 1 else 's'} the run")
        if self._gate.baseline is not None:
            line.append(f", {len(passage.known)} known, {len(passage.mended)} mended")
        self._console.print(line, soft_wrap=True)
