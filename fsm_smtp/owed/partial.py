"""A machine some of whose choices are still unknown: how to get about in it, and tell apart."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from fsm_smtp.owed.model import Choices, ServerModel
from fsm_smtp.table.server_model import UNSENT, Answer, Standing, word_of


class PartialMachine:
    """What is known of a server once *choices* are made.

    Args:
        model: what servers owe.
        choices: the choices known so far.
        extensions: the EHLO keywords that the server offers.
        narrowed: names of the answers that a choice which is not known may still be, by point.
    """

    def __init__(
        self,
        model: ServerModel,
        choices: Choices,
        extensions: frozenset[str],
        narrowed: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self.model = model
        self.choices = choices
        self._narrowed = narrowed or {}
        self.inputs = tuple(one.name for one in model.inputs(extensions))
        self._steps: dict[tuple[Standing, str], tuple[frozenset[str], Standing | None]] = {}

    def ways(self) -> Iterator[tuple[Standing, tuple[str, ...]]]:
        """The standings that are known to be reached, and the shortest way to each."""
        ways: dict[Standing, tuple[str, ...]] = {self.model.server.initial: ()}
        todo = [self.model.server.initial]
        for standing in todo:  # grows while it is walked
            yield standing, ways[standing]
            for name in self.inputs:
                _, behind = self._step(standing, name)
                if behind is not None and behind not in ways:
                    ways[behind] = (*ways[standing], name)
                    todo.append(behind)

    def predicted(self, standing: Standing, sequence: Sequence[str]) -> tuple[frozenset[str], ...]:
        """The words that are possible at each step, as far as the way is known."""
        words: list[frozenset[str]] = []
        here: Standing | None = standing
        for name in sequence:
            if here is None:
                break
            possible, here = self._step(here, name)
            words.append(possible)
        return tuple(words)

    def agreement(self, standing: Standing, sequence: Sequence[str], seen: Sequence[str]) -> int:
        """How many outcomes are as predicted before the first that is not."""
        words = self.predicted(standing, sequence)
        for number, (possible, outcome) in enumerate(zip(words, seen, strict=False)):
            if word_of(outcome) not in possible:
                return number
        return len(seen)

    def following(self, standing: Standing, name: str, outcome: str) -> Standing | None:
        """The standing behind *outcome*; ``None`` when it is not known or was not owed."""
        words, behind = self._step(standing, name)
        if word_of(outcome) not in words:
            return None
        if behind is None:
            after = {
                self.model.server.after(standing, one)
                for one in self._possible(standing, name)
                if one.allows(outcome)
            }
            behind = after.pop() if len(after) == 1 else None
        return behind

    def telling(self, one: Standing, other: Standing) -> tuple[str, ...] | None:
        """The shortest sequence whose outcomes tell two standings apart, if there is one."""
        ways: dict[tuple[Standing, Standing], tuple[str, ...]] = {(one, other): ()}
        todo = [(one, other)]
        for pair in todo:  # grows while it is walked
            for name in self.inputs:
                left, right = (self._step(standing, name) for standing in pair)
                if not left[0] & right[0]:
                    return (*ways[pair], name)
                if left[1] is None or right[1] is None or left[1] == right[1]:
                    continue
                following = left[1], right[1]
                if following not in ways:
                    ways[following] = (*ways[pair], name)
                    todo.append(following)
        return None

    def _possible(self, standing: Standing, name: str) -> tuple[Answer, ...]:
        answers = tuple(self.model.possible(standing, name, self.choices))
        entry = self.model.owed(standing, name)
        point = entry and self.model.point_id(standing, name, entry)
        left = self._narrowed.get(point) if point else None
        if left is None or len(answers) == 1:
            return answers
        return tuple(answer for answer in answers if answer.name in left)

    def _step(self, standing: Standing, name: str) -> tuple[frozenset[str], Standing | None]:
        """The words that are possible, and what follows; ``None`` while that is not known."""
        found = self._steps.get((standing, name))
        if found is None:
            after = self.model.server.after
            answers = self._possible(standing, name)
            words = frozenset(answer.word for answer in answers) or frozenset({UNSENT})
            behind = {after(standing, answer) for answer in answers} or {standing}
            known = len(words) == len(behind) == 1
            found = self._steps[standing, name] = words, behind.pop() if known else None
        return found
