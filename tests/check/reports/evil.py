"""A run whose server and cases hold everything that a report must not believe."""

from dataclasses import replace
from datetime import UTC, datetime

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.engine.events import (
    CaseFinished,
    CaseResult,
    Event,
    ServerInfo,
    SuiteFinished,
    SuiteStarted,
)
from fsm_smtp.check.engine.transcript import Transcript
from tests.check.playing import SUITE

#: Markup, quotes, a script, controls, text turned around, a template, an end of CDATA.
EVIL = (
    "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>"
    "\"'&amp;&#60;{{7*7}}{% raw %}]]>\x00\x07\x1b[31m\x7f\x85\x9b"
)
#: Only where text is no octets: right-to-left override, isolates, separators, no characters.
UNSEEN = "\u202egpj.exe\u2066\u2069\u2028\u200f\ufeff\ufffe\ud800"


def evil_results() -> tuple[CaseResult, ...]:
    """A case for each verdict, each with a transcript of its own."""
    transcript = Transcript(lambda: 0.0)
    transcript.server(f"220 {EVIL}\r\n".encode("latin-1"))
    transcript.client(b"EHLO me\r\n")
    transcript.server(f"250-mx\r\n250 {EVIL}\r\n".encode("latin-1"))
    transcript.client(b"DATA\r\n")
    return tuple(
        CaseResult(
            case=replace(case, requirement=f"Requirement {EVIL}{UNSEEN}", title=f"Title {EVIL}"),
            verdict=verdict,
            expected=f"expected {EVIL}{UNSEEN}",
            actual=f"actual {EVIL}{UNSEEN}",
            transcript=(*transcript.lines, f"… {EVIL}{UNSEEN}"),
        )
        for verdict, case in zip(Verdict, SUITE.cases, strict=False)
    )


def evil_events() -> list[Event]:
    """The run."""
    server = ServerInfo(f"220 {EVIL}\n220 {EVIL}", ("mx", EVIL))
    started = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    results = evil_results()
    head = SuiteStarted(f"host{EVIL}:25", "1.2", started, server, len(results))
    return [head, *(CaseFinished(one, 0.5) for one in results), SuiteFinished(results, 1.5)]
