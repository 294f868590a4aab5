"""A check from its request to its exit code: the engine with its reporters attached."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from fsm_smtp.check.connection import Target
from fsm_smtp.check.events import CaseFinished, CaseResult, Event
from fsm_smtp.check.report import JSONReport
from fsm_smtp.check.runner import run_suite
from fsm_smtp.check.session import Settings
from fsm_smtp.check.suite import Suite
from fsm_smtp.check.terminal import TerminalReport, exit_code, print_list


@dataclass(frozen=True, slots=True)
class Request:
    """What to check, how, and where the reports go.

    Attributes:
        suite: the cases.
        target: the server; ``None`` for an embedded one.
        settings: addresses, credentials, patience.
        json_file: path of the JSON report, ``-`` for standard output, or ``None``.
        verbose: show the harmless verdicts too.
    """

    suite: Suite
    target: Target | None
    settings: Settings
    json_file: str | None = None
    verbose: bool = False


def perform(request: Request) -> int:
    """Run the check, report, and return the exit code. Ctrl-C reports what is known.

    Raises:
        TargetUnreachable: there is no SMTP server to judge.
        ModuleNotFoundError: no target was named, and aiosmtpd is not installed.
    """
    console = Console(highlight=False, stderr=request.json_file == "-")
    terminal = TerminalReport(console, verbose=request.verbose)
    report = JSONReport()
    results: list[CaseResult] = []
    complete = False
    with ExitStack() as stack:
        target = request.target or _embedded(stack)
        try:
            asyncio.run(_listen(request, target, (terminal.handle, report.handle), results))
            complete = True
        except KeyboardInterrupt:
            # What is known is still reported; the exit code says that it is not all.
            complete = False
        finally:
            terminal.close()
    if request.json_file is not None and report.started:
        complete &= _write(request.json_file, report.dumps())
    return exit_code(results, complete=complete)


def list_cases(suite: Suite) -> None:
    """Print the suite as a table of contents."""
    print_list(Console(highlight=False), suite)


def _embedded(stack: ExitStack) -> Target:
    # The one module that needs the extra.
    from fsm_smtp.check.embedded import HOST, embedded_server

    return Target(HOST, stack.enter_context(embedded_server()))


async def _listen(
    request: Request,
    target: Target,
    listeners: tuple[Callable[[Event], None], ...],
    results: list[CaseResult],
) -> None:
    async with aclosing(run_suite(request.suite, target, request.settings)) as events:
        async for event in events:
            if isinstance(event, CaseFinished):
                results.append(event.result)
            for listener in listeners:
                listener(event)


def _write(json_file: str, text: str) -> bool:
    """Whether the report could be written; the verdicts count even if not."""
    if json_file == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return True
    try:
        Path(json_file).write_text(text, encoding="utf-8")
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        sys.stderr.write(f"Error: --json: {json_file!r}: {why}\n")
        return False
    return True
