"""One case played on one connection, and its verdict.

What a case does not say itself is judged here, the same way for all cases: no reply in time is
``timeout``; a refused setup, 421 and 530 are ``inconclusive``; a connection cut without 421, a
reply that cannot be read and a reply that nobody asked for are failures of the server (RFC 5321
§3.8, §4.2), whatever the case is about.
"""

import asyncio
import time
from dataclasses import dataclass, replace

from fsm_smtp.check.case import POLICY, Action, Case, Expectation, Step, Verdict, render
from fsm_smtp.check.connection import Connection, Outcome, Target
from fsm_smtp.check.events import CaseResult
from fsm_smtp.check.forms import FORMS
from fsm_smtp.check.session import OpeningError, Settings, open_session
from fsm_smtp.check.transcript import printable, redacted
from fsm_smtp.errors import TargetUnreachable

#: Attempts for one case, and seconds between them: a server that is short of processes, or that
#: has enough of our connections, turns us away for a moment.
ATTEMPTS = 3
RETRY_AFTER = 0.3
#: Seconds that a finished session waits for the reply to its QUIT.
FAREWELL = 0.5

# Requirements that any case may find broken, as the register numbers them.
_NOBODY_CLOSES = ("R032", "R073")
_READABLE = ("R124",)
_ONE_REPLY = ("R101",)


async def play(
    case: Case, target: Target, settings: Settings, extensions: frozenset[str]
) -> CaseResult:
    """The verdict on *case*. *extensions* are the EHLO keywords that the target offers."""
    missing = [keyword for keyword in case.needs if keyword not in extensions]
    present = [keyword for keyword in case.lacks if keyword in extensions]
    if missing:
        return _skipped(case, f"{missing[0]} offered in EHLO", f"{missing[0]} is not offered")
    if present:
        return _skipped(case, f"no {present[0]} in EHLO", f"{present[0]} is offered")
    started = time.monotonic()
    for attempt in range(1, ATTEMPTS):
        result, connection = await _attempt(case, target, settings)
        if not connection.turned_away:
            break
        await asyncio.sleep(RETRY_AFTER * attempt)
    else:
        result, _ = await _attempt(case, target, settings)
    return replace(result, duration_s=round(time.monotonic() - started, 3))


def _skipped(case: Case, expected: str, actual: str) -> CaseResult:
    return CaseResult(case, Verdict.SKIP, expected, actual)


async def _attempt(case: Case, target: Target, settings: Settings) -> tuple[CaseResult, Connection]:
    player = _Player(case, settings)
    connection = Connection(target, settings.timeout)
    try:
        async with asyncio.timeout(settings.case_timeout):
            await connection.open()
            await player.run(connection)
    except TargetUnreachable as error:
        player.add(Verdict.INCONCLUSIVE, "a connection", error.why)
    except TimeoutError:
        player.add(Verdict.TIMEOUT, "an end of the case", f"none in {settings.case_timeout:g} s")
    finally:
        transcript = connection.transcript.lines
        await _farewell(connection, player.worst().verdict)
    worst = player.worst()
    if connection.turned_away and worst.verdict is Verdict.FAIL:
        # Not this case: the first look has shown that the server does answer.
        worst = replace(worst, verdict=Verdict.INCONCLUSIVE, also=())
    result = CaseResult(
        case, worst.verdict, worst.expected, worst.actual, transcript, also=worst.also
    )
    return result, connection


async def _farewell(connection: Connection, verdict: Verdict) -> None:
    """QUIT, as a client should (RFC 5321 §4.1.4), unless it would be content or in disorder."""
    try:
        if connection.is_open and verdict.goes_on and connection.last != "354":
            await connection.write(b"QUIT\r\n")
            await connection.outcome(FAREWELL)
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True)
class _Judgement:
    verdict: Verdict
    expected: str
    actual: str
    also: tuple[str, ...] = ()


