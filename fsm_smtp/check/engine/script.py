"""The steps of one case, played on its sessions, one judgement after the other."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from fsm_smtp.check.cases.case import MAX_REPEAT, Action, Case, Expectation, Start, Step, Verdict
from fsm_smtp.check.cases.offers import Condition, Facts
from fsm_smtp.check.cases.template import missing, sizes
from fsm_smtp.check.engine.actions import asked, is_whole, segments, written
from fsm_smtp.check.engine.connection import Connection
from fsm_smtp.check.engine.judge import (
    Asked,
    Judgement,
    judge,
    judge_late,
    judge_opening,
    judge_surplus,
    worst,
)
from fsm_smtp.check.engine.outcome import Outcome
from fsm_smtp.check.engine.session import OpeningError, Settings, open_session
from fsm_smtp.check.engine.survey import Look
from fsm_smtp.check.engine.transcript import Redaction

#: Seconds that a finished session waits for the reply to its QUIT, at least.
FAREWELL = 0.5


@dataclass(slots=True)
class Session:
    """One session of a case.

    Attributes:
        connection: its connection.
        facts: what holds on it now; an answer to EHLO and TLS change that.
        quits: whether QUIT would be understood as a command.
        silent: the last judgement, if it was on silence, and what could have come instead.
    """

    connection: Connection
    facts: Facts
    quits: bool = True
    silent: tuple[Judgement, Expectation] | None = None


class Script:
    """Plays *case*; *connect* makes a connection for the session of a name.

    Attributes:
        judgements: those that were made so far.
        sessions: all sessions that were opened, also those that were dropped.
    """

    def __init__(
        self,
        case: Case,
        settings: Settings,
        look: Look,
        facts: Facts,
        redaction: Redaction,
        connect: Callable[[str], Connection],
    ) -> None:
        self._case = case
        self._settings = settings
        self._look = look
        self._facts = facts
        self._redaction = redaction
        self._connect = connect
        self._values = settings.values()
        self._named: dict[str, Session] = {}
        self._played = False
        self.judgements: list[Judgement] = []
        self.sessions: list[Session] = []

    def add(self, judgement: Judgement) -> bool:
        """Note a verdict; whether the steps behind it still say something."""
        self.judgements.append(judgement)
        return judgement.verdict.goes_on

    async def run(self) -> None:
        """Play the steps as far as they say something.

        Raises:
            TargetUnreachable: no connection, or no TLS that the run asks for.
        """
        if not await self._steps(self._case.steps):
            return
        for session in self._named.values():
            if not await self._no_surplus(session):
                return
        if not self._played:
            self._skip("a step that applies", "none does")

    async def leave(self) -> None:
        """End the sessions as a client should, with QUIT (RFC 5321 §4.1.4).

        Its reply is a fence, too: what comes in front of it came too late, or is one too many.
        """
        if worst(self.judgements).verdict.goes_on:
            await asyncio.gather(*(self._quit(session) for session in self.sessions))

    async def _quit(self, session: Session) -> None:
        connection = session.connection
        # As an answer to 354 or 334 QUIT would be content; behind 421 it is in vain.
        if not (connection.is_open and session.quits) or connection.last in _NO_QUIT:
            return
        quiet = self._look.pace.quiet
        await connection.write(b"QUIT\r\n")
        first = await connection.outcome(max(FAREWELL, quiet))
        if first.reply is None or first.word == "221":
            return
        if (await connection.outcome(quiet)).reply is not None:
            self._unasked(session, first)

    async def _steps(self, steps: tuple[Step, ...]) -> bool:
        for step in steps:
            session = None
            if step.when or step.unless:
                session = await self._session(step.session)
                if session is None:
                    return False
                if not _applies(step, session.facts):
                    continue
            if not await self._rounds(step):
                return False
        return True

    async def _rounds(self, step: Step) -> bool:
        outcome = None
        around = self._values["n"]
        repeat = step.repeat if step.limit is None else await self._limit(step, step.limit)
        if repeat is None:
            return False
        for number in range(1, repeat + 1):
            # A step that is played once has the number of the group around it.
            self._values["n"] = str(number) if repeat > 1 else around
            if step.action is Action.GROUP:
                if not await self._steps(step.steps):
                    return False
                continue
            outcome = await self._step(step)
            if outcome is None:
                return False
        self._values["n"] = around
        if outcome is None:
            return True
        for patterns, branch in step.branches:
            if any(pattern.matches(outcome.word) for pattern in patterns):
                return await self._steps(branch)
        return True

    async def _limit(self, step: Step, name: str) -> int | None:
        """The rounds that the server's limit allows; ``None`` if it has none that can be tried."""
        session = await self._session(step.session)
        if session is None:
            return None
        limit = session.facts.offers.limit(name)
        if limit is None or limit > MAX_REPEAT:
            self._skip(f"a {name} of at most {MAX_REPEAT} in EHLO", f"{limit or 'none'}")
            return None
        return limit

    async def _step(self, step: Step) -> Outcome | None:
        """Play *step*: its last outcome, or ``None`` if the case ends here."""
        self._played = True
        if step.action is Action.PAUSE:
            await asyncio.sleep(step.seconds)
            return Outcome("any")
        session = await self._session(step.session)
        if session is None or (step.action is not Action.DROP and _is_over(session, step)):
            return None
        if step.action is Action.DROP:
            await session.connection.drop(reset="reset" in step.texts)
            del self._named[step.session]
            return Outcome("any")
        if step.action is not Action.AWAIT and not await self._no_surplus(session):
            return None
        if step.action is Action.TLS:
            return await self._handshake(session, step)
        return await self._exchange(session, step)

    async def _exchange(self, session: Session, step: Step) -> Outcome | None:
        values = {**self._values, **sizes(session.facts.offers.size)}
        for text in step.texts:
            if need := missing(text, values):
                self._skip(Condition(need).wanted, Condition(need).absent)
                return None
        texts = written(step, values)
        if step.action is Action.SETUP:
            return await self._setup(session, step, texts)
        if texts:
            session.quits = is_whole(step, texts)
        await session.connection.write(*segments(step, texts))
        outcome = Outcome("any")
        answered = asked(step, texts, self._redaction)
        for number, (expectation, what) in enumerate(zip(step.expects, answered, strict=True)):
            outcome = await session.connection.outcome(self._patience(step, expectation))
            if step.action in (Action.SEND, Action.PIPELINE):
                _learn(session, texts[number], outcome)
            if not self._judged(session, step, expectation, outcome, what):
                return None
        return outcome

    async def _setup(self, session: Session, step: Step, texts: list[bytes]) -> Outcome | None:
        outcome = Outcome("silence")
        answered = asked(step, texts, self._redaction)
        for text, what, expectation in zip(texts, answered, step.expects, strict=True):
            await session.connection.write(text + b"\r\n")
            outcome = await session.connection.outcome(step.wait)
            _learn(session, text, outcome)
            if not self._judged(session, step, expectation, outcome, what):
                return None
        return outcome

    async def _handshake(self, session: Session, step: Step) -> Outcome | None:
        outcome = await session.connection.handshake()
        if outcome.word == "secured":
            session.facts = session.facts.under_tls()
        (what,) = asked(step, [], self._redaction)
        return outcome if self._judged(session, step, step.expects[0], outcome, what) else None

    async def _session(self, named: str) -> Session | None:
        """The session of this name, opened to the case's start; ``None`` if that is refused."""
        if named in self._named:
            return self._named[named]
        session = Session(self._connect(named), self._facts)
        self.sessions.append(session)
        self._named[named] = session
        await session.connection.open()
        try:
            ehlo = await open_session(session.connection, self._case.start, self._settings)
        except OpeningError as refused:
            self.add(judge_opening(refused.wanted, refused.outcome, self._redaction))
            return None
        if ehlo is not None and ehlo.reply is not None:
            session.facts = session.facts.after_ehlo(ehlo.reply.lines)
        return session

    def _patience(self, step: Step, expectation: Expectation) -> float | None:
        if step.wait is not None:
            return step.wait
        return self._look.pace.quiet if expectation.lists("silence") else None

    async def _no_surplus(self, session: Session) -> bool:
        if self._case.start is Start.RAW and not session.connection.last:
            return True  # the greeting, which is still to be judged
        surplus = await session.connection.surplus()
        return surplus is None or self._unasked(session, surplus)

    def _unasked(self, session: Session, reply: Outcome) -> bool:
        """A reply that nothing waits for: too late, if there was silence before, else too many."""
        if session.silent is None or reply.reply is None:
            return self.add(judge_surplus(reply, self._redaction))
        silent, expectation = session.silent
        session.silent = None
        return self.add(judge_late(reply, silent, expectation, self._redaction))

    def _judged(
        self, session: Session, step: Step, expectation: Expectation, outcome: Outcome, what: Asked
    ) -> bool:
        made = judge(step, expectation, outcome, what, self._redaction, self._look.findings)
        session.silent = (made, expectation) if outcome.word == "silence" else None
        return self.add(made)

    def _skip(self, expected: str, actual: str) -> None:
        self.add(Judgement(Verdict.SKIP, expected, actual))


#: Last replies behind which QUIT is no command, or useless.
_NO_QUIT = ("334", "354", "421")


def _applies(step: Step, facts: Facts) -> bool:
    return all(condition.holds(facts) for condition in step.when) and not any(
        condition.holds(facts) for condition in step.unless
    )


def _is_over(session: Session, step: Step) -> bool:
    """Whether nothing more can come of *step*; behind 421 the close can still be awaited."""
    match session.connection.last:
        case "closed" | "unsecured":
            return True
        case "421":
            return step.action is not Action.AWAIT
        case _:
            return False


def _learn(session: Session, line: bytes, outcome: Outcome) -> None:
    """The offers that are in force once *line* was answered."""
    if outcome.word == "250" and outcome.reply and line[:5].upper().rstrip() == b"EHLO":
        session.facts = session.facts.after_ehlo(outcome.reply.lines)
