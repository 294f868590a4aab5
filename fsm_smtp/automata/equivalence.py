"""Which states, and which machines, give the same outputs for ever."""

from collections import deque

from fsm_smtp.automata.mealy import InputT, Mealy, OutputT, explore


def minimise(machine: Mealy[InputT, OutputT]) -> tuple[Mealy[InputT, OutputT], tuple[int, ...]]:
    """The smallest equivalent machine, and the class of each state of *machine* in it.

    Partition refinement (E. F. Moore, 1956). A state that cannot be reached has the class -1,
    and a machine that is minimal already comes back with its states in breadth-first order.
    """
    blocks = _blocks(machine)
    representative: dict[int, int] = {}
    for state in reversed(range(machine.size)):
        representative[blocks[state]] = state
    place = {symbol: number for number, symbol in enumerate(machine.inputs)}

    def step(block: int, symbol: InputT) -> tuple[OutputT, int]:
        state, number = representative[block], place[symbol]
        return machine.outputs[state][number], blocks[machine.successors[state][number]]

    smallest, names = explore(blocks[0], machine.inputs, step)
    number_of = {block: number for number, block in enumerate(names)}
    return smallest, tuple(number_of.get(block, -1) for block in blocks)


def _blocks(machine: Mealy[InputT, OutputT]) -> list[int]:
    """For each state the number of its class of equivalent states."""
    blocks = _numbered(list(machine.outputs))
    while True:
        refined = _numbered(
            [
                (blocks[state], tuple(blocks[following] for following in machine.successors[state]))
                for state in range(machine.size)
            ]
        )
        if max(refined) == max(blocks):
            return blocks
        blocks = refined


def _numbered(signatures: list[OutputT]) -> list[int]:
    numbers: dict[OutputT, int] = {}
    return [numbers.setdefault(signature, len(numbers)) for signature in signatures]


def difference(
    one: Mealy[InputT, OutputT], other: Mealy[InputT, OutputT]
) -> tuple[InputT, ...] | None:
    """A shortest word that the machines answer differently; ``None`` if they are equivalent.

    Raises:
        ValueError: the machines do not have the same inputs.
    """
    if set(one.inputs) != set(other.inputs):
        raise ValueError("machines with different inputs cannot be compared")
    pairs = list(zip(range(len(one.inputs)), other.numbers(one.inputs), strict=True))
    came: dict[tuple[int, int], tuple[tuple[int, int], int] | None] = {(0, 0): None}
    waiting = deque(came)
    while waiting:
        here = waiting.popleft()
        for number, number_there in pairs:
            if one.outputs[here[0]][number] != other.outputs[here[1]][number_there]:
                return (*_way(one, came, here), one.inputs[number])
            following = (
                one.successors[here[0]][number],
                other.successors[here[1]][number_there],
            )
            if following not in came:
                came[following] = (here, number)
                waiting.append(following)
    return None


def _way(
    machine: Mealy[InputT, OutputT],
    came: dict[tuple[int, int], tuple[tuple[int, int], int] | None],
    here: tuple[int, int],
) -> tuple[InputT, ...]:
    word: list[InputT] = []
    while (origin := came[here]) is not None:
        here, number = origin
        word.append(machine.inputs[number])
    return tuple(reversed(word))
