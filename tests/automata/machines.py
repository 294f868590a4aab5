"""Machines to try the algorithms on."""

from collections.abc import Iterator
from itertools import product

from hypothesis import strategies as st

from fsm_smtp.automata.mealy import Mealy

Machine = Mealy[str, int]
Word = tuple[str, ...]


@st.composite
def machines(draw: st.DrawFn, *, states: int = 5, inputs: int = 3, outputs: int = 2) -> Machine:
    """Any machine of at most so many states, reachable or not, minimal or not."""
    size = draw(st.integers(1, states))
    alphabet = "abcdef"[: draw(st.integers(1, inputs))]
    rows = st.lists(st.integers(0, outputs - 1), min_size=len(alphabet), max_size=len(alphabet))
    ways = st.lists(st.integers(0, size - 1), min_size=len(alphabet), max_size=len(alphabet))
    return Mealy(
        tuple(alphabet),
        tuple(tuple(draw(rows)) for _ in range(size)),
        tuple(tuple(draw(ways)) for _ in range(size)),
    )


@st.composite
def changed(draw: st.DrawFn, machine: Machine, extra: int) -> Machine:
    """*machine* with up to *extra* states more and up to three transitions changed.

    Much nearer to *machine* than a drawn one: the mistakes that a suite has to look for.
    """
    size = machine.size + draw(st.integers(0, extra))
    originals = [state % machine.size for state in range(size)]
    outputs = [list(machine.outputs[state]) for state in originals]
    successors = [list(machine.successors[state]) for state in originals]
    places = [(state, number) for state in range(size) for number in range(len(machine.inputs))]
    for _ in range(draw(st.integers(1, 3))):
        state, number = draw(st.sampled_from(places))
        if draw(st.booleans()):
            outputs[state][number] = draw(st.integers(0, 1))
        else:
            successors[state][number] = draw(st.integers(0, size - 1))
    return Mealy(machine.inputs, tuple(map(tuple, outputs)), tuple(map(tuple, successors)))


def every_machine(states: int, inputs: str, outputs: int) -> Iterator[Machine]:
    """All machines of *states* states."""
    rows = list(product(product(range(outputs), range(states)), repeat=len(inputs)))
    for table in product(rows, repeat=states):
        yield Mealy(
            tuple(inputs),
            tuple(tuple(output for output, _ in row) for row in table),
            tuple(tuple(state for _, state in row) for row in table),
        )


def words(inputs: Word, length: int) -> Iterator[Word]:
    """Every word of at most *length* symbols, short ones first."""
    for each in range(length + 1):
        yield from product(inputs, repeat=each)


def turnstile() -> Machine:
    """Locked until a coin comes; the third state is the second one over again."""
    return Mealy(("coin", "push"), ((0, 0), (0, 1), (0, 1)), ((1, 0), (2, 0), (1, 0)))
