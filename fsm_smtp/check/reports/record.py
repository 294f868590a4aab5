"""What is known of a run so far; every report is made from it, also when the run is broken off."""

from collections import Counter
from collections.abc import Iterable

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.derived.events import AnyEvent, ModelFinished, ModelPrepared, ModelProgress
from fsm_smtp.check.engine.events import CaseFinished, CaseResult, SuiteFinished, SuiteStarted


def summary(results: Iterable[CaseResult]) -> dict[str, int]:
    """How many cases have each verdict; a verdict that no case has stands with 0."""
    counts = Counter(result.verdict for result in results)
    return {verdict.value: counts[verdict] for verdict in Verdict}


class Record:
    """Listens to a run.

    Attributes:
        results: of the cases that have ended; in the order of the suite once all have.
        duration_s: seconds from the beginning to the last event.
        complete: whether every case has ended.
        notes: what masks cases, and what happened on the way, in sentences.
    """

    def __init__(self) -> None:
        self._head: SuiteStarted | None = None
        self.results: list[CaseResult] = []
        self.duration_s = 0.0
        self.complete = False
        self.notes: tuple[str, ...] = ()
        self._prepared: ModelPrepared | None = None
        self._played = 0
        self._model: ModelFinished | None = None

    def handle(self, event: AnyEvent) -> None:
        """Take note of *event*."""
        match event:
            case SuiteStarted():
                self._head = event
                self.notes = event.notes
            case CaseFinished():
                self.results.append(event.result)
                self.duration_s = event.at_s
            case ModelPrepared():
                self._prepared = event
            case ModelProgress(phase="sequences"):
                self._played = event.played
            case ModelFinished():
                self._model = event
            case SuiteFinished():
                self.results = list(event.results)
                self.duration_s = event.duration_s
                self.complete = True
                self.notes = event.notes
            case _:
                return

    @property
    def model(self) -> ModelFinished | None:
        """How the derived tests ended, or how far they came; ``None`` if none was played."""
        if self._model is not None or self._prepared is None:
            return self._model
        prepared = self._prepared
        what = f"{self._played} of {prepared.sequences} sequences were played"
        return ModelFinished(prepared, (), 0, {}, f"None: broken off when {what}.", 0.0)

    @property
    def started(self) -> bool:
        """Whether there is anything to report."""
        return self._head is not None

    @property
    def head(self) -> SuiteStarted:
        """The target, and what it said of itself.

        Raises:
            RuntimeError: the suite has not started, so nothing is known of the target.
        """
        if self._head is None:
            raise RuntimeError("no suite was started")
        return self._head
