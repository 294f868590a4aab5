"""What a derived suite promises: whoever passes it, with at most m states, is equivalent."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsm_smtp.automata.equivalence import difference, minimise
from fsm_smtp.automata.mealy import Mealy
from fsm_smtp.automata.separation import Separation
from fsm_smtp.automata.suite import w_suite, wp_suite, wp_words
from fsm_smtp.automata.tree import PrefixTree
from tests.automata.machines import (
    Machine,
    Word,
    changed,
    every_machine,
    machines,
    turnstile,
    words,
)


def passes(suite: PrefixTree[str], machine: Machine, other: Machine) -> bool:
    return all(machine.run(word) == other.run(word) for word in suite)


@given(machines())
def test_separating_words_separate_and_none_is_shorter(machine: Machine) -> None:
    machine, _ = minimise(machine)
    separation = Separation(machine)
    for one in range(machine.size):
        for other in range(machine.size):
            if one == other:
                continue
            word = separation.separating(one, other)
            assert machine.run(word, one) != machine.run(word, other)
            assert not any(
                machine.run(each, one) != machine.run(each, other)
                for each in words(machine.inputs, len(word) - 1)
            )


@given(machines())
def test_w_tells_all_states_apart_and_w_i_one_from_the_others(machine: Machine) -> None:
    machine, _ = minimise(machine)
    separation = Separation(machine)
    whole = separation.characterization_set

    def answers(chosen: tuple[Word, ...], state: int) -> tuple[tuple[int, ...], ...]:
        return tuple(machine.run(word, state) for word in chosen)

    assert len({answers(whole, state) for state in range(machine.size)}) == machine.size
    for state in range(machine.size):
        identification = separation.identification_set(state)
        assert all(
            answers(identification, other) != answers(identification, state)
            for other in range(machine.size)
            if other != state
        )
        # The guarantee of the Wp-method rests on this.
        assert all(any(word == each[: len(word)] for each in whole) for word in identification)


def test_a_machine_that_is_not_minimal_has_no_suite() -> None:
    with pytest.raises(ValueError, match="not minimal"):
        wp_suite(turnstile())
    with pytest.raises(ValueError, match="told from itself"):
        Separation(minimise(turnstile())[0]).separating(1, 1)
    with pytest.raises(ValueError, match="extra >= 0"):
        wp_suite(minimise(turnstile())[0], -1)
    with pytest.raises(ValueError, match="extra >= 0"):
        w_suite(minimise(turnstile())[0], -1)


@pytest.mark.parametrize(
    ("states", "extra", "specifications"), [(1, 0, 2), (1, 1, 4), (1, 2, 2), (2, 0, 25), (2, 1, 3)]
)
def test_every_machine_that_passes_is_equivalent(
    states: int, extra: int, specifications: int
) -> None:
    """All machines of at most m states over two inputs and two outputs, without exception."""
    candidates = [minimise(machine)[0] for machine in every_machine(states, "ab", 2)]
    minimal = list(dict.fromkeys(each for each in candidates if each.size == states))
    chosen = random.Random(states).sample(minimal, min(specifications, len(minimal)))
    suites = [(machine, wp_suite(machine, extra)) for machine in chosen]
    for other in every_machine(states + extra, "ab", 2):
        for machine, suite in suites:
            if passes(suite, machine, other):
                assert difference(machine, other) is None


@settings(max_examples=300, deadline=None)
@given(st.data(), machines(states=4, inputs=3), st.integers(0, 2))
def test_no_changed_machine_slips_through(data: st.DataObject, drawn: Machine, extra: int) -> None:
    machine, _ = minimise(drawn)
    suite = wp_suite(machine, extra)
    for _ in range(5):
        other = data.draw(changed(machine, extra))
        assert passes(suite, machine, other) == (difference(machine, other) is None)


@settings(deadline=None)
@given(st.data(), machines(states=4, inputs=2))
def test_no_drawn_machine_slips_through(data: st.DataObject, drawn: Machine) -> None:
    machine, _ = minimise(drawn)
    other = data.draw(machines(states=machine.size + 1, inputs=2))
    if other.inputs == machine.inputs:
        suite = wp_suite(machine, max(other.size - machine.size, 0))
        assert passes(suite, machine, other) == (difference(machine, other) is None)


def test_a_state_too_many_is_seen_only_where_m_allows_for_it() -> None:
    """Behind a hidden third state a counter forgets; m = n is too little to find that."""
    machine = Mealy(("a", "b"), ((0, 0), (1, 0)), ((1, 0), (1, 0)))
    hidden = Mealy(("a", "b"), ((0, 0), (1, 0), (1, 0), (0, 0)), ((1, 0), (2, 0), (3, 0), (1, 0)))
    assert difference(machine, hidden) == ("a", "a", "a", "a")
    assert passes(wp_suite(machine), machine, hidden)
    assert not passes(wp_suite(machine, 2), machine, hidden)


@settings(deadline=None)
@given(machines(states=5, inputs=3), st.integers(0, 1))
def test_it_is_never_larger_than_chows(drawn: Machine, extra: int) -> None:
    machine, _ = minimise(drawn)
    smaller, larger = wp_suite(machine, extra), w_suite(machine, extra)
    assert len(smaller) <= len(larger)
    assert smaller.symbols <= larger.symbols


def large(states: int, inputs: int) -> Machine:
    drawn = random.Random(1)
    return Mealy(
        tuple(f"i{number}" for number in range(inputs)),
        tuple(tuple(drawn.randrange(2) for _ in range(inputs)) for _ in range(states)),
        tuple(
            ((state + 1) % states, *(drawn.randrange(states) for _ in range(inputs - 1)))
            for state in range(states)
        ),
    )


def test_the_size_of_an_smtp_server_is_no_matter() -> None:
    suite = wp_suite(large(33, 21), 1)
    assert len(suite) > 10_000
    assert sum(map(len, suite)) == suite.symbols


def test_the_words_come_one_at_a_time() -> None:
    first = next(wp_words(large(33, 21), 3))  # as a whole more than any memory
    assert len(first) >= 1


@given(st.lists(st.text("ab", max_size=5).map(tuple)))
def test_a_prefix_tree_keeps_what_begins_no_other_word(given_words: list[Word]) -> None:
    tree = PrefixTree(given_words)
    kept = {
        word
        for word in given_words
        if word and not any(other != word and other[: len(word)] == word for other in given_words)
    }
    assert set(tree) == kept
    assert len(tree) == len(kept) == len(list(tree))
    assert tree.symbols == sum(map(len, kept))


def test_adding_says_whether_it_is_news() -> None:
    tree = PrefixTree([("a", "b")])
    assert not tree.add(("a",))
    assert tree.add(("a", "c"))
    assert tree.add(("a", "b", "a"))
    assert list(tree) == [("a", "b", "a"), ("a", "c")]


UNDEFINED = 9


@st.composite
def partial_machines(draw: st.DrawFn) -> Machine:
    """Machines some of whose inputs are not given everywhere."""
    machine = draw(machines(states=4, inputs=3))
    places = [(state, number) for state in range(machine.size) for number in range(1)]
    holes = draw(st.sets(st.sampled_from(places)))
    outputs = [list(row) for row in machine.outputs]
    successors = [list(row) for row in machine.successors]
    for state, number in holes:
        outputs[state][number], successors[state][number] = UNDEFINED, state
    return Mealy(machine.inputs, tuple(map(tuple, outputs)), tuple(map(tuple, successors)))


def agree_where_defined(machine: Machine, other: Machine) -> bool:
    """Whether *other* answers every word that is defined in *machine* alike."""
    todo = [(0, 0)]
    for here, there in todo:  # grows while it is walked
        for number, output in enumerate(machine.outputs[here]):
            if output == UNDEFINED:
                continue
            if output != other.outputs[there][number]:
                return False
            following = machine.successors[here][number], other.successors[there][number]
            if following not in todo:
                todo.append(following)
    return True


@settings(max_examples=300, deadline=None)
@given(st.data(), partial_machines(), st.integers(0, 1))
def test_what_is_not_given_is_no_test_and_the_rest_keeps_its_guarantee(
    data: st.DataObject, drawn: Machine, extra: int
) -> None:
    machine, _ = minimise(drawn)
    try:
        suite = wp_suite(machine, extra, UNDEFINED)
    except ValueError:
        return  # two of its states differ by nothing that is given
    assert not any(UNDEFINED in machine.run(word) for word in suite)
    assert len(suite) <= len(w_suite(machine, extra, UNDEFINED))
    for _ in range(5):
        other = data.draw(changed(machine, extra))
        assert passes(suite, machine, other) == agree_where_defined(machine, other)
