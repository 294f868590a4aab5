"""The report as JUnit XML, as continuous integration reads it.

A test suite is a section of an RFC, a test case is a case. What fails the run is a ``failure``; a
mistake of ours and a time-out are an ``error``, since neither says that a requirement is broken;
what did not come to its point (``skip``, ``inconclusive``) is ``skipped``, and so is a failure that
the baseline has already. The rest passes. The verdict itself is a property of the test case.
"""

from collections.abc import Iterable
from xml.etree import ElementTree

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.engine.events import CaseResult
from fsm_smtp.check.reports.gate import Gate, Passage
from fsm_smtp.check.reports.record import Record, summary
from fsm_smtp.check.reports.visible import visible


def junit_report(record: Record, gate: Gate) -> str:
    """The report of what is known so far, as XML with its declaration."""
    passage = gate.judge(record.results)
    suites: dict[tuple[str, str, str], list[CaseResult]] = {}
    for result in record.results:
        case = result.case
        suites.setdefault((case.rfc, case.section, case.title), []).append(result)
    root = ElementTree.Element("testsuites", name="fsm-smtp check")
    for (rfc, section, title), results in suites.items():
        name = f"RFC {rfc} §{section} {title}"
        root.append(_suite(record, name, [_case(result, passage) for result in results]))
    if not record.complete:
        root.append(_suite(record, "fsm-smtp check", [_broken_off(record)]))
    _count(root, root.iter("testcase"))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _suite(record: Record, name: str, cases: list[ElementTree.Element]) -> ElementTree.Element:
    head = record.head
    started = head.started.replace(tzinfo=None).isoformat(timespec="seconds")
    suite = ElementTree.Element("testsuite", name=visible(name), timestamp=started)
    properties = ElementTree.SubElement(suite, "properties")
    for key, value in {
        "target": head.target,
        "version": head.version,
        "greeting": head.server.greeting,
    }.items():
        ElementTree.SubElement(properties, "property", name=key, value=visible(value))
    suite.extend(cases)
    _count(suite, cases)
    return suite


def _count(element: ElementTree.Element, cases: Iterable[ElementTree.Element]) -> None:
    found = list(cases)
    element.set("tests", str(len(found)))
    for key, tag in {"failures": "failure", "errors": "error", "skipped": "skipped"}.items():
        element.set(key, str(sum(case.find(tag) is not None for case in found)))
    element.set("time", f"{sum(float(case.get('time', '0')) for case in found):.3f}")


def _case(result: CaseResult, passage: Passage) -> ElementTree.Element:
    case = result.case
    element = ElementTree.Element(
        "testcase",
        classname=f"rfc{case.rfc}.{case.section.replace('.', '_')}",
        name=case.id,
        time=f"{result.duration_s:.3f}",
    )
    properties = ElementTree.SubElement(element, "properties")
    for key, value in {
        "verdict": result.verdict.value,
        "level": case.level.value,
        "requirements": " ".join(result.requirements),
    }.items():
        ElementTree.SubElement(properties, "property", name=key, value=visible(value))
    if (tag := _tag(result, passage)) is not None:
        known = "known: " if case.id in passage.known else ""
        message = visible(f"{known}expected {result.expected}, got {result.actual}")
        outcome = ElementTree.SubElement(element, tag, type=result.verdict.value, message=message)
        outcome.text = visible(
            f"{case.requirement}\nRFC {case.rfc} §{case.section}, {case.level.value}\n"
            f"expected: {result.expected}\ngot: {result.actual}\n"
        )
    if result.transcript:
        said = ElementTree.SubElement(element, "system-out")
        said.text = visible("\n".join(result.transcript) + "\n")
    return element


def _tag(result: CaseResult, passage: Passage) -> str | None:
    if result.case.id in passage.known:
        return "skipped"
    if result.verdict in (Verdict.ERROR, Verdict.TIMEOUT):
        return "error"
    if result.case.id in passage.new:
        return "failure"
    return "skipped" if result.verdict in (Verdict.SKIP, Verdict.INCONCLUSIVE) else None


def _broken_off(record: Record) -> ElementTree.Element:
    """What keeps a run that was broken off from looking like one in which all was well."""
    element = ElementTree.Element(
        "testcase", classname="run", name="every case has ended", time="0.000"
    )
    ended = sum(summary(record.results).values())
    message = f"broken off: {ended} of {record.head.cases} cases have ended"
    ElementTree.SubElement(element, "error", type="broken-off", message=message)
    return element
