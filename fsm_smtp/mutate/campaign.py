"""Runs mutants through the examiner, on all cores, and keeps the score."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing import get_context

from fsm_smtp.errors import SpecError
from fsm_smtp.mutate.equivalence import Difference, Steps, difference
from fsm_smtp.mutate.mutants import Mutant
from fsm_smtp.table import Table
from fsm_smtp.table.consistency import check_consistency
from fsm_smtp.verify import first_broken, verify


class Outcome(StrEnum):
    """What became of a mutant."""

    #: The loader would refuse it: it never gets as far as verification, and is not scored.
    REFUSED = "refused"
    #: Verification fails on it.
    KILLED = "killed"
    #: Nobody can tell it from the original, by bisimulation.
    EQUIVALENT = "equivalent"
    #: It differs, and verification did not notice.
    SURVIVED = "survived"


@dataclass(frozen=True, slots=True)
class Trial:
    """One mutant and what became of it.

    Attributes:
        name: the mutant's name.
        operator: the kind of change.
        outcome: what became of it.
        killed_by: ids of checks that failed on it; the first found, not all there are.
        difference: a shortest run that tells a survivor from the original.
    """

    name: str
    operator: str
    outcome: Outcome
    killed_by: tuple[str, ...] = ()
    difference: Difference | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """The outcome of a campaign."""

    trials: tuple[Trial, ...]

    def count(self, outcome: Outcome, operator: str | None = None) -> int:
        """How many mutants (made by *operator*) came to *outcome*."""
        return sum(
            trial.outcome is outcome and operator in (None, trial.operator) for trial in self.trials
        )

    @property
    def survivors(self) -> tuple[Trial, ...]:
        """The mutants that differ and were not noticed."""
        return tuple(trial for trial in self.trials if trial.outcome is Outcome.SURVIVED)

    @property
    def percent(self) -> float:
        """Of the mutants that differ and that the loader takes, how many were noticed."""
        killed, survived = self.count(Outcome.KILLED), len(self.survivors)
        return 100.0 * killed / (killed + survived) if killed + survived else 100.0

    @property
    def killers(self) -> Counter[str]:
        """How often each check noticed a mutant."""
        return Counter(check for trial in self.trials for check in trial.killed_by)


class Examiner:
    """Tries mutants of one table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._steps = Steps(table)

    def trial(self, mutant: Mutant) -> Trial:
        """What becomes of *mutant*."""
        changed = mutant.table(self._table)
        try:
            check_consistency(changed)
        except SpecError:
            return Trial(mutant.name, mutant.operator, Outcome.REFUSED)
        found = difference(self._steps, Steps(changed))
        if found is None:
            return Trial(mutant.name, mutant.operator, Outcome.EQUIVALENT)
        failed = first_broken(changed)
        if not failed:  # what only the whole can show
            failed = tuple(check.id for check in verify(changed).checks if not check.passed)
        if failed:
            return Trial(mutant.name, mutant.operator, Outcome.KILLED, failed)
        return Trial(mutant.name, mutant.operator, Outcome.SURVIVED, (), found)


def run_campaign(
    table: Table,
    mutants: Sequence[Mutant],
    *,
    jobs: int = 1,
    on_trial: Callable[[Trial], None] | None = None,
) -> Score:
    """Try *mutants* of *table*, in *jobs* processes; *on_trial* hears of each as it ends."""
    trials: list[Trial] = []
    # Spawned, never forked: a caller may run threads (a progress bar does), and a fork copies the
    # locks that they hold at that moment, with nobody left to release them.
    pool = ProcessPoolExecutor(
        max(1, min(jobs, len(mutants))),
        mp_context=get_context("spawn"),
        initializer=_prepare,
        initargs=(table,),
    )
    with pool:
        for trial in pool.map(_try, mutants, chunksize=4):
            trials.append(trial)
            if on_trial is not None:
                on_trial(trial)
    return Score(tuple(trials))


_examiner: Examiner


def _prepare(table: Table) -> None:
    """Once in each process: the original is explored once, not for each mutant."""
    global _examiner  # noqa: PLW0603 -- a pool's processes have no other place to keep it
    _examiner = Examiner(table)


def _try(mutant: Mutant) -> Trial:
    return _examiner.trial(mutant)
