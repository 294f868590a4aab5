"""A check played against the model server, faithful or with a fault."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

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

#: Loopback answers within a millisecond; what has not come by then does not come.
SETTINGS = Settings(timeout=1.0, quiet=0.1, case_timeout=10.0, jobs=8)
#: The settings with credentials.
WITH_CREDENTIALS = replace(SETTINGS, user=USER, password=PASSWORD)


@dataclass(frozen=True, slots=True)
class Played:
    """What a check has found: results by case id, or why it could not begin."""

    results: dict[str, CaseResult] = field(default_factory=dict)
    unreachable: str | None = None

    def of(self, *verdicts: Verdict) -> dict[str, CaseResult]:
        """The results with one of the verdicts."""
        return {name: one for name, one in self.results.items() if one.verdict in verdicts}


async def play(
    suite: Suite,
    options: Options,
    *,
    session: type[Session] = Session,
    mode: TLSMode = TLSMode.NONE,
    settings: Settings = SETTINGS,
) -> Played:
    """Play *suite* against a server of its own."""
    async with model_server(options, session) as server:
        target = Target(HOST, server.port, mode, verify=False)
        results: dict[str, CaseResult] = {}
        try:
            async for event in run_suite(suite, target, settings):
                if isinstance(event, CaseFinished):
                    results[event.result.case.id] = event.result
        except TargetUnreachable as error:
            return Played(unreachable=error.why)
        return Played(results)


async def play_fault(fault: Fault, suite: Suite) -> Played:
    """Play *suite* against a server with *fault*, the way it needs."""
    secured = fault.run is Run.SECURED
    options = fault.set_up(Options(context=server_context(), implicit_tls=secured))
    patience = replace(SETTINGS, timeout=0.3) if fault.unreachable else SETTINGS
    return await play(
        suite,
        options,
        session=faulty(fault.name),
        mode=TLSMode.IMPLICIT if secured else TLSMode.NONE,
        settings=WITH_CREDENTIALS if secured else patience,
    )


def naming(cases: Iterable[Case], requirement: str) -> Suite:
    """The cases that name *requirement*."""
    return Suite(tuple(case for case in cases if requirement in case.requirements))


def found(fault: Fault, played: Played) -> set[str]:
    """The cases that fail (or warn, of a recommendation) and name what *fault* breaks."""
    verdicts = (Verdict.FAIL, Verdict.WARN) if fault.recommended else (Verdict.FAIL,)
    return {name for name, one in played.of(*verdicts).items() if fault.breaks in one.requirements}
