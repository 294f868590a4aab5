"""A check played against the model server, faithful or faulty, by a clock that skips waits."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from fsm_smtp.check.cases.case import Case, Verdict
from fsm_smtp.check.cases.suite import Suite
from fsm_smtp.check.engine.connection import Target, TLSMode
from fsm_smtp.check.engine.events import CaseFinished, CaseResult, SuiteFinished
from fsm_smtp.check.engine.runner import run_suite
from fsm_smtp.check.engine.session import Settings
from fsm_smtp.check.reports.gate import Gate
from fsm_smtp.cli.check import UsageError
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
#: Faults by which sessions know of each other: what one leaves to the next, a session of any other
#: case may take.
SHARING = (
    "a new session goes on with the content that another left",
    "a new session goes on with the transaction that another left",
)
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
    """What a check has found: results by case id, or why it could not begin, and whether it has
    come to its end."""

    results: dict[str, CaseResult] = field(default_factory=dict)
    unreachable: str | None = None
    complete: bool = False

    def of(self, *verdicts: Verdict) -> dict[str, CaseResult]:
        """The results with one of the verdicts."""
        return {name: one for name, one in self.results.items() if one.verdict in verdicts}

    def naming(self, requirement: str) -> "Played":
        """The same, with the results only that name *requirement*."""
        named = {name: one for name, one in self.results.items() if requirement in one.requirements}
        return replace(self, results=named)

    @property
    def exit_codes(self) -> tuple[int, int]:
        """What ``fsm-smtp check`` ends with here, and what it does with ``--strict``.

        By the gate that ends the command; `test_exit_codes` holds this to the command itself.
        """
        if self.unreachable is not None:
            return UsageError.exit_code, UsageError.exit_code
        plain, strict = (
            Gate().exit_code(
                [one.judged(strict=strict) for one in self.results.values()],
                complete=self.complete,
            )
            for strict in (False, True)
        )
        return plain, strict


async def play(suite: Suite, way: Way, session: type[Session] = Session) -> Played:
    """Play *suite* against a server of its own."""
    async with model_server(way.options, session) as server:
        target = Target(HOST, server.port, way.mode, verify=False)
        results: dict[str, CaseResult] = {}
        complete = False
        try:
            async for event in run_suite(suite, target, way.settings):
                if isinstance(event, CaseFinished):
                    results[event.result.case.id] = event.result
                complete = isinstance(event, SuiteFinished)
        except TargetUnreachable as error:
            return Played(unreachable=error.why)
        return Played(results, complete=complete)


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
                cases = naming(suite.cases, fault.breaks) if about else met_by(fault, suite)
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


def met_by(fault: Fault, suite: Suite) -> Suite:
    """The part of *suite* that a server with *fault* is asked: LMTP has no EHLO (RFC 2033 §4.1),
    and where sessions share what they know, only cases that are about it may share it."""
    if fault.name in SHARING:
        return naming(suite.cases, fault.breaks)
    return suite.select(["2033-*"]) if fault.run is Run.LMTP else suite


def owed_codes(fault: Fault) -> tuple[int, int]:
    """The exit codes that cases about *fault* must bring about, without ``--strict`` and with it.

    1, of a recommendation with ``--strict`` only; 0 if it is none; 2 where no check can begin.
    """
    if fault.permitted:
        return 0, 0
    if fault.unreachable:
        return 2, 2
    return int(not fault.recommended), 1
