"""The report as JSON, schema 1: a contract that other programs rely on.

Keys are never removed or renamed, and verdicts never change their names. Text of the server is
in it as it came; JSON escapes it.
"""

import json
from typing import Any

from fsm_smtp.check.engine.events import CaseResult
from fsm_smtp.check.reports.gate import Gate
from fsm_smtp.check.reports.record import Record, summary
from fsm_smtp.check.reports.saved import SCHEMA


def json_document(record: Record, gate: Gate) -> dict[str, Any]:
    """The report of what is known so far.

    Raises:
        RuntimeError: the suite has not started, so nothing is known of the target.
    """
    head = record.head
    model = {} if record.model is None else {"model": record.model.document}
    return {
        "schema": SCHEMA,
        "target": head.target,
        "version": head.version,
        "started": head.started.isoformat(timespec="seconds"),
        "duration_s": round(record.duration_s, 3),
        "complete": record.complete,
        "server": {"greeting": head.server.greeting, "ehlo": list(head.server.ehlo)},
        "round_trip_s": round(head.rtt_s, 4),
        "quiet_s": round(head.quiet_s, 3),
        "notes": list(record.notes),
        "gate": _gate(record, gate),
        "cases": [_case(result) for result in record.results],
        **model,
        "summary": summary(record.results),
    }


def json_report(record: Record, gate: Gate) -> str:
    """The report as text, ASCII only, with a line end."""
    return json.dumps(json_document(record, gate), indent=2) + "\n"


def _gate(record: Record, gate: Gate) -> dict[str, Any]:
    passage = gate.judge(record.results)
    return {
        "fail_on": sorted(verdict.value for verdict in gate.fail_on),
        "baseline": gate.baseline.file if gate.baseline is not None else None,
        "new": list(passage.new),
        "known": list(passage.known),
        "mended": list(passage.mended),
    }


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
