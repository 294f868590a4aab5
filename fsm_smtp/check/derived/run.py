"""`fsm-smtp check --model`: calibrate, derive, play, and say what is known then."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fsm_smtp.check.derived.calibration import calibrate
from fsm_smtp.check.derived.events import (
    Choice,
    ModelEvent,
    ModelFinished,
    ModelPrepared,
    ModelProgress,
)
from fsm_smtp.check.derived.examination import Examination
from fsm_smtp.check.derived.plan import Plan, planned
from fsm_smtp.check.derived.playing import Site
from fsm_smtp.check.derived.reference import Reference
from fsm_smtp.check.derived.resetting import Reset
from fsm_smtp.check.engine.connection import Target, TLSMode
from fsm_smtp.check.engine.events import CaseFinished, CaseResult, ServerInfo
from fsm_smtp.check.engine.session import Settings
from fsm_smtp.check.engine.survey import Look
from fsm_smtp.owed import Calibration, ServerModel
from fsm_smtp.table import load_table


async def run_model(
    target: Target,
    settings: Settings,
    look: Look,
    *,
    extra: int = 0,
    extensions: frozenset[str] | None = None,
    model: ServerModel | None = None,
    reset: Reset = Reset.AUTO,
) -> AsyncGenerator[ModelEvent]:
    """Play the sequences that follow from the model of what a server owes.

    Wrap the iterator in `contextlib.aclosing` if it may be left early.

    Args:
        target: the server.
        settings: addresses, credentials, patience; ``jobs`` sequences at a time.
        look: what the first look at it has found (`first_look`).
        extra: how many states more than the machine's the server may have.
        extensions: EHLO keywords whose commands are tried, of those that are offered and that
            the settings permit; without, all of these.
        model: what servers owe; without, the table's.
        reset: how the server is brought back to where a sequence begins.

    Raises:
        TargetUnreachable: no session can be opened.
        ValueError: *extra* is negative.
    """
    began = time.monotonic()
    model = model or ServerModel.of(load_table())
    offered = usable(model, target, settings, look.server)
    chosen = offered if extensions is None else offered & extensions
    steps: asyncio.Queue[int | None] = asyncio.Queue()
    calibrating = asyncio.create_task(calibrate(target, settings, model, chosen, steps.put_nowait))
    calibrating.add_done_callback(lambda _: steps.put_nowait(None))
    try:
        while (asked := await steps.get()) is not None:
            yield ModelProgress("calibration", asked, None)
        calibration = await calibrating
    finally:
        calibrating.cancel()
    instance = model.instantiate(calibration.choices, chosen)
    reference = Reference.of(model, instance, chosen)
    suite = reference.suite(extra)
    plan = await planned(reference, suite, reset, target, settings, look)
    prepared = _prepared(reference, plan, calibration, chosen, extra)
    yield prepared
    examination = Examination(Site(target, settings, reference, look.pace.quiet), plan.resets)
    results: list[CaseResult] = []
    async with aclosing(examination.examine(plan.alone, plan.chained)) as found:
        async for new in found:
            if new is not None:
                result = new.judged(strict=settings.strict)
                results.append(result)
                yield CaseFinished(result, time.monotonic() - began)
            yield ModelProgress("sequences", examination.played, prepared.sequences)
    for remark in examination.remarks():
        result = remark.judged(strict=settings.strict)
        results.append(result)
        yield CaseFinished(result, time.monotonic() - began)
    yield ModelFinished(
        prepared,
        tuple(results),
        examination.failed,
        dict(examination.cut),
        guarantee(prepared, examination),
        time.monotonic() - began,
        plan.outcome(prepared, examination.course),
    )


def usable(
    model: ServerModel, target: Target, settings: Settings, server: ServerInfo
) -> frozenset[str]:
    """The EHLO keywords that the model has inputs for, that the server offers, and that the
    settings permit: AUTH with credentials only, STARTTLS if the session is not under TLS."""
    known = {one.extension for one in model.server.inputs.values() if one.extension is not None}
    permitted = set(server.extensions)
    if settings.user is None:
        permitted.discard("AUTH")
    if target.tls is not TLSMode.NONE:
        permitted.discard("STARTTLS")
    return frozenset(known & permitted)


def _prepared(
    reference: Reference,
    plan: Plan,
    calibration: Calibration,
    extensions: frozenset[str],
    extra: int,
) -> ModelPrepared:
    words = [*plan.alone, *plan.chained]
    certain = {probe.point: probe.certain for probe in calibration.probes}
    return ModelPrepared(
        tuple(sorted(extensions)),
        tuple(
            Choice(point, answer, certain.get(point, False))
            for point, answer in calibration.choices.items()
        ),
        reference.machine.size,
        extra,
        len(reference.machine.inputs),
        len(words),
        sum(map(len, words)),
        reference.shown(),
    )


def guarantee(prepared: ModelPrepared, examination: Examination) -> str:
    """What the run has shown, in a sentence."""
    n, m = prepared.states, prepared.states + prepared.extra
    machine = f"the machine of its {len(prepared.choices)} choices (n = {n} states)"
    if examination.failed:
        faults = examination.transitions
        return (
            f"None: the server differs from {machine} in {faults} "
            f"transition{'s' if faults != 1 else ''}, which {examination.failed} of "
            f"{prepared.sequences} sequences have shown."
        )
    kept = (
        f"a deterministic server of at most m = {m} states that differs from {machine} in the "
        f"class of any reply to any sequence of these {prepared.inputs} inputs would have failed"
    )
    if examination.course.behind_rset and prepared.extra:
        kept = f"{kept}, if RSET resets it also where it has states of its own"
    cut = sum(examination.cut.values())
    if cut:
        return (
            f"Limited: {cut} of {prepared.sequences} sequences were cut off by the server's "
            f"policy; had they passed like all the others, {kept}."
        )
    return f"All {prepared.sequences} sequences passed: {kept}."
