"""Which sequences have a connection of their own, and which may follow another one behind RSET."""

import time
from dataclasses import dataclass

from fsm_smtp.check.derived.course import Course
from fsm_smtp.check.derived.events import ModelPrepared, Resetting
from fsm_smtp.check.derived.opening import opened
from fsm_smtp.check.derived.reference import Reference, Suite, Word
from fsm_smtp.check.derived.resetting import Chain, Reset, Resets
from fsm_smtp.check.engine.connection import Target
from fsm_smtp.check.engine.session import Settings
from fsm_smtp.check.engine.survey import Look

#: Seconds that RSET must save for ``auto`` to use it: less is not worth a second way of playing.
WORTH = 2.0
#: Connections that are opened to see how long that takes.
TRIALS = 3
#: Round trips at the end of a connection: the reply to QUIT, and the end that follows it.
ENDING = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """How a suite is played.

    Attributes:
        asked: how the run wants the server to be reset.
        alone: sequences that have a connection of their own whatever happens: each transition
            once, and what shows that RSET resets.
        chained: those that may follow behind RSET.
        resets: how they do; ``None`` for new connections only.
        why: why there are new connections only.
    """

    asked: Reset
    alone: tuple[Word, ...]
    chained: tuple[Word, ...] = ()
    resets: Resets | None = None
    why: str = ""

    def outcome(self, prepared: ModelPrepared, course: Course) -> Resetting:
        """What has come of it."""
        proof = len(self.resets.proof) if self.resets is not None else 0
        return Resetting(
            self.asked.value,
            course.behind_rset,
            proof,
            tuple(course.doubts),
            course.cut_off,
            self._said(prepared, course, proof),
        )

    def _said(self, prepared: ModelPrepared, course: Course, proof: int) -> str:
        if self.resets is None:
            return f"Each sequence had a connection of its own{self.why and f': {self.why}'}."
        if course.doubts:
            return (
                f"Each sequence had a connection of its own: RSET is not relied upon, since "
                f"{course.doubts[0]}."
            )
        n, m = prepared.states, prepared.states + prepared.extra
        shown = f"{proof} sequences on connections of their own have shown that RSET resets it"
        proves = (
            f"which is a proof for a server of at most m = {m} states"
            if not prepared.extra
            else f"from each of the n = {n} states; of the {m - n} more that it may have that is "
            "assumed"
        )
        ended = (
            f" Sessions that the server ended early: {course.cut_off}; what was in them was played "
            "again."
            if course.cut_off
            else ""
        )
        return (
            f"{course.behind_rset} of {prepared.sequences} sequences began behind RSET, the others "
            f"on a new connection: {shown}, {proves}.{ended}"
        )


async def planned(
    reference: Reference,
    suite: Suite,
    asked: Reset,
    target: Target,
    settings: Settings,
    look: Look,
) -> Plan:
    """How *suite* is played if the run has *asked* for this way to reset the server.

    Raises:
        TargetUnreachable: no session can be opened.
    """
    everything = Plan(asked, tuple(suite.words()))
    if asked is Reset.CONNECTION:
        return everything
    if asked is Reset.AUTO and suite.extra:
        return _without(everything, "what RSET does in extra states is not proven")
    resets = Resets(reference, pipelining="PIPELINING" in look.server.extensions)
    alone = tuple(dict.fromkeys((*suite.transitions, *resets.proof)))
    taken = frozenset(alone)
    chained = tuple(word for word in suite.words() if word not in taken)
    chains = list(resets.chains(chained))
    if len(chains) == len(chained):
        return _without(everything, "RSET leads to where no other sequence begins")
    plan = Plan(asked, alone, chained, resets)
    if asked is Reset.AUTO:
        opening = await _seconds_to_open(target, settings)
        surplus = len(alone) + len(chained) - len(everything.alone)
        saved = _saved(chains, opening, look.pace.rtt, surplus) / settings.jobs
        if saved < WORTH:
            return _without(everything, "RSET would save next to no time")
    return plan


def _without(plan: Plan, why: str) -> Plan:
    return Plan(plan.asked, plan.alone, why=why)


async def _seconds_to_open(target: Target, settings: Settings) -> float:
    """Seconds from nothing to where a sequence begins, at best."""
    took: list[float] = []
    for _ in range(TRIALS):
        began = time.monotonic()
        async with opened(target, settings):
            took.append(time.monotonic() - began)
    return min(took)


def _saved(chains: list[Chain], opening: float, rtt: float, surplus: int) -> float:
    """Seconds that *chains* save, one session at a time, by an *opening* and the round trips of
    the openings and the ends that they leave out; *surplus* sequences cost as much each."""
    saved = sum(
        (len(chain.words) - 1) * (opening + ENDING * rtt)
        + (sum(map(len, chain.words)) - len(chain.whole) + len(chain.grouped)) * rtt
        for chain in chains
    )
    return saved - surplus * (opening + ENDING * rtt)
