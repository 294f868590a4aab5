"""One case played from its first connection to its verdict."""

import asyncio
import time
from dataclasses import replace

from fsm_smtp.check.case import Case, Verdict
from fsm_smtp.check.connection import Connection, Target
from fsm_smtp.check.events import CaseResult, ServerInfo
from fsm_smtp.check.judge import Judgement, worst
from fsm_smtp.check.script import Script, Session
from fsm_smtp.check.session import Settings, facts_at
from fsm_smtp.check.transcript import Transcript, merged
from fsm_smtp.errors import TargetUnreachable

#: Attempts for one case, and seconds between them: a server that is short of processes, or that
#: has enough of our connections, turns us away for a moment.
ATTEMPTS = 3
RETRY_AFTER = 0.3
#: Seconds that a finished session waits for the reply to its QUIT.
FAREWELL = 0.5


async def play(case: Case, target: Target, settings: Settings, server: ServerInfo) -> CaseResult:
    """The verdict on *case*; *server* is what the first look has found."""
    if skipped := _skipped(case, target, settings, server):
        return skipped
    started = time.monotonic()
    for attempt in range(1, ATTEMPTS):
        result, turned_away = await _attempt(case, target, settings, server)
        if not turned_away:
            break
        await asyncio.sleep(RETRY_AFTER * attempt)
    else:
        result, _ = await _attempt(case, target, settings, server)
    return replace(result, duration_s=round(time.monotonic() - started, 3))


def _skipped(
    case: Case, target: Target, settings: Settings, server: ServerInfo
) -> CaseResult | None:
    if case.slow and not settings.slow:
        return CaseResult(case, Verdict.SKIP, "time for slow cases (--slow)",
                          f"the case takes {case.slow:g} s")  # fmt: skip
    facts = facts_at(case.start, target, settings, server)
    for condition in case.needs:
        if not condition.holds(facts):
            return CaseResult(case, Verdict.SKIP, condition.wanted, condition.absent)
    for condition in case.lacks:
        if condition.holds(facts):
            return CaseResult(case, Verdict.SKIP, condition.unwanted, condition.present)
    return None


async def _attempt(
    case: Case, target: Target, settings: Settings, server: ServerInfo
) -> tuple[CaseResult, bool]:
    """The result, and whether the server would not talk to us at all."""
    redaction = settings.redaction()
    began = time.monotonic()
    transcripts: list[Transcript] = []

    def connect(named: str) -> Connection:
        shown = named if len(transcripts) else ""
        transcripts.append(
            Transcript(time.monotonic, start=began, session=shown, redaction=redaction)
        )
        return Connection(target, settings.timeout, transcripts[-1])

    script = Script(case, settings, facts_at(case.start, target, settings, server), redaction,
                    connect)  # fmt: skip
    limit = settings.case_timeout + case.slow
    try:
        async with asyncio.timeout(limit):
            await script.run()
    except TargetUnreachable as error:
        script.add(Judgement(Verdict.INCONCLUSIVE, "a connection", error.why))
    except TimeoutError:
        script.add(Judgement(Verdict.TIMEOUT, "an end of the case", f"none in {limit:g} s"))
    finally:
        transcript = merged(transcripts)
        verdict = worst(script.judgements).verdict
        await asyncio.gather(*(_farewell(session, verdict) for session in script.sessions))
    decided = worst(script.judgements)
    turned_away = any(session.connection.turned_away for session in script.sessions)
    if turned_away and decided.verdict is Verdict.FAIL:
        # Not this case: the first look has shown that the server does answer.
        decided = replace(decided, verdict=Verdict.INCONCLUSIVE, also=())
    return CaseResult(
        case, decided.verdict, decided.expected, decided.actual, transcript, also=decided.also
    ), turned_away


async def _farewell(session: Session, verdict: Verdict) -> None:
    """QUIT, as a client should (RFC 5321 §4.1.4), unless it would be content or in disorder."""
    connection = session.connection
    try:
        quits = session.quits and connection.last not in ("354", "421")
        if connection.is_open and verdict.goes_on and quits:
            await connection.write(b"QUIT\r\n")
            await connection.outcome(FAREWELL)
    finally:
        await connection.close()