class _Player:
    def __init__(self, case: Case, settings: Settings) -> None:
        self._case = case
        self._settings = settings
        self._values = settings.values()
        self._judgements: list[_Judgement] = []

    def add(self, verdict: Verdict, expected: str, actual: str, also: tuple[str, ...] = ()) -> bool:
        """Note a verdict; whether the steps behind it still say something."""
        self._judgements.append(_Judgement(verdict, expected, actual, also))
        return verdict.goes_on

    def worst(self) -> _Judgement:
        """What decides the case: of equally heavy verdicts the first, of passes the last."""
        if not self._judgements:
            return _Judgement(Verdict.ERROR, "a verdict", "the case was broken off")
        heaviest = max(judgement.verdict.weight for judgement in self._judgements)
        found = [item for item in self._judgements if item.verdict.weight == heaviest]
        return found[-1 if found[0].verdict is Verdict.PASS else 0]

    async def run(self, connection: Connection) -> None:
        try:
            await open_session(connection, self._case.start, self._settings)
        except OpeningError as refused:
            self._not_opened(refused)
            return
        if await self._steps(connection, self._case.steps):
            await self._no_surplus(connection)

    def _not_opened(self, refused: OpeningError) -> None:
        outcome = refused.outcome
        if outcome.word == "malformed":
            self.add(Verdict.FAIL, refused.wanted, str(outcome), _READABLE)
        elif outcome.word == "silence":
            self.add(Verdict.TIMEOUT, refused.wanted, str(outcome))
        else:
            self.add(Verdict.INCONCLUSIVE, refused.wanted, str(outcome))

    async def _steps(self, connection: Connection, steps: tuple[Step, ...]) -> bool:
        for step in steps:
            outcome = await self._rounds(connection, step)
            if outcome is None:
                return False
            for patterns, branch in step.branches:
                if any(pattern.matches(outcome.word) for pattern in patterns):
                    if not await self._steps(connection, branch):
                        return False
                    break
            if outcome.word in ("closed", "421"):
                return False
        return True

    async def _rounds(self, connection: Connection, step: Step) -> Outcome | None:
        outcome = None
        for number in range(1, step.repeat + 1):
            self._values["n"] = str(number)
            outcome = await self._step(connection, step)
            if outcome is None:
                break
        return outcome

    async def _step(self, connection: Connection, step: Step) -> Outcome | None:
        """Play *step*: its last outcome, or ``None`` if the case ends here."""
        if step.action is not Action.AWAIT and not await self._no_surplus(connection):
            return None
        lines = [render(text, self._values).encode("latin-1") for text in step.texts]
        if step.action is Action.SETUP:
            outcome = Outcome("silence")
            for line, expectation in zip(lines, step.expects, strict=True):
                await connection.write(line + b"\r\n")
                outcome = await connection.outcome(step.wait)
                if not self._judge(step, expectation, outcome, _name(line)):
                    return None
            return outcome
        await connection.write(*_segments(step.action, lines))
        names = _names(step, lines)
        outcome = Outcome("any")
        for expectation, name in zip(step.expects, names, strict=True):
            outcome = await connection.outcome(self._patience(step, expectation))
            if not self._judge(step, expectation, outcome, name):
                return None
        return outcome

    def _patience(self, step: Step, expectation: Expectation) -> float | None:
        if step.wait is not None:
            return step.wait
        return self._settings.quiet if expectation.lists("silence") else None

    async def _no_surplus(self, connection: Connection) -> bool:
        surplus = await connection.surplus()
        if surplus is None:
            return True
        if surplus.word == "421":
            return self.add(Verdict.INCONCLUSIVE, "nothing", f"{surplus} (the service ends)")
        return self.add(
            Verdict.FAIL,
            "one reply to each command (RFC 5321 §4.2)",
            f"one more: {surplus}",
            _ONE_REPLY,
        )

    def _judge(self, step: Step, expectation: Expectation, outcome: Outcome, name: str) -> bool:
        expected = f"{expectation} {name}".rstrip()
        actual = str(outcome)
        verdict = expectation.judge(outcome.word)
        if verdict is not None:
            if verdict is Verdict.PASS and (problem := _misformed(step, outcome)):
                return self.add(expectation.otherwise, f"{expected}, well formed",
                                f"{actual}: {problem}")  # fmt: skip
            return self.add(verdict, expected, actual)
        if outcome.reply is None:
            return self._no_reply(step, outcome, expected)
        if int(outcome.word) in POLICY:
            return self.add(Verdict.INCONCLUSIVE, expected, f"{actual} (policy)")
        return self.add(expectation.otherwise, expected, actual)

    def _no_reply(self, step: Step, outcome: Outcome, expected: str) -> bool:
        if outcome.word == "silence":
            return self.add(Verdict.TIMEOUT, expected, str(outcome))
        if outcome.word == "malformed":
            return self.add(Verdict.FAIL, expected, str(outcome), _READABLE)
        if step.action is Action.SETUP:
            return self.add(
                Verdict.INCONCLUSIVE, expected, "the server closed the connection before the point"
            )
        return self.add(
            Verdict.FAIL,
            expected,
            "the server closed the connection (RFC 5321 §3.8)",
            _NOBODY_CLOSES,
        )


def _segments(action: Action, lines: list[bytes]) -> list[bytes]:
    match action:
        case Action.RAW | Action.AWAIT:
            return lines
        case Action.MESSAGE:
            return [_content(lines[0])]
        case Action.SETUP | Action.SEND | Action.PIPELINE:
            return [b"".join(line + b"\r\n" for line in lines)]


def _content(text: bytes) -> bytes:
    """*text* as content with its end of data (RFC 5321 §4.5.2)."""
    lines = text.removesuffix(b"\n").split(b"\n")
    stuffed = (b"." + line if line.startswith(b".") else line for line in lines)
    return b"".join(line + b"\r\n" for line in (*stuffed, b"."))


def _names(step: Step, lines: list[bytes]) -> list[str]:
    if step.action is Action.PIPELINE:
        return [_name(line) for line in lines]
    if step.action is Action.MESSAGE:
        what = "to the end of data"
    elif step.action is Action.RAW:
        what = f"after {_short(b''.join(lines))}"
    else:
        what = _name(lines[0]) if lines else ""
    return [what] * len(step.expects)


def _name(line: bytes) -> str:
    return f"to {_short(line)}"


def _short(octets: bytes) -> str:
    text = printable(redacted(octets))
    return f'"{text}"' if len(text) <= 70 else f'"{text[:60]}…" ({len(octets)} octets)'


def _misformed(step: Step, outcome: Outcome) -> str | None:
    if outcome.reply is None:
        return None
    problems = (FORMS[name](outcome.reply, outcome.raw) for name in step.form)
    return next(filter(None, problems), None)
