"""Words that tell states apart by their outputs."""

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Generic

from fsm_smtp.automata.mealy import InputT, Mealy, OutputT

Word = tuple[int, ...]
Pair = tuple[int, int]


class Separation(Generic[InputT, OutputT]):
    """How the states of a minimal machine are told apart.

    An output that is *undefined* stands for an input that is not given there: it tells nothing,
    and nor does what comes behind it.

    Raises:
        ValueError: two states are equivalent, or differ only by what is undefined.
    """

    def __init__(self, machine: Mealy[InputT, OutputT], undefined: OutputT | None = None) -> None:
        self._machine = machine
        self._undefined = undefined
        self._shortest = _shortest(machine, undefined)
        self._words = _few(self._pairs(), self._parted(self._candidates()))

    def separating(self, one: int, other: int) -> tuple[InputT, ...]:
        """A shortest word whose outputs differ between two states.

        Raises:
            ValueError: they are the same state.
        """
        if one == other:
            raise ValueError("a state cannot be told from itself")
        return self._spelt(self._shortest[min(one, other), max(one, other)])

    @property
    def characterization_set(self) -> tuple[tuple[InputT, ...], ...]:
        """W: for every two states a word in it tells them apart. Of one state: the empty word."""
        return tuple(self._spelt(word) for word in self._words)

    def identification_set(self, state: int) -> tuple[tuple[InputT, ...], ...]:
        """W_i: prefixes of words of W that tell *state* from every other state."""
        prefixes = {word[:end]: None for word in self._words for end in range(1, len(word) + 1)}
        against = {
            word: {
                (state, other)
                for other in range(self._machine.size)
                if _differ(self._answers(word, other), self._answers(word, state))
            }
            for word in prefixes
        }
        others = {(state, other) for other in range(self._machine.size) if other != state}
        return tuple(self._spelt(word) for word in _few(others, against))

    def _answers(self, word: Word, state: int) -> tuple[OutputT, ...]:
        return self._machine.answers(word, state, self._undefined)

    def _spelt(self, word: Word) -> tuple[InputT, ...]:
        return tuple(self._machine.inputs[number] for number in word)

    def _pairs(self) -> set[Pair]:
        return set(combinations(range(self._machine.size), 2))

    def _candidates(self) -> Iterator[Word]:
        """Every first input that is as good as the best, before a shortest rest."""
        for (one, other), best in self._shortest.items():
            for number in range(len(self._machine.inputs)):
                if len(best) == 1:
                    if _differ(self._answers((number,), one), self._answers((number,), other)):
                        yield (number,)
                    continue
                rest = self._shortest.get(_following(self._machine, one, other, number))
                if rest is not None and len(rest) == len(best) - 1:
                    yield (number, *rest)

    def _parted(self, words: Iterable[Word]) -> dict[Word, set[Pair]]:
        """Which pairs each of the words tells apart."""
        parted: dict[Word, set[Pair]] = {}
        for word in words:
            if word not in parted:
                answers = [self._answers(word, state) for state in range(self._machine.size)]
                parted[word] = {
                    (one, other)
                    for one, other in combinations(range(self._machine.size), 2)
                    if _differ(answers[one], answers[other])
                }
        return parted


def _differ(one: tuple[OutputT, ...], other: tuple[OutputT, ...]) -> bool:
    """Whether what is defined for both states differs."""
    return any(left != right for left, right in zip(one, other, strict=False))


def _following(machine: Mealy[InputT, OutputT], one: int, other: int, number: int) -> Pair:
    after = machine.successors[one][number], machine.successors[other][number]
    return min(after), max(after)


def _shortest(machine: Mealy[InputT, OutputT], undefined: OutputT | None) -> dict[Pair, Word]:
    """A shortest separating word for each two states, the pairs by the length of it."""
    found: dict[Pair, Word] = {}
    waiting = list(combinations(range(machine.size), 2))
    numbers = range(len(machine.inputs))
    while waiting:
        layer: dict[Pair, Word] = {}
        for one, other in waiting:
            for number in numbers:
                outputs = machine.outputs[one][number], machine.outputs[other][number]
                if undefined is not None and undefined in outputs:
                    continue
                if not found and outputs[0] != outputs[1]:
                    layer[one, other] = (number,)
                    break
                rest = found.get(_following(machine, one, other, number))
                if rest is not None:
                    layer[one, other] = (number, *rest)
                    break
        if not layer:
            raise ValueError("the machine is not minimal: nothing tells two of its states apart")
        found.update(layer)
        waiting = [pair for pair in waiting if pair not in layer]
    return found


def _few(wanted: set[Pair], parted: dict[Word, set[Pair]]) -> tuple[Word, ...]:
    """Words that together part all the *wanted* pairs, the most useful for its length first.

    Greedy: the fewest words would be a set cover, which is NP-hard.
    """
    chosen: list[Word] = []
    left = set(wanted)
    while left:
        best = max(parted, key=lambda word: (len(parted[word] & left), -len(word)))
        left -= parted[best]
        chosen.append(best)
    return tuple(chosen) or ((),)
