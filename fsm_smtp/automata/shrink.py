"""The shortest part of a failing word that still fails.

What is asked takes time, and is often a coroutine's business, so the algorithm is a generator: it
yields words, is sent whether they fail, and returns what it found. `shrink` drives it with a
function.
"""

from collections.abc import Callable, Generator
from itertools import combinations, pairwise

from fsm_smtp.automata.mealy import InputT

#: Most questions that are asked for one word.
QUESTIONS = 300


def shrinking(
    word: tuple[InputT, ...], questions: int = QUESTIONS
) -> Generator[tuple[InputT, ...], bool, tuple[InputT, ...]]:
    """A shortest subsequence of *word* that fails; *word* itself is known to fail.

    First delta debugging (A. Zeller, R. Hildebrandt, "Simplifying and isolating failure-inducing
    input", IEEE Trans. Software Eng. 28(2), 2002), which ends where no single symbol can go; then
    every shorter subsequence, from short to long. After *questions* questions the best so far
    stands, which is then perhaps not the shortest.
    """
    answers: dict[tuple[InputT, ...], bool] = {word: True}

    def ask(part: tuple[InputT, ...]) -> Generator[tuple[InputT, ...], bool, bool]:
        if part not in answers:
            if len(answers) > questions:
                return False
            answers[part] = yield part
        return answers[part]

    best = yield from _delta_debug(word, ask)
    for length in range(len(best)):
        for part in dict.fromkeys(combinations(word, length)):
            if (yield from ask(part)):
                return part
    return best


def _delta_debug(
    word: tuple[InputT, ...],
    ask: Callable[[tuple[InputT, ...]], Generator[tuple[InputT, ...], bool, bool]],
) -> Generator[tuple[InputT, ...], bool, tuple[InputT, ...]]:
    pieces = 2
    while len(word) >= 2:
        ends = [len(word) * number // pieces for number in range(pieces + 1)]
        for start, end in pairwise(ends):
            rest = word[:start] + word[end:]
            if (yield from ask(rest)):
                word, pieces = rest, max(pieces - 1, 2)
                break
        else:
            if pieces == len(word):
                break
            pieces = min(pieces * 2, len(word))
    return word


def shrink(
    word: tuple[InputT, ...],
    fails: Callable[[tuple[InputT, ...]], bool],
    questions: int = QUESTIONS,
) -> tuple[InputT, ...]:
    """`shrinking`, with every question answered by *fails*."""
    asked = shrinking(word, questions)
    try:
        part = next(asked)
        while True:
            part = asked.send(fails(part))
    except StopIteration as found:
        result: tuple[InputT, ...] = found.value
        return result
