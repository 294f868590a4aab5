"""The report as one HTML page: what was judged, what was said, and where in the machine it was."""

import re
from dataclasses import dataclass

from fsm_smtp.check.cases.case import Case, Verdict
from fsm_smtp.check.engine.events import CaseResult
from fsm_smtp.check.reports.gate import Gate
from fsm_smtp.check.reports.lines import Line
from fsm_smtp.check.reports.page import octets, render_page, shipped
from fsm_smtp.check.reports.record import Record, summary
from fsm_smtp.check.reports.trace import Trace, trace

#: The order of the bar and of the counts: what matters first.
_ORDER = (
    Verdict.FAIL,
    Verdict.ERROR,
    Verdict.TIMEOUT,
    Verdict.WARN,
    Verdict.INCONCLUSIVE,
    Verdict.LATITUDE,
    Verdict.INFO,
    Verdict.SKIP,
    Verdict.PASS,
)


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of a transcript as the page shows it."""

    line: Line
    #: Whether the state is another one than before.
    moved: bool


@dataclass(frozen=True, slots=True)
class _Shown:
    """A result as the page shows it."""

    result: CaseResult
    trace: Trace
    rows: tuple[_Row, ...]
    #: Whether it is the first with its verdict, where the counts lead without a script.
    first: bool
    caption: str

    @property
    def case(self) -> Case:
        return self.result.case


@dataclass(frozen=True, slots=True)
class _Part:
    """The cases of one section."""

    rfc: str
    section: str
    title: str
    shown: tuple[_Shown, ...]


def html_report(record: Record, gate: Gate, *, tls: bool = False) -> str:
    """The page of what is known so far; with *tls*, sessions were under TLS from the first octet.

    Raises:
        RuntimeError: the suite has not started, so nothing is known of the target.
    """
    counted = summary(record.results)
    counts = [(verdict.value, counted[verdict.value]) for verdict in _ORDER]
    return render_page(
        "report.html.j2",
        head=record.head,
        greeting="\n".join(map(octets, record.head.server.greeting.split("\n"))),
        complete=record.complete,
        duration_s=record.duration_s,
        notes=record.notes,
        results=record.results,
        counts=counts,
        verdicts=[verdict for verdict, count in counts if count],
        rfcs=sorted({result.case.rfc for result in record.results}),
        passage=gate.judge(record.results),
        baseline=gate.baseline.file if gate.baseline is not None else None,
        parts=_parts(record, tls),
        model=record.model,
        derived=[one.case.id for one in record.results if one.case.id.startswith("model-")],
        map=_map()[1],
        view=_map()[0],
    )


def _parts(record: Record, tls: bool) -> list[_Part]:
    parts: dict[tuple[str, str, str], list[_Shown]] = {}
    seen: set[Verdict] = set()
    for result in record.results:
        case = result.case
        shown = _shown(result, tls, first=result.verdict not in seen)
        seen.add(result.verdict)
        parts.setdefault((case.rfc, case.section, case.title), []).append(shown)
    return [_Part(*key, tuple(shown)) for key, shown in parts.items()]


def _shown(result: CaseResult, tls: bool, *, first: bool) -> _Shown:
    found = trace(result.transcript, tls=tls)
    before = ("", *(line.state for line in found.lines))
    rows = tuple(
        _Row(line, line.state != then) for line, then in zip(found.lines, before, strict=False)
    )
    return _Shown(result, found, rows, first, _caption(found))


def _caption(found: Trace) -> str:
    """The picture in a sentence, also for who cannot see it."""
    way = f"Through {', '.join(found.states)}"
    end = f"; at the end in {found.end}" if found.end else "; the end of the transcript is cut"
    odd = f"; the table refuses what was sent in {', '.join(sorted(found.refused))} (dashed)"
    return f"{way}{end}{odd if found.refused else ''}."


def _map() -> tuple[str, str]:
    """The view box of the map of states, and what is inside."""
    svg = shipped("states.svg")
    found = re.match(r'<svg [^>]*viewBox="([^"]*)">(.*)</svg>\s*\Z', svg, re.DOTALL)
    if found is None:
        raise ValueError("states.svg is no map of states")
    return found[1], type(svg)(found[2])
