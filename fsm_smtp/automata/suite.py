"""Suites with a guarantee: a machine of at most m states that passes is equivalent."""

from collections.abc import Iterator
from itertools import product

from fsm_smtp.automata.cover import state_cover, transition_cover
from fsm_smtp.automata.mealy import InputT, Mealy, OutputT
from fsm_smtp.automata.separation import Separation
from fsm_smtp.automata.tree import PrefixTree


def wp_suite(machine: Mealy[InputT, OutputT], extra: int = 0) -> PrefixTree[InputT]:
    """The Wp-method's suite for m = n + *extra* states (Fujiwara et al. 1991).

    Phase 1, the state cover with up to *extra* inputs and all of W behind it, shows that the
    states are there. Phase 2, the other transitions with exactly *extra* inputs behind them,
    checks each end by the identification set of the state that it must be.

    Raises:
        ValueError: *machine* is not minimal, or *extra* is negative.
    """
    return PrefixTree(wp_words(machine, extra))


def wp_words(machine: Mealy[InputT, OutputT], extra: int = 0) -> Iterator[tuple[InputT, ...]]:
    """The words of `wp_suite` one at a time, phase 1 before phase 2, repetitions not removed."""
    _not_negative(extra)
    separation = Separation(machine)
    cover = state_cover(machine)
    whole = separation.characterization_set
    for access in cover:
        for length in range(extra + 1):
            for middle in product(machine.inputs, repeat=length):
                for word in whole:
                    yield (*access, *middle, *word)
    identification = [separation.identification_set(state) for state in range(machine.size)]
    reached = set(cover)
    for way in transition_cover(machine):
        if way in reached:
            continue
        end = machine.after(way)
        for middle in product(machine.inputs, repeat=extra):
            for word in identification[machine.after(middle, end)]:
                yield (*way, *middle, *word)


def w_suite(machine: Mealy[InputT, OutputT], extra: int = 0) -> PrefixTree[InputT]:
    """The W-method's suite for m = n + *extra* states (Chow 1978): the transition cover, up to
    *extra* inputs, all of W.

    Raises:
        ValueError: *machine* is not minimal, or *extra* is negative.
    """
    _not_negative(extra)
    whole = Separation(machine).characterization_set
    return PrefixTree(
        (*way, *middle, *word)
        for way in transition_cover(machine)
        for length in range(extra + 1)
        for middle in product(machine.inputs, repeat=length)
        for word in whole
    )


def _not_negative(extra: int) -> None:
    if extra < 0:
        raise ValueError("a server has no fewer states than its model: extra is 0 or more")
