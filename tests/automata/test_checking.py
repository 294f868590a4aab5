"""The word that shows where a machine stands and brings it back."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from fsm_smtp.automata.checking import LONGEST, checking_word
from fsm_smtp.automata.mealy import Mealy
from tests.automata.machines import Machine, machines


@given(machines(outputs=3), st.data())
def test_it_does_what_it_says_and_nothing_shorter_does(
    machine: Machine, data: st.DataObject
) -> None:
    state = data.draw(st.integers(0, machine.size - 1))
    others = data.draw(st.sets(st.integers(0, machine.size - 1)))
    back = machine.inputs[0]

    def does(word: tuple[str, ...]) -> bool:
        apart = all(
            machine.run(word, state) != machine.run(word, other) for other in others - {state}
        )
        return apart and machine.after((*word, back), state) == state

    words = (
        word for length in range(LONGEST + 1) for word in product(machine.inputs, repeat=length)
    )
    shortest = next(filter(does, words), None)
    found = checking_word(machine, state, others, back)
    assert (found is None) == (shortest is None)
    if found is not None and shortest is not None:
        assert does(found)
        assert len(found) == len(shortest)


def test_an_unfit_output_is_not_waited_for() -> None:
    """Only b tells 0 from 1, and 1 answers it by what nobody waits for."""
    machine = Mealy(("a", "b"), ((0, 0), (0, 1)), ((0, 0), (0, 0)))
    assert checking_word(machine, 0, (1,), "a") == ("b",)
    assert checking_word(machine, 0, (1,), "a", unfit=(1,)) is None
