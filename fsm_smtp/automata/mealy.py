"""A deterministic and complete Mealy machine, frozen, its states numbered from the initial one."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

StateT = TypeVar("StateT", bound=Hashable)
InputT = TypeVar("InputT", bound=Hashable)
OutputT = TypeVar("OutputT", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Mealy(Generic[InputT, OutputT]):
    """States are 0 … `size` - 1, and 0 is the initial one.

    Attributes:
        inputs: the alphabet; its order decides between sequences of the same length.
        outputs: ``outputs[state][number of the input]``.
        successors: ``successors[state][number of the input]``.

    Raises:
        ValueError: the tables are not those of a complete machine.
    """

    inputs: tuple[InputT, ...]
    outputs: tuple[tuple[OutputT, ...], ...]
    successors: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if not self.successors:
            raise ValueError("a machine has at least its initial state")
        if len(set(self.inputs)) != len(self.inputs):
            raise ValueError("an input is there twice")
        if len(self.outputs) != len(self.successors):
            raise ValueError("outputs and successors are not of the same states")
        for outputs, successors in zip(self.outputs, self.successors, strict=True):
            if len(outputs) != len(self.inputs) or len(successors) != len(self.inputs):
                raise ValueError("every state has an output and a successor for every input")
            if any(not 0 <= state < self.size for state in successors):
                raise ValueError("a successor is no state")

    @property
    def size(self) -> int:
        """The number of states."""
        return len(self.successors)

    def numbers(self, word: Iterable[InputT]) -> tuple[int, ...]:
        """*word* as places in `inputs`.

        Raises:
            KeyError: something in it is no input.
        """
        place = {each: number for number, each in enumerate(self.inputs)}
        return tuple(place[each] for each in word)

    def steps(
        self, word: Iterable[InputT], state: int = 0
    ) -> Iterator[tuple[int, InputT, OutputT, int]]:
        """Each step of the run on *word*: the state, the input, the output, the next state."""
        place = {each: number for number, each in enumerate(self.inputs)}
        for symbol in word:
            number = place[symbol]
            following = self.successors[state][number]
            yield state, symbol, self.outputs[state][number], following
            state = following

    def run(self, word: Iterable[InputT], state: int = 0) -> tuple[OutputT, ...]:
        """The outputs on *word*."""
        return tuple(output for _, _, output, _ in self.steps(word, state))

    def after(self, word: Iterable[InputT], state: int = 0) -> int:
        """The state that *word* leads to."""
        for _, _, _, following in self.steps(word, state):
            state = following
        return state

    def answers(
        self, word: Sequence[int], state: int, undefined: OutputT | None = None
    ) -> tuple[OutputT, ...]:
        """`run` for a word of numbers, as far as no output is *undefined*."""
        outputs: list[OutputT] = []
        for number in word:
            output = self.outputs[state][number]
            if undefined is not None and output == undefined:
                break
            outputs.append(output)
            state = self.successors[state][number]
        return tuple(outputs)


def explore(
    initial: StateT,
    inputs: Sequence[InputT],
    step: Callable[[StateT, InputT], tuple[OutputT, StateT]],
) -> tuple[Mealy[InputT, OutputT], tuple[StateT, ...]]:
    """The machine that *step* describes, as far as it can be reached, and its states' own names.

    States are numbered breadth first in the order of *inputs*: a machine has one numbering.
    """
    names = [initial]
    known = {initial: 0}
    outputs: list[tuple[OutputT, ...]] = []
    successors: list[tuple[int, ...]] = []
    for name in names:  # grows while it is walked
        row = [step(name, symbol) for symbol in inputs]
        for _, following in row:
            if following not in known:
                known[following] = len(names)
                names.append(following)
        outputs.append(tuple(output for output, _ in row))
        successors.append(tuple(known[following] for _, following in row))
    return Mealy(tuple(inputs), tuple(outputs), tuple(successors)), tuple(names)
