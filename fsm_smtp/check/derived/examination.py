"""Heeds how the sequences of a suite go, and explains each new disagreement once."""

from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from fsm_smtp.check.derived.course import Course
from fsm_smtp.check.derived.diagnosis import Diagnosis, diagnose
from fsm_smtp.check.derived.findings import case_id, remark_of, result_of
from fsm_smtp.check.derived.playing import Disagreement, Remark, Run, Site, play
from fsm_smtp.check.derived.reference import Word
from fsm_smtp.check.derived.resetting import Resets
from fsm_smtp.check.engine.events import CaseResult

#: Disagreements that are explained; with more, the model is not this server's.
MAX_DIAGNOSES = 40


class Examination:
    """The state of playing one suite.

    Attributes:
        course: how the sequences are played.
        played: sequences so far.
        failed: those in which the server left the machine.
        cut: those that were cut off, also when played again, by why.
        unexplained: failed ones that were not looked into.
        transitions: how many transitions are at fault.
    """

    def __init__(self, site: Site, resets: Resets | None = None) -> None:
        self._site = site
        self.course = Course(site, resets)
        self.played = 0
        self.failed = 0
        self.cut: Counter[str] = Counter()
        self.unexplained = 0
        self._results: dict[str, CaseResult] = {}
        self._remarks: dict[str, CaseResult] = {}
        self._diagnoses: list[Diagnosis] = []

    @property
    def transitions(self) -> int:
        """How many transitions are at fault."""
        return len(self._results)

    async def examine(
        self, words: Iterable[Word], chained: Iterable[Word] = ()
    ) -> AsyncGenerator[CaseResult | None]:
        """Play *words*, each on a connection of its own, and *chained*, where RSET is proven
        behind RSET; yields a result as soon as a transition is known to be at fault, and ``None``
        for each sequence that brings none."""
        course = self.course
        for runs in (course.singly(words), course.chained(chained, self._is_noted)):
            async with aclosing(runs):
                async for run in runs:
                    self.played += 1
                    yield await self._heed(run)
        async with aclosing(course.again()) as replays:
            async for run in replays:
                yield await self._heed(run)

    def _is_noted(self, remark: Remark) -> bool:
        return case_id(self._site.reference, remark.standing, remark.word[-1]) in self._remarks

    def remarks(self) -> tuple[CaseResult, ...]:
        """Results for replies that are not quite right, where the transition is not at fault."""
        return tuple(result for name, result in self._remarks.items() if name not in self._results)

    async def _heed(self, run: Run) -> CaseResult | None:
        reference = self._site.reference
        for remark in run.remarks:
            name = case_id(reference, remark.standing, remark.word[-1])
            if name not in self._remarks:
                self._remarks[name] = remark_of(remark, run, reference)
        if run.cut is not None:
            self.cut[run.cut] += 1
        if run.disagreement is None:
            return None
        self.failed += 1
        new = await self._beyond_what_is_known(run)
        if new is None or new.disagreement is None:
            return None
        if len(self._diagnoses) == MAX_DIAGNOSES:
            self.unexplained += 1
            return None
        diagnosis = await diagnose(self._site, new, new.disagreement)
        self._diagnoses.append(diagnosis)
        result = result_of(diagnosis, reference)
        if result.case.id in self._results:
            return None
        self._results[result.case.id] = result
        return result

    async def _beyond_what_is_known(self, run: Run) -> Run | None:
        """*run*, unless a transition that is known to be at fault explains it.

        Behind such a transition the server is elsewhere. Whether there is more to the sequence
        shows when its part up to behind the transition is replaced by the usual way there.
        """
        found = run.disagreement
        if found is None or self._is_known(found):
            return None
        usual = self._around(found.word)
        if usual is None:
            return run
        cleaned = await play(self._site, usual)
        found = cleaned.disagreement
        if found is None or self._is_known(found) or self._around(found.word) is not None:
            return None
        return cleaned

    def _is_known(self, found: Disagreement) -> bool:
        """Whether this output to this input in this state has been explained as such."""
        this = self._class(found.standing), found.name, found.got
        return any(
            this == (self._class(one.standing), one.name, one.disagreement.got)
            for one in self._diagnoses
            if not one.is_late
        )

    def _around(self, word: Word) -> Word | None:
        """*word* with the usual way to behind the last transition in it that is known to be at
        fault; ``None`` without such a transition before its last input."""
        reference = self._site.reference
        wrong = {(self._class(one.standing), one.name) for one in self._diagnoses}
        for end in reversed(range(len(word) - 1)):
            if (self._class(reference.standing_after(word[:end])), word[end]) in wrong:
                behind = self._class(reference.standing_after(word[: end + 1]))
                return (*reference.cover[behind], *word[end + 1 :])
        return None

    def _class(self, standing: int) -> int:
        return self._site.reference.classes[standing]
