"""Runs for the tests of the reports: real events of the strict server, recorded once."""

import asyncio
import io
from collections.abc import Iterable, Sequence

from rich.console import Console

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.cases.suite import Suite
from fsm_smtp.check.engine.connection import Target
from fsm_smtp.check.engine.events import CaseResult, Event
from fsm_smtp.check.engine.runner import run_suite
from fsm_smtp.check.reports.gate import Gate
from fsm_smtp.check.reports.record import Record
from fsm_smtp.check.reports.terminal import TerminalReport
from tests.check.playing import SETTINGS, SUITE
from tests.check.strict_server import HOST, strict_server

#: What these tests do without: their figures are those of sixteen cases.
LATER = (
    "5321-*-early-talker",
    "5321-*-in-the-name",
    "5321-*-that-does-not-match",
    "5321-*-unknown-command-changes-nothing",
)


def events_of(suite: Suite, *faults: str) -> list[Event]:
    """What a run of *suite* on the strict server with *faults* emits."""

    async def run() -> list[Event]:
        async with strict_server(*faults) as port:
            return [event async for event in run_suite(suite, Target(HOST, port), SETTINGS)]

    return asyncio.run(run())


def recorded(events: Iterable[Event]) -> Record:
    """What is known after *events*."""
    record = Record()
    for event in events:
        record.handle(event)
    return record


def printed(
    events: Sequence[Event],
    *,
    terminal: bool = False,
    verbose: bool = False,
    gate: Gate | None = None,
) -> str:
    """What the terminal report prints of *events*."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=80, highlight=False)
    record = Record()
    report = TerminalReport(console, record, gate or Gate(), verbose=verbose)
    for event in events:
        record.handle(event)
        report.handle(event)
    report.close()
    return out.getvalue()


def result_of(verdict: Verdict, number: int = 0) -> CaseResult:
    """A case of the suite with this verdict."""
    return CaseResult(SUITE.cases[number], verdict, "", "")
