"""A check from its request to its exit code: the engine with its reports attached."""

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field

from rich.console import Console

from fsm_smtp.check.cases.suite import Suite
from fsm_smtp.check.derived.events import AnyEvent
from fsm_smtp.check.engine.connection import Target, TLSMode
from fsm_smtp.check.engine.runner import run_suite
from fsm_smtp.check.engine.session import Settings
from fsm_smtp.check.interrupts import Interrupts
from fsm_smtp.check.reports.files import STDOUT, Outputs
from fsm_smtp.check.reports.gate import Gate
from fsm_smtp.check.reports.json import json_report
from fsm_smtp.check.reports.junit import junit_report
from fsm_smtp.check.reports.listing import print_list
from fsm_smtp.check.reports.record import Record
from fsm_smtp.check.reports.screen import Screen
from fsm_smtp.check.reports.terminal import ReportConsole, TerminalReport


@dataclass(frozen=True, slots=True)
class Request:
    """What to check, how, and where the reports go.

    Attributes:
        suite: the cases.
        target: the server; ``None`` for an embedded one.
        settings: addresses, credentials, patience.
        gate: what fails the run.
        json_file: path of the JSON report, ``-`` for standard output, or ``None``.
        junit_file: the same for the JUnit report.
        html_file: path of the HTML page, or ``None``.
        verbose: show the harmless verdicts too.
        model_extra: play the derived tests too, for a server of so many states more than the
            model's; ``None``: do not.
        model_extensions: derive them for the offered extensions too, not for RFC 5321 alone.
        model_reset: how the server is reset between them: ``connection``, ``rset`` or ``auto``.
    """

    suite: Suite
    target: Target | None
    settings: Settings
    gate: Gate = field(default_factory=Gate)
    json_file: str | None = None
    junit_file: str | None = None
    html_file: str | None = None
    verbose: bool = False
    model_extra: int | None = None
    model_extensions: bool = False
    model_reset: str = "auto"


def perform(request: Request) -> int:
    """Run the check, report, and return the exit code. Ctrl-C reports what is known, once.

    A report that cannot be written is one line on standard error; the others are written.

    Raises:
        TargetUnreachable: there is no SMTP server to judge.
        KeyboardInterrupt: Ctrl-C came twice.
        ModuleNotFoundError: aiosmtpd is missing, and no target was named; or Jinja2, and an HTML
            page is wanted.
        BrokenPipeError: nobody reads standard output any more; the other reports are written.
    """
    files = (request.json_file, request.junit_file, request.html_file)
    console = ReportConsole(highlight=False, stderr=STDOUT in files)
    record = Record()
    terminal = TerminalReport(console, record, request.gate, verbose=request.verbose)
    screen = Screen(terminal, alone=not any(files))
    outputs = Outputs()
    reports = _reports(request, record)
    with ExitStack() as stack:
        interrupts = stack.enter_context(Interrupts())
        target = request.target or _embedded(stack)
        if not interrupts.run(_listen(request, target, (record.handle, screen.handle))):
            # What is known is still reported; the exit code says that it is not all.
            record.complete = False
        if record.started:
            for option, file, report in reports:
                outputs.write(option, file, report)
        else:
            sys.stderr.write(f"Error: {target}: broken off before the first case\n")
        screen.close()
    complete = record.complete and outputs.written and screen.written
    code = request.gate.exit_code(record.results, complete=complete)
    if outputs.broken_pipe or screen.broken_pipe:
        raise BrokenPipeError
    return code


def list_cases(suite: Suite) -> None:
    """Print the suite as a table of contents."""
    print_list(Console(highlight=False), suite)


def _reports(request: Request, record: Record) -> list[tuple[str, str, Callable[[], str]]]:
    """The wanted reports: the option, the file, and what makes the text."""
    gate = request.gate
    found: list[tuple[str, str, Callable[[], str]]] = []
    if request.json_file is not None:
        found.append(("--json", request.json_file, lambda: json_report(record, gate)))
    if request.junit_file is not None:
        found.append(("--junit", request.junit_file, lambda: junit_report(record, gate)))
    if request.html_file is not None:
        # The one report that needs an extra: missing, it is missed before the run.
        from fsm_smtp.check.reports.html import html_report

        implicit = request.target is not None and request.target.tls is TLSMode.IMPLICIT
        found.append(("--html", request.html_file, lambda: html_report(record, gate, tls=implicit)))
    return found


def _embedded(stack: ExitStack) -> Target:
    # The one module that needs the extra.
    from fsm_smtp.check.embedded import HOST, embedded_server

    return Target(HOST, stack.enter_context(embedded_server()))


async def _listen(
    request: Request, target: Target, listeners: tuple[Callable[[AnyEvent], None], ...]
) -> None:
    events: AsyncGenerator[AnyEvent]
    if request.model_extra is None:
        events = run_suite(request.suite, target, request.settings)
    else:
        # The machines and the table cost time that the cases alone need not spend.
        from fsm_smtp.check.derived.resetting import Reset
        from fsm_smtp.check.derived.together import run_with_model

        events = run_with_model(
            request.suite,
            target,
            request.settings,
            request.model_extra,
            None if request.model_extensions else frozenset(),
            Reset(request.model_reset),
        )
    async with aclosing(events):
        async for event in events:
            for listener in listeners:
                listener(event)
