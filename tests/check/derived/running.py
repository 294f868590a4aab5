"""Running the derived tests in a test: what came of them."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field

from fsm_smtp.check.derived.events import ModelEvent, ModelFinished, ModelPrepared
from fsm_smtp.check.derived.resetting import Reset
from fsm_smtp.check.derived.run import run_model
from fsm_smtp.check.engine.connection import Target
from fsm_smtp.check.engine.events import CaseFinished, CaseResult
from fsm_smtp.check.engine.session import Settings
from fsm_smtp.check.engine.survey import first_look
from tests.check.strict_server import HOST, strict_server

#: Loopback answers within a millisecond; what has not come by then does not come.
SETTINGS = Settings(timeout=1.0, quiet=0.1, jobs=8)


@dataclass(slots=True)
class Report:
    """What a run has emitted."""

    events: list[ModelEvent] = field(default_factory=list)

    @property
    def prepared(self) -> ModelPrepared:
        return next(event for event in self.events if isinstance(event, ModelPrepared))

    @property
    def finished(self) -> ModelFinished:
        event = self.events[-1]
        assert isinstance(event, ModelFinished)
        return event

    @property
    def results(self) -> dict[str, CaseResult]:
        """The results by id; each comes once."""
        found = [event.result for event in self.events if isinstance(event, CaseFinished)]
        assert len({result.case.id for result in found}) == len(found)
        return {result.case.id: result for result in found}


async def examine(
    port: int,
    settings: Settings = SETTINGS,
    extra: int = 0,
    extensions: frozenset[str] = frozenset(),
    reset: Reset = Reset.AUTO,
) -> Report:
    """What the derived tests say of the server at *port*, with *extensions* of those it offers."""
    target, report = Target(HOST, port), Report()
    look = await first_look(target, settings)
    sequences = run_model(target, settings, look, extra=extra, extensions=extensions, reset=reset)
    async with aclosing(sequences) as events:
        async for event in events:
            report.events.append(event)
    return report


def examine_strict(
    *faults: str,
    settings: Settings = SETTINGS,
    extra: int = 0,
    reset: Reset = Reset.AUTO,
) -> Report:
    """What they say of the strict server with *faults*."""

    async def run() -> Report:
        async with strict_server(*faults) as port:
            return await examine(port, settings, extra, reset=reset)

    return asyncio.run(run())
