"""The suite of cases and then the derived tests, as one run with one end."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from fsm_smtp.check.cases.suite import Suite
from fsm_smtp.check.derived.events import AnyEvent, ModelEvent
from fsm_smtp.check.derived.resetting import Reset
from fsm_smtp.check.derived.run import run_model
from fsm_smtp.check.engine.connection import Target
from fsm_smtp.check.engine.events import CaseFinished, CaseResult, SuiteFinished
from fsm_smtp.check.engine.runner import run_suite
from fsm_smtp.check.engine.session import Settings
from fsm_smtp.check.engine.survey import first_look
from fsm_smtp.errors import TargetUnreachable


async def run_with_model(
    suite: Suite,
    target: Target,
    settings: Settings,
    extra: int,
    extensions: frozenset[str] | None,
    reset: Reset = Reset.AUTO,
) -> AsyncGenerator[AnyEvent]:
    """The events of `run_suite`, with those of `run_model` before its `SuiteFinished`.

    *extra*, *extensions* and *reset* are those of `run_model`.

    Raises:
        TargetUnreachable: there is no SMTP server to judge.
    """
    began = time.monotonic()
    async with aclosing(run_suite(suite, target, settings)) as events:
        async for event in events:
            if not isinstance(event, SuiteFinished):
                yield event
                continue
            derived: list[CaseResult] = []
            notes = event.notes
            try:
                async with aclosing(_derived(target, settings, extra, extensions, reset)) as steps:
                    async for step in steps:
                        if isinstance(step, CaseFinished):
                            derived.append(step.result)
                            yield replace(step, at_s=time.monotonic() - began)
                        else:
                            yield step
            except TargetUnreachable as error:
                # The cases have their verdicts; they stand.
                notes = (*notes, f"the derived tests could not be played: {error.why}")
            yield replace(
                event,
                results=(*event.results, *derived),
                notes=notes,
                duration_s=time.monotonic() - began,
            )


async def _derived(
    target: Target,
    settings: Settings,
    extra: int,
    extensions: frozenset[str] | None,
    reset: Reset,
) -> AsyncGenerator[ModelEvent]:
    # A look of its own: what the cases have found has passed by now.
    look = await first_look(target, settings)
    sequences = run_model(target, settings, look, extra=extra, extensions=extensions, reset=reset)
    async with aclosing(sequences) as steps:
        async for step in steps:
            yield step
