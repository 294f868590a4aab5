"""Which transition of the machine under test is at fault, when a word fails later.

A wrong next state shows only some inputs behind it. The word u·x·v fails; with a prefix replaced
by the state cover's way to the state where it should end, it still fails as long as the fault is
in what was kept. Where replacing one symbol more makes the failure go away, that symbol's
transition leads elsewhere (the analysis of counterexamples of R. L. Rivest, R. E. Schapire,
"Inference of finite automata using homing sequences", Information and Computation 103(2), 1993).
"""

from collections.abc import Generator, Sequence

from fsm_smtp.automata.mealy import InputT, Mealy, OutputT


def locating(
    machine: Mealy[InputT, OutputT],
    cover: Sequence[tuple[InputT, ...]],
    word: tuple[InputT, ...],
) -> Generator[tuple[InputT, ...], bool, tuple[int, InputT, tuple[InputT, ...]]]:
    """The state and the input of a wrong transition, and a failing word that begins with the
    state cover's way there; the last of them fails in its own output.

    Yields words and is sent whether they fail. *word* is known to fail at its last symbol and
    not before; *cover* is the state cover of *machine*.

    Raises:
        ValueError: *word* is empty.
    """
    if not word:
        raise ValueError("the empty word cannot fail")
    ways = [cover[machine.after(word[:end])] for end in range(len(word))]
    # Invariant: with the first `fails` symbols replaced it fails; with `passes`, it does not.
    fails, passes = 0, len(word)
    while passes - fails > 1:
        middle = (fails + passes) // 2
        if (yield (*ways[middle], *word[middle:])):
            fails = middle
        else:
            passes = middle
    return machine.after(word[:fails]), word[fails], (*ways[fails], *word[fails:])
