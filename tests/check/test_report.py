"""The reports: the JSON contract, and the terminal that trusts no server."""

import asyncio
import io
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from rich.console import Console

from fsm_smtp.check.case import Verdict
from fsm_smtp.check.connection import Target
from fsm_smtp.check.events import CaseFinished, CaseResult, Event, SuiteFinished
from fsm_smtp.check.report import JSONReport, summary
from fsm_smtp.check.runner import run_suite
from fsm_smtp.check.suite import Suite
from fsm_smtp.check.terminal import TerminalReport, exit_code, print_list
from fsm_smtp.version import __version__
from tests.check.playing import SETTINGS, SUITE
from tests.check.strict_server import HOST, strict_server

CASE_KEYS = {
    "id", "rfc", "section", "level", "requirements", "requirement", "duration_s", "verdict",
    "expected", "actual", "transcript",
}  # fmt: skip
VERDICTS = [
    "pass", "fail", "warn", "latitude", "info", "skip", "inconclusive", "timeout", "error",
]  # fmt: skip


def events_of(suite: Suite, *faults: str) -> list[Event]:
    async def run() -> list[Event]:
        async with strict_server(*faults) as port:
            return [event async for event in run_suite(suite, Target(HOST, port), SETTINGS)]

    return asyncio.run(run())


def printed(events: list[Event], *, terminal: bool = False, verbose: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=80, highlight=False)
    report = TerminalReport(console, verbose=verbose)
    for event in events:
        report.handle(event)
    report.close()
    return out.getvalue()


@pytest.fixture(scope="module")
def faulty() -> list[Event]:
    some = SUITE.select(["5321-4.1.4-*", "5321-3.1-*"])
    return events_of(some, "refuses a second EHLO", "greets with markup and controls")


class TestJSON:
    def document(self, events: Sequence[Event]) -> dict[str, Any]:
        report = JSONReport()
        for event in events:
            report.handle(event)
        document: dict[str, Any] = json.loads(report.dumps())
        return document

    def test_the_contract(self, faulty: list[Event]) -> None:
        document = self.document(faulty)
        assert list(document) == [
            "schema", "target", "version", "started", "duration_s", "server", "cases", "summary",
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
        assert list(document["summary"]) == VERDICTS

    def test_each_case(self, faulty: list[Event]) -> None:
        document = self.document(faulty)
        assert {case["id"] for case in document["cases"]} == {
            case.id for case in SUITE.select(["5321-4.1.4-*", "5321-3.1-*"]).cases
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

    def test_nothing_to_report(self) -> None:
        report = JSONReport()
        assert not report.started
        with pytest.raises(RuntimeError, match="no suite"):
            report.dumps()


class TestTerminal:
    def test_failures_then_one_line_of_summary(self, faulty: list[Event]) -> None:
        lines = printed(faulty).splitlines()
        played = SUITE.select(["5321-4.1.4-*", "5321-3.1-*"]).cases
        assert lines[-1].startswith(f"{len(played)} cases, ")
        assert "1 fail" in lines[-1]
        at = next(number for number, line in enumerate(lines) if line.startswith("FAIL"))
        assert lines[at] == "FAIL   5321-4.1.4-second-ehlo  RFC 5321 §4.1.4, MUST"
        assert lines[at + 1] == "  A second EHLO is answered as the first one was."
        assert lines[at + 2] == '  expected  250 to "EHLO client.example.test"'
        assert lines[at + 3] == "  got       503 again?"
        assert lines[-3].endswith(" S: 503 again?")

    def test_a_server_writes_neither_markup_nor_controls(self, faulty: list[Event]) -> None:
        for text in (printed(faulty), printed(faulty, verbose=True)):
            assert "\x1b" not in text
            assert "\x07" not in text
            assert "[bold red]loud[/] \\x1b[31mred\\x07" in text
        coloured = printed(faulty, terminal=True)
        assert "\x1b[31mred" not in coloured
        assert "[bold red]loud[/]" in coloured

    def test_the_same_reason_is_said_once(self) -> None:
        text = printed(events_of(SUITE, "shuts down at MAIL"))
        assert " cases are inconclusive for the same reason\n" in text
        assert text.count("421 mx.example.test busy") < 10
        assert "name one that is taken there, with --sender" in text

    def test_verbose_shows_the_harmless_too(self, faulty: list[Event]) -> None:
        assert "SKIP   5321-3.1-refused-session-stays-open" in printed(faulty, verbose=True)
        assert "SKIP " not in printed(faulty)

    def test_the_list_is_a_table_of_contents(self) -> None:
        out = io.StringIO()
        print_list(Console(file=out, highlight=False), SUITE)
        lines = out.getvalue().splitlines()
        first = SUITE.cases[0]
        assert lines[0] == f"RFC {first.rfc} §{first.section}  {first.title}"
        assert sum(line.startswith("  ") for line in lines) == len(SUITE.cases)
        sections = [line for line in lines if line.startswith("RFC ")]
        assert len(sections) == len(set(sections))


def result_of(verdict: Verdict) -> CaseResult:
    return CaseResult(SUITE.cases[0], verdict, "", "")


@pytest.mark.parametrize(
    ("verdicts", "complete", "code"),
    [
        ([], True, 0),
        ([Verdict.PASS, Verdict.WARN, Verdict.TIMEOUT, Verdict.INCONCLUSIVE], True, 0),
        ([Verdict.PASS, Verdict.FAIL], True, 1),
        ([Verdict.ERROR, Verdict.FAIL], True, 1),
        ([Verdict.ERROR, Verdict.PASS], True, 2),
        ([Verdict.PASS], False, 2),
        ([Verdict.FAIL], False, 1),
    ],
)
def test_exit_codes(verdicts: list[Verdict], complete: bool, code: int) -> None:
    assert exit_code(map(result_of, verdicts), complete=complete) == code


def test_the_summary_counts_every_verdict() -> None:
    counts = summary([result_of(Verdict.PASS), result_of(Verdict.PASS), result_of(Verdict.SKIP)])
    assert counts["pass"] == 2
    assert counts["skip"] == 1
    assert list(counts) == VERDICTS
