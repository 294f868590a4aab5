"""JUnit XML, read back by a parser that is not ours."""

from collections.abc import Sequence
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.engine.events import Event, SuiteFinished
from fsm_smtp.check.reports.gate import Gate
from fsm_smtp.check.reports.junit import junit_report
from fsm_smtp.check.reports.visible import visible
from tests.check.playing import SUITE
from tests.check.reports.evil import EVIL, evil_events
from tests.check.reports.running import recorded
from tests.check.reports.test_gate import baseline

CONTROLS = [*range(0x20), *range(0x7F, 0xA0), 0x202E, 0x2066, 0xFEFF, 0xFFFE, 0xD800]


def parsed(events: Sequence[Event], gate: Gate | None = None) -> JUnitXml:
    return JUnitXml.fromstring(junit_report(recorded(events), gate or Gate()).encode())


def cases_of(report: JUnitXml) -> dict[str, TestCase]:
    return {case.name: case for suite in report for case in suite}


def test_a_suite_for_each_section(faulty: list[Event]) -> None:
    report = parsed(faulty)
    suites = list(report)
    assert all(isinstance(suite, TestSuite) for suite in suites)
    assert [suite.name for suite in suites] == [
        "RFC 5321 §3.1 Session initiation",
        "RFC 5321 §4.1.4 Order of commands",
    ]
    properties = {one.name: one.value for one in suites[0].properties()}  # type: ignore[no-untyped-call]
    assert properties["target"].startswith("127.0.0.1:")
    assert properties["greeting"].endswith("\\x1b[31mred\\x07")


def test_the_counts_are_right(faulty: list[Event]) -> None:
    report = parsed(faulty)
    written = (report.tests, report.failures, report.errors, report.skipped)
    report.update_statistics()  # type: ignore[no-untyped-call] # counts anew
    assert written == (report.tests, report.failures, report.errors, report.skipped)
    assert report.failures == 1


def test_a_failure_says_what_and_why(faulty: list[Event]) -> None:
    case = cases_of(parsed(faulty))["5321-4.1.4-second-ehlo"]
    (failure,) = case.result
    assert isinstance(failure, Failure)
    assert failure.message == 'expected 250 to "EHLO client.example.test", got 503 again?'
    assert "A second EHLO is answered as the first one was." in failure.text
    assert " S: 503 again?" in case.system_out
    assert case.classname == "rfc5321.4_1_4"


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [
        (Verdict.PASS, None),
        (Verdict.INFO, None),
        (Verdict.LATITUDE, None),
        (Verdict.WARN, None),
        (Verdict.FAIL, Failure),
        (Verdict.TIMEOUT, Error),
        (Verdict.ERROR, Error),
        (Verdict.SKIP, Skipped),
        (Verdict.INCONCLUSIVE, Skipped),
    ],
)
def test_what_each_verdict_is(verdict: Verdict, kind: type | None) -> None:
    found = list(cases_of(parsed(evil_events())).values())[list(Verdict).index(verdict)]
    assert [type(one) for one in found.result] == ([kind] if kind else [])
    root = ElementTree.fromstring(junit_report(recorded(evil_events()), Gate()))
    said = root.findall("testsuite/testcase/properties/property[@name='verdict']")
    assert said[list(Verdict).index(verdict)].get("value") == verdict.value


def test_the_gate_decides_what_a_failure_is() -> None:
    order = list(Verdict)
    cases = list(cases_of(parsed(evil_events(), Gate({Verdict.WARN}))).values())
    assert isinstance(cases[order.index(Verdict.WARN)].result[0], Failure)
    assert not cases[order.index(Verdict.FAIL)].result

    known = Gate(baseline=baseline(*[Verdict.FAIL] * len(order)))
    (skipped,) = list(cases_of(parsed(evil_events(), known)).values())[1].result
    assert isinstance(skipped, Skipped)
    assert skipped.message.startswith("known: expected ")


def test_a_run_that_was_broken_off_is_not_green(faulty: list[Event]) -> None:
    report = parsed([event for event in faulty if not isinstance(event, SuiteFinished)][:2])
    (error,) = cases_of(report)["every case has ended"].result
    assert isinstance(error, Error)
    assert "of 16 cases have ended" in error.message


def test_nothing_that_xml_cannot_carry() -> None:
    text = junit_report(recorded(evil_events()), Gate())
    assert not [number for number in CONTROLS if chr(number) in text.replace("\n", "")]
    root = ElementTree.fromstring(text)
    assert {element.tag for element in root.iter()} == {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error",
        "skipped", "system-out",
    }  # fmt: skip
    suite = root.find("testsuite")
    assert suite is not None
    shown = EVIL.encode("unicode_escape").decode().replace("\\'", "'")
    assert suite.get("name") == f"RFC {SUITE.cases[0].rfc} §{SUITE.cases[0].section} Title {shown}"


@given(st.text(st.characters(codec=None)))
def test_any_text_survives_xml(text: str) -> None:
    shown = visible(text)
    element = ElementTree.Element("x", a=shown)
    element.text = shown
    read = ElementTree.fromstring(ElementTree.tostring(element, encoding="utf-8"))
    assert read.text == (shown or None)
    assert read.get("a") == shown
    assert visible(shown) == shown
