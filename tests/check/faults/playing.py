"""A check played against the model server, faithful or faulty, by a clock that skips waits."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from fsm_smtp.check.cases.case import Case, Verdict
from fsm_smtp.check.cases.suite import Suite
from fsm_smtp.check.engine.connection import Target, TLSMode
from fsm_smtp.check.engine.events import CaseFinished, CaseResult
from fsm_smtp.check.engine.runner import run_suite
from fsm_smtp.check.engine.session import Settings
from fsm_smtp.errors import TargetUnreachable
from fsm_smtp.testing.server.certificate import server_context
from fsm_smtp.testing.server.faults import Fault, Run, faulty
from fsm_smtp.testing.server.listening import model_server
from fsm_smtp.testing.server.options import HOST, PASSWORD, USER, Options
from fsm_smtp.testing.server.session import Session
from tests.check.fast_clock import run_fast

#: Waits cost nothing, so that all of them are long, and slow cases are played.
SETTINGS = Settings(timeout=30.0, quiet=1.0, case_timeout=600.0, jobs=8, slow=True)
#: The settings with credentials.
WITH_CREDENTIALS = replace(SETTINGS, user=USER, password=PASSWORD)
#: Faults that are played at a time.
AT_A_TIME = 8


def usual(**others: Any) -> Options:
    """The usual set-up, in which most cases find what they ask for."""
    options = Options(
        context=server_context(),
        mechanisms=("PLAIN", "LOGIN", "CRAM-MD5"),
        lists={b"rcpt": (b"rcpt2",)},
        # The check breaks the rules of the client's side on purpose.
        watches=False,
        # The server does not give up before the longest wait of a case.
        patience=1000.0,
    )
    return replace(options, **others)


@dataclass(frozen=True, slots=True)
class Way:
    """How a server is set up, and how a check meets it."""

    options: Options
    mode: TLSMode = TLSMode.NONE
    settings: Settings = SETTINGS


def way_of(run: Run) -> Way:
    """The way that a fault asks for."""
    match run:
        case Run.CLEAR:
            return Way(usual())
        case Run.SECURED:
            return Way(usual(implicit_tls=True), TLSMode.IMPLICIT, WITH_CREDENTIALS)
        case Run.AUTHENTICATED:
            return Way(usual(auth_in_clear=True), TLSMode.NONE, WITH_CREDENTIALS)
        case Run.LMTP:
            return Way(usual(lmtp=True))


@dataclass(frozen=True, slots=True)
class Played:
    """What a check has found: results by case id, or why it could not begin."""

    results: dict[str, CaseResult] = field(default_factory=dict)
    unreachable: str | None = None

    def of(self, *verdicts: Verdict) -> dict[str, CaseResult]:
        """The results with one of the verdicts."""
        return {name: one for name, one in self.results.items() if one.verdict in verdicts}


async def play(suite: Suite, way: Way, session: type[Session] = Session) -> Played:
    """Play *suite* against a server of its own."""
    async with model_server(way.options, session) as server:
        target = Target(HOST, server.port, way.mode, verify=False)
        results: dict[str, CaseResult] = {}
        try:
            async for event in run_suite(suite, target, way.settings):
                if isinstance(event, CaseFinished):
                    results[event.result.case.id] = event.result
        except TargetUnreachable as error:
            return Played(unreachable=error.why)
        return Played(results)


async def play_fault(fault: Fault, suite: Suite) -> Played:
    """Play *suite* against a server with *fault*, the way it needs."""
    way = way_of(fault.run)
    return await play(suite, replace(way, options=fault.set_up(way.options)), faulty(fault.name))


def play_all(faults: Iterable[Fault], suite: Suite, *, about: bool = False) -> dict[str, Played]:
    """What a check finds, by fault; *about*: with the cases that name what the fault breaks."""

    async def run() -> dict[str, Played]:
        slots = asyncio.Semaphore(AT_A_TIME)

        async def one(fault: Fault) -> tuple[str, Played]:
            async with slots:
                cases = naming(suite.cases, fault.breaks) if about else suite
                return fault.name, await play_fault(fault, cases) if cases.cases else Played()

        return dict(await asyncio.gather(*map(one, faults)))

    return run_fast(run())


def naming(cases: Iterable[Case], requirement: str) -> Suite:
    """The cases that name *requirement*."""
    return Suite(tuple(case for case in cases if requirement in case.requirements))


def found(fault: Fault, played: Played) -> set[str]:
    """The cases that fail (or warn, of a recommendation) and name what *fault* breaks."""
    verdicts = (Verdict.FAIL, Verdict.WARN) if fault.recommended else (Verdict.FAIL,)
    return {name for name, one in played.of(*verdicts).items() if fault.breaks in one.requirements}


def is_found(fault: Fault, played: Played) -> bool:
    """Whether a case finds *fault*, or no check can begin on it, as it should be."""
    return played.unreachable is not None if fault.unreachable else bool(found(fault, played))
