"""The report as JSON, schema 1: a contract that other programs rely on.

Keys are never removed or renamed, and verdicts never change their names. Text of the server is
in it as it came; JSON escapes it.
"""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from fsm_smtp.check.case import Verdict
from fsm_smtp.check.events import CaseFinished, CaseResult, Event, SuiteFinished, SuiteStarted

SCHEMA = 1


def summary(results: Iterable[CaseResult]) -> dict[str, int]:
    """How many cases have each verdict; a verdict that no case has stands with 0."""
    counts = Counter(result.verdict for result in results)
    return {verdict.value: counts[verdict] for verdict in Verdict}


class JSONReport:
    """Listens to a run; `document` is the report of what is known so far."""

    def __init__(self) -> None:
        self._head: SuiteStarted | None = None
        self._results: list[CaseResult] = []
        self._duration_s = 0.0

    def handle(self, event: Event) -> None:
        """Take note of *event*."""
        match event:
            case SuiteStarted():
                self._head = event
            case CaseFinished():
                self._results.append(event.result)
                self._duration_s = event.at_s
            case SuiteFinished():
                self._results = list(event.results)
                self._duration_s = event.duration_s
            case _:
                return

    @property
    def started(self) -> bool:
        """Whether there is anything to report."""
        return self._head is not None

    @property
    def document(self) -> dict[str, Any]:
        """The report.

        Raises:
            RuntimeError: the suite has not started, so nothing is known of the target.
        """
        if self._head is None:
            raise RuntimeError("no suite was started")
        return {
            "schema": SCHEMA,
            "target": self._head.target,
            "version": self._head.version,
            "started": self._head.started.isoformat(timespec="seconds"),
            "duration_s": round(self._duration_s, 3),
            "server": {
                "greeting": self._head.server.greeting,
                "ehlo": list(self._head.server.ehlo),
            },
            "cases": [_case(result) for result in self._results],
            "summary": summary(self._results),
        }

    def dumps(self) -> str:
        """The report as text, ASCII only, with a line end."""
        return json.dumps(self.document, indent=2) + "\n"


def _case(result: CaseResult) -> dict[str, Any]:
    case = result.case
    return {
        "id": case.id,
        "rfc": case.rfc,
        "section": case.section,
        "level": case.level.value,
        "requirements": list(result.requirements),
        "requirement": case.requirement,
        "duration_s": result.duration_s,
        "verdict": result.verdict.value,
        "expected": result.expected,
        "actual": result.actual,
        "transcript": list(result.transcript),
    }
