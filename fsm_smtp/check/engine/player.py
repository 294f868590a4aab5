"""One case played from its first connection to its verdict."""

import asyncio
import time
from dataclasses import dataclass, replace

from fsm_smtp.check.cases.case import Case, Verdict
from fsm_smtp.check.engine.connection import Connection, Target
from fsm_smtp.check.engine.events import CaseResult
from fsm_smtp.check.engine.judge import NOBODY_CLOSES, Judgement, worst
from fsm_smtp.check.engine.presence import ATTEMPTS, Presence
from fsm_smtp.check.engine.script import Script
from fsm_smtp.check.engine.session import Settings, facts_at
from fsm_smtp.check.engine.survey import Look
from fsm_smtp.check.engine.transcript import Transcript, merged
from fsm_smtp.errors import TargetUnreachable


@dataclass(frozen=True, slots=True)
class Run:
    """What all cases of a run share.

    Attributes:
        target: the server.
        settings: addresses, credentials, patience.
        look: what the first look has found.
        presence: whether the server is still there.
    """

    target: Target
    settings: Settings
    look: Look
    presence: Presence


async def play(case: Case, run: Run) -> CaseResult:
    """The verdict on *case*."""
    if skipped := _skipped(case, run):
        return skipped
    started = time.monotonic()
    result = await _let_in(case, run)
    if result.verdict is Verdict.FAIL and result.also == NOBODY_CLOSES:
        # A cut may be the link's, or of a server that goes away; the case's own comes again.
        result = await _let_in(case, run)
    result = result.judged(strict=run.settings.strict)
    return replace(result, duration_s=round(time.monotonic() - started, 3))


def _skipped(case: Case, run: Run) -> CaseResult | None:
    if case.slow and not run.settings.slow:
        what = f"the case takes {case.slow:g} s"
        return CaseResult(case, Verdict.SKIP, "time for slow cases (--slow)", what)
    facts = facts_at(case.start, run.target, run.settings, run.look.server)
    for condition in case.needs:
        if not condition.holds(facts):
            return CaseResult(case, Verdict.SKIP, condition.wanted, condition.absent)
    for condition in case.lacks:
        if condition.holds(facts):
            return CaseResult(case, Verdict.SKIP, condition.unwanted, condition.present)
    return None


async def _let_in(case: Case, run: Run) -> CaseResult:
    """The result of the first attempt that is let in, or of the last."""
    for attempt in range(1, ATTEMPTS + 1):
        if run.presence.gone:
            break
        result, let_in = await _attempt(case, run)
        if let_in:
            run.presence.met()
            return result
        if attempt == ATTEMPTS:
            return result
        await asyncio.sleep(run.presence.pause(attempt))
    return CaseResult(case, Verdict.INCONCLUSIVE, "a connection", run.presence.gone)


async def _attempt(case: Case, run: Run) -> tuple[CaseResult, bool]:
    """The result, and whether the server talked to us at all."""
    attempt = _Attempt(case, run)
    judgement = await attempt.play()
    let_in = attempt.report(judgement)
    if not let_in and judgement.verdict is Verdict.FAIL:
        # Not this case: the first look has shown that the server does answer.
        judgement = replace(judgement, verdict=Verdict.INCONCLUSIVE, also=())
    result = CaseResult(
        case,
        judgement.verdict,
        judgement.expected,
        judgement.actual,
        attempt.transcript,
        also=judgement.also,
        policy=judgement.policy or "",
    )
    return result, let_in


class _Attempt:
    def __init__(self, case: Case, run: Run) -> None:
        self._run = run
        self._limit = run.settings.case_timeout + case.slow
        self._redaction = run.settings.redaction()
        self._began = time.monotonic()
        self._transcripts: list[Transcript] = []
        self.transcript: tuple[str, ...] = ()
        facts = facts_at(case.start, run.target, run.settings, run.look.server)
        self._script = Script(
            case, run.settings, run.look, facts, self._redaction, self._connection
        )

    def _connection(self, named: str) -> Connection:
        self._transcripts.append(
            Transcript(
                time.monotonic,
                start=self._began,
                session=named if self._transcripts else "",
                redaction=self._redaction,
            )
        )
        timeout, gap = self._run.settings.timeout, self._run.look.pace.gap
        return Connection(self._run.target, timeout, self._transcripts[-1], gap=gap)

    async def play(self) -> Judgement:
        """What decides the case; all sessions are closed behind it."""
        script = self._script
        try:
            async with asyncio.timeout(self._limit):
                await script.run()
        except TargetUnreachable as error:
            script.add(Judgement(Verdict.INCONCLUSIVE, "a connection", error.why))
        except TimeoutError:
            what = f"none in {self._limit:g} s"
            script.add(Judgement(Verdict.TIMEOUT, "an end of the case", what))
        else:
            await self._leave()
        finally:
            self.transcript = self.transcript or merged(self._transcripts)
            await asyncio.gather(*(each.connection.close() for each in script.sessions))
        return worst(script.judgements)

    async def _leave(self) -> None:
        """The farewell is recorded only if it says something of the case."""
        before = len(self._script.judgements)
        transcript = merged(self._transcripts)
        await self._script.leave()
        if len(self._script.judgements) == before:
            self.transcript = transcript

    def report(self, judgement: Judgement) -> bool:
        """Tell the run how the sessions were received; whether all were."""
        presence = self._run.presence
        for session in self._script.sessions:
            # One that does not greet in time has a busy moment; a case's own silence comes later.
            unheard = judgement.verdict is Verdict.TIMEOUT and not session.connection.greeted
            if not (session.connection.turned_away or unheard):
                continue
            if session.connection.greeted:
                presence.turned_away(judgement.actual, judgement.policy)
            else:
                presence.unreached(judgement.actual)
            return False
        return True
