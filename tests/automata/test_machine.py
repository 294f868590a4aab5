"""The machine itself: running it, exploring it, minimising and comparing."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fsm_smtp.automata.cover import state_cover, transition_cover
from fsm_smtp.automata.equivalence import difference, minimise
from fsm_smtp.automata.mealy import Mealy, explore
from tests.automata.machines import Machine, Word, machines, turnstile, words


def test_a_run() -> None:
    machine = turnstile()
    assert machine.run(("push", "coin", "push")) == (0, 0, 1)
    assert machine.after(("coin", "coin")) == 2
    assert list(machine.steps(("coin",))) == [(0, "coin", 0, 1)]
    with pytest.raises(KeyError):
        machine.run(("kick",))


@pytest.mark.parametrize(
    ("why", "inputs", "outputs", "successors"),
    [
        ("at least its initial state", (), (), ()),
        ("twice", ("a", "a"), ((0, 0),), ((0, 0),)),
        ("not of the same states", ("a",), ((0,), (0,)), ((0,),)),
        ("for every input", ("a",), ((0, 1),), ((0,),)),
        ("for every input", ("a",), ((0,),), ((0, 0),)),
        ("no state", ("a",), ((0,),), ((1,),)),
        ("no state", ("a",), ((0,),), ((-1,),)),
    ],
)
def test_an_incomplete_machine_is_refused(
    why: str,
    inputs: Word,
    outputs: tuple[tuple[int, ...], ...],
    successors: tuple[tuple[int, ...], ...],
) -> None:
    with pytest.raises(ValueError, match=why):
        Mealy(inputs, outputs, successors)


def test_explore_keeps_what_can_be_reached_in_breadth_first_order() -> None:
    machine, names = explore(
        10,
        ("up", "down"),
        lambda state, way: (state % 2, min(state + 1, 12) if way == "up" else 10),
    )
    assert names == (10, 11, 12)
    assert machine == Mealy(("up", "down"), ((0, 0), (1, 1), (0, 0)), ((1, 0), (2, 0), (2, 0)))


def test_two_states_that_are_one() -> None:
    smallest, classes = minimise(turnstile())
    assert smallest.size == 2
    assert classes == (0, 1, 1)
    assert difference(turnstile(), smallest) is None


def test_a_state_out_of_reach_has_no_class() -> None:
    assert minimise(Mealy(("a",), ((0,), (1,)), ((0,), (0,))))[1] == (0, -1)


@given(machines())
def test_minimise_gives_an_equivalent_machine_whose_states_all_differ(machine: Machine) -> None:
    smallest, classes = minimise(machine)
    assert difference(machine, smallest) is None
    assert state_cover(smallest)[0] == ()  # every state is reached, or this raises
    answers = {
        tuple(smallest.run(word, state) for word in words(smallest.inputs, smallest.size))
        for state in range(smallest.size)
    }
    assert len(answers) == smallest.size
    assert minimise(smallest) == (smallest, tuple(range(smallest.size)))
    for word in words(machine.inputs, 3):
        assert classes[machine.after(word)] == smallest.after(word)


@given(machines(states=3, inputs=2), machines(states=3, inputs=2))
def test_a_difference_is_one_and_none_is_shorter(one: Machine, other: Machine) -> None:
    assume(one.inputs == other.inputs)
    found = difference(one, other)
    differing = (
        word
        for word in words(one.inputs, one.size + other.size - 1)
        if one.run(word) != other.run(word)
    )
    first = next(differing, None)
    assert (found is None) == (first is None)
    if found is not None and first is not None:
        assert one.run(found) != other.run(found)
        assert len(found) == len(first)


@given(machines(inputs=2), st.data())
def test_the_order_of_the_inputs_makes_no_difference(machine: Machine, data: st.DataObject) -> None:
    order = data.draw(st.permutations(machine.inputs))
    numbers = machine.numbers(order)
    turned = Mealy(
        tuple(order),
        tuple(tuple(row[number] for number in numbers) for row in machine.outputs),
        tuple(tuple(row[number] for number in numbers) for row in machine.successors),
    )
    assert difference(machine, turned) is None


def test_machines_with_different_inputs_are_not_compared() -> None:
    with pytest.raises(ValueError, match="different inputs"):
        difference(turnstile(), Mealy(("coin",), ((0,),), ((0,),)))


@given(machines())
def test_the_state_cover_is_shortest_and_the_transition_cover_misses_nothing(
    machine: Machine,
) -> None:
    machine, _ = minimise(machine)
    cover = state_cover(machine)
    for state, word in enumerate(cover):
        assert machine.after(word) == state
        assert all(machine.after(each) != state for each in words(machine.inputs, len(word) - 1))
    taken = {
        (machine.after(word[:-1]), word[-1]) for word in transition_cover(machine) if word
    }  # fmt: skip
    assert taken == {(s, symbol) for s in range(machine.size) for symbol in machine.inputs}


def test_no_cover_of_what_cannot_be_reached() -> None:
    with pytest.raises(ValueError, match="cannot be reached"):
        state_cover(Mealy(("a",), ((0,), (1,)), ((0,), (0,))))
