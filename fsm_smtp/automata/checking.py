"""Words that show where a machine stands and bring it back there."""

from collections.abc import Collection

from fsm_smtp.automata.mealy import InputT, Mealy, OutputT

#: Longer words cost more than a new start does.
LONGEST = 3


def checking_word(
    machine: Mealy[InputT, OutputT],
    state: int,
    others: Collection[int],
    back: InputT,
    unfit: Collection[OutputT] = (),
) -> tuple[InputT, ...] | None:
    """A shortest word that tells *state* from each of *others*, and behind which *back* leads to
    *state* again; ``None`` if none of at most `LONGEST` inputs does.

    An output in *unfit* is never waited for: no input with it, in whichever of the states that are
    still in question, is in the word.
    """
    numbers = range(len(machine.inputs))
    home = machine.inputs.index(back)
    begin = state, frozenset(others) - {state}
    words: dict[tuple[int, frozenset[int]], tuple[InputT, ...]] = {begin: ()}
    order = [begin]
    for here, left in order:  # grows while it is walked
        word = words[here, left]
        if not left and machine.successors[here][home] == state:
            return word
        if len(word) == LONGEST:
            continue
        for number in numbers:
            output = machine.outputs[here][number]
            if any(machine.outputs[one][number] in unfit for one in (here, *left)):
                continue
            same = frozenset(
                machine.successors[one][number]
                for one in left
                if machine.outputs[one][number] == output
            )
            following = machine.successors[here][number], same
            if following[0] not in same and following not in words:
                words[following] = (*word, machine.inputs[number])
                order.append(following)
    return None
