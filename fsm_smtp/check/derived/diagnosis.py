"""From a sequence that failed to the shortest one that does, and the transition at fault."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

from fsm_smtp.automata.culprit import locating
from fsm_smtp.automata.shrink import shrinking
from fsm_smtp.check.derived.playing import CUT, SURPLUS, Disagreement, Run, Site, play
from fsm_smtp.check.derived.reference import Word
from fsm_smtp.owed import NONE, UNSENT

#: Questions for shrinking one sequence; few where each takes a silence.
QUESTIONS = 200
QUESTIONS_IN_SILENCE = 12
#: Seconds that count as silence then: that a reply is missing was seen with all patience before.
SILENCE = 1.0

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A disagreement that was confirmed and explained, or was not.

    Attributes:
        run: the run on the shortest sequence that shows it; the one that failed first, if it
            did not come again.
        disagreement: what it shows.
        standing: where the machine stands before the transition at fault.
        name: the input of that transition: the last one if its own output is wrong, an earlier
            one if it leads to a wrong state that shows only later.
        again: the run on the same sequence in which all was well, if there was one.
    """

    run: Run
    disagreement: Disagreement
    standing: int
    name: str
    again: Run | None = None

    @property
    def is_firm(self) -> bool:
        """Whether the server did it again; otherwise it is not deterministic."""
        return self.again is None

    @property
    def is_late(self) -> bool:
        """Whether the transition leads to a wrong state, its own output being right."""
        last = self.disagreement
        return (self.standing, self.name) != (last.standing, last.name)


async def diagnose(site: Site, run: Run, found: Disagreement) -> Diagnosis:
    """Confirm *found*, which *run* has shown, and explain it."""
    word = found.word
    careful = await play(site, word, careful=True)
    if careful.disagreement is None:
        once_more = await play(site, run.word)
        if once_more.disagreement is None:
            return Diagnosis(run, found, found.standing, found.name, once_more)
        careful = once_more
    assert careful.disagreement is not None
    return await _Inquiry(site, careful, careful.disagreement).explain()


class _Inquiry:
    """The same disagreement: the same output to the same input in the same state, at the end."""

    def __init__(self, site: Site, run: Run, found: Disagreement) -> None:
        self._site = site
        self._run = run
        self._found = found
        self._state = site.reference.classes[found.standing]
        owed = site.reference.instance.outputs[found.standing, found.name]
        #: Only waiting shows what comes where nothing is owed.
        self._careful = owed == NONE or found.got in (SURPLUS, CUT)
        self._patience = min(SILENCE, site.settings.timeout) if found.got == "silence" else None

    async def explain(self) -> Diagnosis:
        in_silence = self._careful or self._patience is not None
        questions = QUESTIONS_IN_SILENCE if in_silence else QUESTIONS
        shortest = await self._answer(shrinking(self._found.word, questions))
        # Once more, and then this is the run that is shown.
        await self._fails(shortest)
        run, found = self._run, self._found
        reference = self._site.reference
        state, name, _ = await self._answer(
            locating(reference.machine, reference.cover, found.word)
        )
        standings = (reference.standing_after(found.word[:end]) for end in range(len(found.word)))
        standing = next(
            standing
            for standing, symbol in zip(standings, found.word, strict=True)
            if (reference.classes[standing], symbol) == (state, name)
        )
        return Diagnosis(run, found, standing, name)

    async def _answer(self, questions: Generator[Word, bool, ResultT]) -> ResultT:
        try:
            word = next(questions)
            while True:
                word = questions.send(await self._fails(word))
        except StopIteration as stop:
            result: ResultT = stop.value
            return result

    async def _fails(self, word: Word) -> bool:
        reference = self._site.reference
        if not word or word[-1] != self._found.name or UNSENT in reference.instance.run(word):
            return False
        if reference.classes[reference.standing_after(word[:-1])] != self._state:
            return False
        run = await play(
            self._site, word, careful=self._careful, closing=False, patience=self._patience
        )
        found = run.disagreement
        if found is None or found.word != word or found.got != self._found.got:
            return False
        if len(word) <= len(self._found.word):
            self._run, self._found = run, found
        return True
