"""Words that reach every state, and every transition."""

from fsm_smtp.automata.mealy import InputT, Mealy, OutputT


def state_cover(machine: Mealy[InputT, OutputT]) -> tuple[tuple[InputT, ...], ...]:
    """For each state a shortest word that leads to it; the empty one for the initial state.

    Raises:
        ValueError: a state cannot be reached.
    """
    words: dict[int, tuple[InputT, ...]] = {0: ()}
    order = [0]
    for state in order:  # grows while it is walked
        for symbol, following in zip(machine.inputs, machine.successors[state], strict=True):
            if following not in words:
                words[following] = (*words[state], symbol)
                order.append(following)
    if len(words) < machine.size:
        raise ValueError("a state cannot be reached")
    return tuple(words[state] for state in range(machine.size))


def transition_cover(machine: Mealy[InputT, OutputT]) -> tuple[tuple[InputT, ...], ...]:
    """The state cover, and each of its words with each input behind it."""
    words = state_cover(machine)
    longer = [(*word, symbol) for word in words for symbol in machine.inputs]
    return tuple(dict.fromkeys((*words, *longer)))
