"""The Mealy machine of a server whose choices are known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fsm_smtp.table.server_model import Entry, Standing


@dataclass(frozen=True, slots=True)
class Instance:
    """A deterministic, complete Mealy machine over the standings that can be reached.

    Attributes:
        initial: the state behind the greeting.
        inputs: the names of the inputs.
        outputs: abstract output of each (state, input), as `word_of` gives it; ``unsent`` where
            the input is not sent.
        next: the state that follows.
        owed: the entry that judges the outcome; ``None`` where the input is not sent.
        names: each state in words; its length is the number of states.
        standings: each state's mode and view.
    """

    initial: int
    inputs: tuple[str, ...]
    outputs: Mapping[tuple[int, str], str]
    next: Mapping[tuple[int, str], int]
    owed: Mapping[tuple[int, str], Entry | None]
    names: tuple[str, ...]
    standings: tuple[Standing, ...]

    def run(self, sequence: Iterable[str], state: int | None = None) -> tuple[str, ...]:
        """The outputs to *sequence*, from *state* or from the initial one.

        Raises:
            KeyError: an input is not one of `inputs`.
        """
        here = self.initial if state is None else state
        outputs: list[str] = []
        for name in sequence:
            outputs.append(self.outputs[here, name])
            here = self.next[here, name]
        return tuple(outputs)
