"""The engine: plays a suite against a target and emits events. It prints nothing."""

import asyncio
import time
import traceback
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime

from fsm_smtp.check.case import Case, Verdict
from fsm_smtp.check.connection import Target
from fsm_smtp.check.events import (
    CaseFinished,
    CaseResult,
    CaseStarted,
    Event,
    ServerInfo,
    SuiteFinished,
    SuiteStarted,
)
from fsm_smtp.check.player import play
from fsm_smtp.check.session import Settings
from fsm_smtp.check.suite import Suite
from fsm_smtp.check.survey import probe
from fsm_smtp.version import __version__


async def run_suite(suite: Suite, target: Target, settings: Settings) -> AsyncGenerator[Event]:
    """Play the cases, ``settings.jobs`` at a time, and yield what happens.

    Wrap the iterator in `contextlib.aclosing` if it may be left early: closing it ends the
    sessions that are under way.

    Raises:
        TargetUnreachable: before the first event, if there is no SMTP server to judge.
    """
    began = time.monotonic()
    started = datetime.now(UTC)
    server = await probe(target, settings)
    yield SuiteStarted(str(target), __version__, started, server, len(suite.cases))
    results: dict[str, CaseResult] = {}
    async with aclosing(_play_all(suite, target, settings, server)) as steps:
        async for step in steps:
            if isinstance(step, CaseResult):
                results[step.case.id] = step
                yield CaseFinished(step, time.monotonic() - began)
            else:
                yield step
    ordered = tuple(results[case.id] for case in suite.cases)
    yield SuiteFinished(ordered, time.monotonic() - began)


async def _play_all(
    suite: Suite, target: Target, settings: Settings, server: ServerInfo
) -> AsyncGenerator[CaseStarted | CaseResult]:
    waiting = iter(suite.cases)
    running: dict[asyncio.Task[CaseResult], Case] = {}
    try:
        while True:
            while len(running) < settings.jobs and (case := next(waiting, None)) is not None:
                task = asyncio.create_task(play(case, target, settings, server))
                running[task] = case
                yield CaseStarted(case)
            if not running:
                return
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield _result(task, running.pop(task))
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _result(task: asyncio.Task[CaseResult], case: Case) -> CaseResult:
    """What the case ended with; a mistake of ours is a verdict too, with its traceback."""
    error = task.exception()
    if error is None:
        return task.result()
    where = "".join(traceback.format_exception(error)).splitlines()
    return CaseResult(case, Verdict.ERROR, "no mistake of ours", repr(error), tuple(where))
