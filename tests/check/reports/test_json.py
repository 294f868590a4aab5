"""The JSON report: a contract."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.engine.events import CaseFinished, Event, SuiteFinished
from fsm_smtp.check.reports.gate import Gate
from fsm_smtp.check.reports.json import json_report
from fsm_smtp.check.reports.record import Record, summary
from fsm_smtp.version import __version__
from tests.check.playing import SUITE
from tests.check.reports.running import LATER, recorded, result_of

CASE_KEYS = {
    "id", "rfc", "section", "level", "requirements", "requirement", "duration_s", "verdict",
    "expected", "actual", "transcript",
}  # fmt: skip
VERDICTS = [
    "pass", "fail", "warn", "latitude", "info", "skip", "inconclusive", "timeout", "error",
]  # fmt: skip


class TestJSON:
    def document(self, events: Sequence[Event]) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(json_report(recorded(events), Gate()))
        return document

    def test_the_contract(self, faulty: list[Event]) -> None:
        document = self.document(faulty)
        assert list(document) == [
            "schema", "target", "version", "started", "duration_s", "complete", "server",
            "round_trip_s", "quiet_s", "notes", "gate", "cases", "summary",
        ]  # fmt: skip
        assert document["schema"] == 1
        assert document["version"] == __version__
        assert document["target"].startswith("127.0.0.1:")
        assert datetime.fromisoformat(document["started"]).tzinfo is not None
        assert 0 < document["duration_s"] < 60
        assert document["server"] == {
            "greeting": "220 mx.example.test [bold red]loud[/] \x1b[31mred\x07",
            "ehlo": ["mx.example.test", "HELP", "PIPELINING"],
        }
        assert document["complete"] is True
        assert document["gate"] == {
            "fail_on": ["fail"],
            "baseline": None,
            "new": ["5321-4.1.4-second-ehlo"],
            "known": [],
            "mended": [],
        }
        assert list(document["summary"]) == VERDICTS

    def test_each_case(self, faulty: list[Event]) -> None:
        document = self.document(faulty)
        assert {case["id"] for case in document["cases"]} == {
            case.id for case in SUITE.select(["5321-4.1.4-*", "5321-3.1-*"], LATER).cases
        }
        for case in document["cases"]:
            assert set(case) == CASE_KEYS
            assert case["verdict"] in VERDICTS
            assert case["level"] in ("MUST", "SHOULD", "MAY")
            assert case["rfc"] == "5321"
            assert isinstance(case["duration_s"], float)
            assert all(isinstance(line, str) for line in case["transcript"])
        counted = [case["verdict"] for case in document["cases"]]
        assert document["summary"] == {name: counted.count(name) for name in VERDICTS}

    def test_a_failure_says_what_and_why(self, faulty: list[Event]) -> None:
        (failed,) = [case for case in self.document(faulty)["cases"] if case["verdict"] == "fail"]
        assert failed["id"] == "5321-4.1.4-second-ehlo"
        assert failed["section"] == "4.1.4"
        assert failed["requirements"] == ["R090"]
        assert failed["expected"] == '250 to "EHLO client.example.test"'
        assert failed["actual"] == "503 again?"
        assert any(" C: EHLO client.example.test" in line for line in failed["transcript"])
        assert failed["transcript"][-1].endswith(" S: 503 again?")

    def test_what_is_known_when_a_run_is_broken_off(self, faulty: list[Event]) -> None:
        known = [event for event in faulty if not isinstance(event, SuiteFinished)][:6]
        document = self.document(known)
        finished = sum(isinstance(event, CaseFinished) for event in known)
        assert len(document["cases"]) == finished
        assert document["complete"] is False

    def test_nothing_to_report(self) -> None:
        record = Record()
        assert not record.started
        with pytest.raises(RuntimeError, match="no suite"):
            json_report(record, Gate())


def test_the_summary_counts_every_verdict() -> None:
    counts = summary([result_of(Verdict.PASS), result_of(Verdict.PASS), result_of(Verdict.SKIP)])
    assert counts["pass"] == 2
    assert counts["skip"] == 1
    assert list(counts) == VERDICTS
