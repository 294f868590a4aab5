"""From an outcome to a verdict: what a case says, and what holds for all cases alike.

No reply in time is ``timeout``; a refused setup, 421 and 530 are ``inconclusive``; a connection
cut without 421, a reply that cannot be read and a reply that nobody asked for are failures of the
server (RFC 5321 §3.8, §4.2), whatever the case is about.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fsm_smtp.check.cases.case import POLICY, Action, Expectation, Step, Verdict
from fsm_smtp.check.cases.forms import form_named
from fsm_smtp.check.engine.outcome import Outcome
from fsm_smtp.check.engine.policy import Findings, Policy, recognised
from fsm_smtp.check.engine.transcript import Redaction

# Requirements that any case may find broken, as the register numbers them.
NOBODY_CLOSES = ("R032", "R073")
_READABLE = ("R124",)
_ONE_REPLY = ("R101",)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict on one outcome, and why."""

    verdict: Verdict
    expected: str
    actual: str
    also: tuple[str, ...] = ()
    policy: Policy | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What an outcome answers.

    Attributes:
        name: in the words of a message (``to "NOOP"``).
        command: the command line, ``.`` for the end of data, empty for octets of any kind.
    """

    name: str
    command: bytes = b""


def worst(judgements: Sequence[Judgement]) -> Judgement:
    """What decides the case: of equally heavy verdicts the first, of passes the last."""
    if not judgements:
        return Judgement(Verdict.ERROR, "a verdict", "the case was broken off")
    heaviest = max(judgement.verdict.weight for judgement in judgements)
    found = [item for item in judgements if item.verdict.weight == heaviest]
    return found[-1 if found[0].verdict is Verdict.PASS else 0]


def judge(
    step: Step,
    expectation: Expectation,
    outcome: Outcome,
    asked: Asked,
    redaction: Redaction,
    findings: Findings,
) -> Judgement:
    """The verdict on *outcome*, which answers what was *asked*."""
    expected = f"{expectation} {asked.name}".rstrip()
    actual = outcome.shown(redaction)
    verdict = expectation.judge(outcome.word)
    if verdict is Verdict.PASS and (problem := _misformed(step, outcome)):
        what = redaction.hide_text(f"{actual}: {problem}")
        return Judgement(expectation.otherwise, f"{expected}, well formed", what)
    if outcome.reply is not None and verdict in (None, Verdict.INCONCLUSIVE):
        if policy := recognised(asked.command, outcome.reply, findings):
            return _masked(expected, actual, policy)
        if verdict is None and outcome.reply.code in POLICY:
            return Judgement(Verdict.INCONCLUSIVE, expected, f"{actual} (policy)")
    if verdict is None and outcome.reply is None:
        return _no_reply(step, expectation, outcome, expected)
    return Judgement(verdict or expectation.otherwise, expected, actual)


def judge_surplus(surplus: Outcome, redaction: Redaction) -> Judgement:
    """The verdict on a reply that nobody asked for."""
    shown = surplus.shown(redaction)
    if surplus.word == "421":
        return Judgement(Verdict.INCONCLUSIVE, "nothing", f"{shown} (the service ends)")
    what = "one reply to each command (RFC 5321 §4.2)"
    return Judgement(Verdict.FAIL, what, f"one more: {shown}", _ONE_REPLY)


def judge_late(
    late: Outcome, silent: Judgement, of: Expectation, redaction: Redaction
) -> Judgement:
    """The verdict on a reply that came once its absence had been taken for *silent*."""
    verdict = of.judge(late.word) or of.otherwise
    return Judgement(verdict, silent.expected, f"{late.shown(redaction)} (late)")


def judge_opening(wanted: str, outcome: Outcome, redaction: Redaction) -> Judgement:
    """The verdict on a session that did not get to where the case begins."""
    actual = outcome.shown(redaction)
    if outcome.word == "malformed":
        return Judgement(Verdict.FAIL, wanted, actual, _READABLE)
    if outcome.word == "silence":
        return Judgement(Verdict.TIMEOUT, wanted, actual)
    policy = recognised(b"", outcome.reply, Findings()) if outcome.reply else None
    if policy:
        return _masked(wanted, actual, policy)
    return Judgement(Verdict.INCONCLUSIVE, wanted, actual)


def _masked(expected: str, actual: str, policy: Policy) -> Judgement:
    what = f"{actual} (policy: {policy})"
    return Judgement(Verdict.INCONCLUSIVE, expected, what, policy=policy)


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
    return Judgement(Verdict.FAIL, expected, what, NOBODY_CLOSES)


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
