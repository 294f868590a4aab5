"""Suites with a guarantee: a machine of at most m states that passes is equivalent.

Where an input is not given in every state, its output there is called *undefined*: such a step is
no test. The guarantee is then that both machines agree on every word that is given (A. Petrenko,
N. Yevtushenko, "Testing from partial deterministic FSM specifications", IEEE Trans. Computers
54(9), 2005). It holds because each two states are told apart by a word that is defined in both.
"""

from collections.abc import Iterable, Iterator
from itertools import product

from fsm_smtp.automata.cover import state_cover, transition_cover
from fsm_smtp.automata.mealy import InputT, Mealy, OutputT
from fsm_smtp.automata.separation import Separation
from fsm_smtp.automata.tree import PrefixTree


def wp_suite(
    machine: Mealy[InputT, OutputT], extra: int = 0, undefined: OutputT | None = None
) -> PrefixTree[InputT]:
    """The Wp-method's suite for m = n + *extra* states (Fujiwara et al. 1991).

    Phase 1, the state cover with up to *extra* inputs and all of W behind it, shows that the
    states are there. Phase 2, the other transitions with exactly *extra* inputs behind them,
    checks each end by the identification set of the state that it must be.

    Raises:
        ValueError: *machine* is not minimal, or *extra* is negative.
    """
    return PrefixTree(wp_words(machine, extra, undefined))


def wp_words(
    machine: Mealy[InputT, OutputT], extra: int = 0, undefined: OutputT | None = None
) -> Iterator[tuple[InputT, ...]]:
    """The words of `wp_suite` one at a time, phase 1 before phase 2, repetitions not removed."""
    _not_negative(extra)
    separation = Separation(machine, undefined)
    cover = state_cover(machine)
    whole = separation.characterization_set
    phase1 = (
        (*access, *middle, *word)
        for access in cover
        for length in range(extra + 1)
        for middle in product(machine.inputs, repeat=length)
        for word in whole
    )
    identification = [separation.identification_set(state) for state in range(machine.size)]
    reached = set(cover)
    phase2 = (
        (*way, *middle, *word)
        for way in transition_cover(machine)
        if way not in reached
        for middle in product(machine.inputs, repeat=extra)
        for word in identification[machine.after((*way, *middle))]
    )
    yield from _defined(machine, phase1, undefined)
    yield from _defined(machine, phase2, undefined)


def w_suite(
    machine: Mealy[InputT, OutputT], extra: int = 0, undefined: OutputT | None = None
) -> PrefixTree[InputT]:
    """The W-method's suite for m = n + *extra* states (Chow 1978): the transition cover, up to
    *extra* inputs, all of W.

    Raises:
        ValueError: *machine* is not minimal, or *extra* is negative.
    """
    _not_negative(extra)
    whole = Separation(machine, undefined).characterization_set
    words = (
        (*way, *middle, *word)
        for way in transition_cover(machine)
        for length in range(extra + 1)
        for middle in product(machine.inputs, repeat=length)
        for word in whole
    )
    return PrefixTree(_defined(machine, words, undefined))


def _defined(
    machine: Mealy[InputT, OutputT],
    words: Iterable[tuple[InputT, ...]],
    undefined: OutputT | None,
) -> Iterator[tuple[InputT, ...]]:
    """Each word up to its first step that is undefined."""
    if undefined is None:
        yield from words
        return
    for word in words:
        yield word[: len(machine.answers(machine.numbers(word), 0, undefined))]


def _not_negative(extra: int) -> None:
    if extra < 0:
        raise ValueError("a machine under test has no fewer states than its model: extra >= 0")
