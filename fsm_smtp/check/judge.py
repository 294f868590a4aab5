"""From an outcome to a verdict: what a case says, and what holds for all cases alike.

No reply in time is ``timeout``; a refused setup, 421 and 530 are ``inconclusive``; a connection
cut without 421, a reply that cannot be read and a reply that nobody asked for are failures of the
server (RFC 5321 §3.8, §4.2), whatever the case is about.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fsm_smtp.check.case import POLICY, Action, Expectation, Step, Verdict
from fsm_smtp.check.connection import Outcome
from fsm_smtp.check.forms import form_named
from fsm_smtp.check.transcript import Redaction

# Requirements that any case may find broken, as the register numbers them.
_NOBODY_CLOSES = ("R032", "R073")
_READABLE = ("R124",)
_ONE_REPLY = ("R101",)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict on one outcome, and why."""

    verdict: Verdict
    expected: str
    actual: str
    also: tuple[str, ...] = ()


def worst(judgements: Sequence[Judgement]) -> Judgement:
    """What decides the case: of equally heavy verdicts the first, of passes the last."""
    if not judgements:
        return Judgement(Verdict.ERROR, "a verdict", "the case was broken off")
    heaviest = max(judgement.verdict.weight for judgement in judgements)
    found = [item for item in judgements if item.verdict.weight == heaviest]
    return found[-1 if found[0].verdict is Verdict.PASS else 0]


def judge(
    step: Step, expectation: Expectation, outcome: Outcome, name: str, redaction: Redaction
) -> Judgement:
    """The verdict on *outcome*, which answers *name* (``to "NOOP"``)."""
    expected = f"{expectation} {name}".rstrip()
    actual = outcome.shown(redaction)
    verdict = expectation.judge(outcome.word)
    if verdict is not None:
        if verdict is Verdict.PASS and (problem := _misformed(step, outcome)):
            what = redaction.hide_text(f"{actual}: {problem}")
            return Judgement(expectation.otherwise, f"{expected}, well formed", what)
        return Judgement(verdict, expected, actual)
    if outcome.reply is None:
        return _no_reply(step, expectation, outcome, expected)
    if int(outcome.word) in POLICY:
        return Judgement(Verdict.INCONCLUSIVE, expected, f"{actual} (policy)")
    return Judgement(expectation.otherwise, expected, actual)


def judge_surplus(surplus: Outcome, redaction: Redaction) -> Judgement:
    """The verdict on a reply that nobody asked for."""
    shown = surplus.shown(redaction)
    if surplus.word == "421":
        return Judgement(Verdict.INCONCLUSIVE, "nothing", f"{shown} (the service ends)")
    what = "one reply to each command (RFC 5321 §4.2)"
    return Judgement(Verdict.FAIL, what, f"one more: {shown}", _ONE_REPLY)


def judge_opening(wanted: str, outcome: Outcome, redaction: Redaction) -> Judgement:
    """The verdict on a session that did not get to where the case begins."""
    actual = outcome.shown(redaction)
    if outcome.word == "malformed":
        return Judgement(Verdict.FAIL, wanted, actual, _READABLE)
    if outcome.word == "silence":
        return Judgement(Verdict.TIMEOUT, wanted, actual)
    return Judgement(Verdict.INCONCLUSIVE, wanted, actual)


def _no_reply(step: Step, expectation: Expectation, outcome: Outcome, expected: str) -> Judgement:
    if outcome.word == "silence":
        return Judgement(Verdict.TIMEOUT, expected, str(outcome))
    if outcome.word == "malformed":
        return Judgement(Verdict.FAIL, expected, str(outcome), _READABLE)
    if step.action is Action.TLS:
        return Judgement(expectation.otherwise, expected, str(outcome))
    if step.action is Action.SETUP:
        what = "the server closed the connection before the point"
        return Judgement(Verdict.INCONCLUSIVE, expected, what)
    what = "the server closed the connection (RFC 5321 §3.8)"
    return Judgement(Verdict.FAIL, expected, what, _NOBODY_CLOSES)


def _misformed(step: Step, outcome: Outcome) -> str | None:
    if outcome.reply is None:
        return None
    for name in step.form:
        form = form_named(name)
        if form is None:
            raise LookupError(f"no form is called {name}")
        if problem := form(outcome.reply, outcome.raw):
            return problem
    return None
