"""The engine: plays a suite against a target and emits events. It prints nothing."""

import asyncio
import time
import traceback
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from datetime import UTC, datetime

from fsm_smtp.check.cases.case import Case, Verdict
from fsm_smtp.check.cases.suite import Suite
from fsm_smtp.check.engine.connection import Target
from fsm_smtp.check.engine.events import (
    CaseFinished,
    CaseResult,
    CaseStarted,
    Event,
    SuiteFinished,
    SuiteStarted,
)
from fsm_smtp.check.engine.player import Run, play
from fsm_smtp.check.engine.policy import Policy, wait_asked
from fsm_smtp.check.engine.presence import Presence
from fsm_smtp.check.engine.session import Settings
from fsm_smtp.check.engine.survey import first_look
from fsm_smtp.version import __version__

#: Seconds before greylisted cases are played again, if the server does not say how many.
GREYLIST_WAIT = 5.0


async def run_suite(suite: Suite, target: Target, settings: Settings) -> AsyncGenerator[Event]:
    """Play the cases, ``settings.jobs`` at a time, and yield what happens.

    Cases that greylisting masks are played once more at the end, if ``settings.patience`` allows
    for the wait; until then they are not finished. Wrap the iterator in `contextlib.aclosing` if
    it may be left early: closing it ends the sessions that are under way.

    Raises:
        TargetUnreachable: before the first event, if there is no SMTP server to judge.
    """
    began = time.monotonic()
    started = datetime.now(UTC)
    look = await first_look(target, settings)
    yield SuiteStarted(
        str(target),
        __version__,
        started,
        look.server,
        len(suite.cases),
        rtt_s=round(look.pace.rtt, 4),
        quiet_s=round(look.pace.quiet, 3),
        notes=look.notes,
    )
    run = Run(target, settings, look, Presence(settings.jobs))
    results: dict[str, CaseResult] = {}
    masked: list[CaseResult] = []
    async with aclosing(_play_all(suite.cases, run)) as steps:
        async for step in steps:
            if isinstance(step, CaseStarted):
                yield step
            elif step.policy == Policy.GREYLISTING:
                masked.append(step)
            else:
                results[step.case.id] = step
                yield CaseFinished(step, time.monotonic() - began)
    async with aclosing(_play_again(masked, run)) as again:
        async for result in again:
            results[result.case.id] = result
            yield CaseFinished(result, time.monotonic() - began)
    ordered = tuple(results[case.id] for case in suite.cases)
    notes = (*look.notes, *run.presence.notes)
    yield SuiteFinished(ordered, time.monotonic() - began, notes)


async def _play_again(masked: list[CaseResult], run: Run) -> AsyncGenerator[CaseResult]:
    """The results of the *masked* cases behind the wait for greylisting, or as they are."""
    if not masked:
        return
    asked = [wait for result in masked if (wait := wait_asked(result.actual)) is not None]
    seconds = max(asked, default=GREYLIST_WAIT)
    count = len(masked)
    if seconds > run.settings.patience:
        run.presence.notes.append(
            f"greylisting masks {count} cases and asks for {seconds:g} s, more than our patience"
            f" of {run.settings.patience:g} s: run again later"
        )
        for result in masked:
            yield result
        return
    await asyncio.sleep(seconds)
    run.presence.notes.append(f"greylisting: {count} cases were played again {seconds:g} s later")
    async with aclosing(_play_all((result.case for result in masked), run)) as steps:
        async for step in steps:
            if isinstance(step, CaseResult):
                yield step


async def _play_all(cases: Iterable[Case], run: Run) -> AsyncGenerator[CaseStarted | CaseResult]:
    waiting = iter(cases)
    running: dict[asyncio.Task[CaseResult], Case] = {}
    try:
        while True:
            while len(running) < run.presence.limit and (case := next(waiting, None)) is not None:
                running[asyncio.create_task(play(case, run))] = case
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
