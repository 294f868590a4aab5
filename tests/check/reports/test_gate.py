"""What fails a run: verdicts, a baseline, exit codes."""

from pathlib import Path

import pytest

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.engine.events import CaseResult
from fsm_smtp.check.reports.gate import Gate, Passage
from fsm_smtp.check.reports.saved import SavedCase, SavedReport, UnreadableReport, read_report
from tests.check.playing import SUITE
from tests.check.reports.running import result_of


def results(*verdicts: Verdict) -> list[CaseResult]:
    """The first cases of the suite with these verdicts."""
    return [result_of(verdict, number) for number, verdict in enumerate(verdicts)]


def ids(*numbers: int) -> tuple[str, ...]:
    return tuple(SUITE.cases[number].id for number in numbers)


def baseline(*verdicts: Verdict) -> SavedReport:
    cases = tuple(
        SavedCase(case.id, case.rfc, case.section, "MUST", "", verdict, "", "")
        for case, verdict in zip(SUITE.cases, verdicts, strict=False)
    )
    return SavedReport("known.json", "host:25", "1", "2026-01-01T00:00:00+00:00", "220", cases)


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
        ([Verdict.INCONCLUSIVE, Verdict.SKIP], True, 2),
        ([Verdict.INCONCLUSIVE, Verdict.TIMEOUT], True, 2),
        ([Verdict.INCONCLUSIVE, Verdict.INFO], True, 0),
        ([Verdict.SKIP], True, 0),
    ],
)
def test_exit_codes(verdicts: list[Verdict], complete: bool, code: int) -> None:
    assert Gate().exit_code(results(*verdicts), complete=complete) == code


class TestFailOn:
    def test_only_fail_without_being_asked(self) -> None:
        passage = Gate().judge(results(*Verdict))
        assert passage.new == ids(list(Verdict).index(Verdict.FAIL))

    def test_what_is_asked_for(self) -> None:
        gate = Gate({Verdict.WARN, Verdict.TIMEOUT})
        found = results(Verdict.FAIL, Verdict.WARN, Verdict.TIMEOUT, Verdict.PASS)
        assert gate.judge(found) == Passage(new=ids(1, 2))
        assert gate.exit_code(found, complete=True) == 1
        assert gate.exit_code(found[:1], complete=True) == 0


class TestBaseline:
    def test_known_new_and_mended(self) -> None:
        gate = Gate(baseline=baseline(Verdict.FAIL, Verdict.PASS, Verdict.FAIL, Verdict.FAIL))
        found = results(Verdict.FAIL, Verdict.FAIL, Verdict.PASS, Verdict.SKIP, Verdict.FAIL)
        # The fourth is not judged now, so nobody knows; the fifth is not in the baseline at all.
        assert gate.judge(found) == Passage(new=ids(1, 4), known=ids(0), mended=ids(2))
        assert gate.exit_code(found, complete=True) == 1

    def test_nothing_new_passes(self) -> None:
        gate = Gate(baseline=baseline(Verdict.FAIL))
        assert gate.exit_code(results(Verdict.FAIL), complete=True) == 0
        assert gate.exit_code(results(Verdict.FAIL), complete=False) == 2

    def test_what_gets_worse_is_new(self) -> None:
        gate = Gate({Verdict.WARN, Verdict.FAIL}, baseline(Verdict.WARN, Verdict.FAIL))
        found = results(Verdict.FAIL, Verdict.WARN)
        assert gate.judge(found) == Passage(new=ids(0), known=ids(1))

    def test_what_did_not_fail_then_is_not_known(self) -> None:
        """A warning of a run that warnings did not fail is accepted where they do."""
        before = baseline(Verdict.WARN)
        assert Gate({Verdict.WARN}, before).judge(results(Verdict.WARN)).known == ids(0)
        assert Gate(baseline=before).judge(results(Verdict.FAIL)).new == ids(0)


GOOD = """{"schema": 1, "target": "h:25", "version": "1", "started": "x",
 "server": {"greeting": "220 h"}, "cases": [%s]}"""
CASE = """{"id": "a-b", "rfc": "1", "section": "1", "level": "MUST", "requirement": "",
 "verdict": "%s", "expected": "", "actual": ""}"""


class TestReadingBack:
    def read(self, folder: Path, text: str) -> SavedReport:
        path = folder / "report.json"
        path.write_text(text, encoding="utf-8")
        return read_report(path)

    def test_a_report(self, tmp_path: Path) -> None:
        report = self.read(tmp_path, GOOD % (CASE % "fail"))
        assert report.target == "h:25"
        assert report.cases[0].verdict is Verdict.FAIL

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "no JSON report"),
            ("{", "no JSON report"),
            ("\ufeff\x00", "no JSON report"),
            ("[" * 100_000, "no JSON report"),
            ("[]", "it has no schema"),
            ("{}", "it has no schema"),
            ('{"schema": 2}', "a report of schema 2; this version reads schema 1"),
            ('{"schema": true}', "a report of schema true"),
            ('{"schema": 1}', "'server' is missing"),
            (GOOD % "1", "'cases' is missing"),
            (GOOD % "{}", "'verdict' is missing"),
            (GOOD % (CASE % "great"), "no verdict 'great'"),
            (GOOD % f"{CASE % 'pass'}, {CASE % 'fail'}", "a case stands twice"),
        ],
    )
    def test_what_is_none(self, tmp_path: Path, text: str, why: str) -> None:
        with pytest.raises(UnreadableReport, match=r"report\.json") as raised:
            self.read(tmp_path, text)
        assert why in str(raised.value)
        assert "\n" not in str(raised.value)

    def test_what_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableReport, match="no such file"):
            read_report(tmp_path / "none.json")
        with pytest.raises(UnreadableReport, match="directory"):
            read_report(tmp_path)
