"""The gate: which verdicts fail a run, which failures are known already, and the exit code."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.engine.events import CaseResult
from fsm_smtp.check.reports.saved import SavedReport

#: What fails a run unless something else is asked for.
FAIL_ON = frozenset({Verdict.FAIL})

#: What keeps a case from saying anything of the server.
_MASKED = frozenset({Verdict.INCONCLUSIVE, Verdict.TIMEOUT})


@dataclass(frozen=True, slots=True)
class Passage:
    """What the gate made of the results: ids of cases, in the order of the results.

    Attributes:
        new: they fail the run.
        known: they would, but the baseline has them already.
        mended: the baseline has them as failing, and now the requirement is kept.
    """

    new: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gate:
    """What fails a run.

    Attributes:
        fail_on: the verdicts that do.
        baseline: an earlier report; what failed there already is accepted.
    """

    fail_on: Collection[Verdict] = FAIL_ON
    baseline: SavedReport | None = None

    @property
    def asks_more(self) -> bool:
        """Whether it is another gate than the usual one."""
        return self.baseline is not None or frozenset(self.fail_on) != FAIL_ON

    def judge(self, results: Iterable[CaseResult]) -> Passage:
        """Sort the results.

        A failure is known if the case failed in the baseline with a verdict that is as heavy: a
        known ``warn`` that becomes ``fail`` is new. A case is mended only if it was judged: one
        that is skipped or inconclusive now is not.
        """
        before = self._failed_before()
        new: list[str] = []
        known: list[str] = []
        mended: list[str] = []
        for result in results:
            then = before.get(result.case.id)
            if result.verdict in self.fail_on:
                accepted = then is not None and result.verdict.weight <= then.weight
                (known if accepted else new).append(result.case.id)
            elif then is not None and result.verdict.goes_on:
                mended.append(result.case.id)
        return Passage(tuple(new), tuple(known), tuple(mended))

    def exit_code(self, results: Collection[CaseResult], *, complete: bool) -> int:
        """1 if a case fails the run; else 2 if it says nothing, or not all of it; else 0.

        It says nothing if no case has a verdict on the server, and some were kept from one; not
        all, with an error of ours, or if it is not *complete*: every case has ended, and every
        report was written.
        """
        if self.judge(results).new:
            return 1
        verdicts = {result.verdict for result in results}
        nothing = bool(verdicts & _MASKED) and verdicts <= {*_MASKED, Verdict.SKIP}
        return 2 if nothing or not complete or Verdict.ERROR in verdicts else 0

    def _failed_before(self) -> Mapping[str, Verdict]:
        if self.baseline is None:
            return {}
        return {
            case.id: case.verdict for case in self.baseline.cases if case.verdict in self.fail_on
        }
