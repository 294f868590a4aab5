"""From a word that fails to the shortest one, and to the transition at fault."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_smtp.automata.cover import state_cover
from fsm_smtp.automata.culprit import locating
from fsm_smtp.automata.equivalence import difference, minimise
from fsm_smtp.automata.shrink import shrink
from tests.automata.machines import Machine, Word, changed, machines, turnstile


def test_what_makes_no_difference_goes() -> None:
    def fails(word: Word) -> bool:
        return "a" in word and "b" in word[word.index("a") :]

    assert shrink(tuple("ccabcacbc"), fails) == ("a", "b")


def test_a_shorter_part_is_found_where_leaving_out_single_symbols_ends() -> None:
    """abcd fails, no three of its symbols do, c alone does: delta debugging stops too early."""
    failing = {tuple("abcd"), ("c",)}
    asked: list[Word] = []

    def fails(word: Word) -> bool:
        asked.append(word)
        return word in failing

    assert shrink(tuple("abcd"), fails) == ("c",)
    assert len(asked) == len(set(asked))


@given(st.text("abc", min_size=1, max_size=7).map(tuple), st.sets(st.text("abc", max_size=7)))
def test_nothing_shorter_fails(word: Word, failing: set[str]) -> None:
    def fails(part: Word) -> bool:
        return part == word or "".join(part) in failing

    found = shrink(word, fails)
    assert fails(found)
    shorter = (part for size in range(len(found)) for part in combinations(word, size))
    assert not any(map(fails, shorter))


def test_the_questions_are_bounded() -> None:
    asked = 0

    def fails(word: Word) -> bool:
        nonlocal asked
        asked += 1
        return len(word) >= 15

    assert len(shrink(("a", "b", "c", "d") * 5, fails, questions=50)) >= 15
    assert asked <= 50


@given(st.data(), machines(states=4))
def test_the_transition_at_fault_is_found(data: st.DataObject, drawn: Machine) -> None:
    machine, _ = minimise(drawn)
    other = data.draw(changed(machine, 0))
    word = difference(machine, other)
    if word is None:
        return
    search = locating(machine, state_cover(machine), word)
    try:
        asked = next(search)
        while True:
            asked = search.send(machine.run(asked)[-1] != other.run(asked)[-1])
    except StopIteration as found:
        state, symbol, shown = found.value
    cover = state_cover(machine)
    assert shown[: len(cover[state])] == cover[state]
    assert shown[len(cover[state])] == symbol
    assert machine.run(shown)[-1] != other.run(shown)[-1]
    # With the next state as the model has it, the rest passes.
    rest = shown[len(cover[state]) + 1 :]
    repaired = (*cover[machine.after((symbol,), state)], *rest)
    assert not rest or machine.run(repaired)[-1] == other.run(repaired)[-1]


def test_the_empty_word_has_no_culprit() -> None:
    with pytest.raises(ValueError, match="empty"):
        next(locating(turnstile(), ((),), ()))
