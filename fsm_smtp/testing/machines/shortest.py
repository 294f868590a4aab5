"""The shortest session with a server under test that shows a failure."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from fsm_smtp.automata.shrink import shrink
from fsm_smtp.testing.machines.examiner import Examiner
from fsm_smtp.testing.machines.failure import ServerViolation
from fsm_smtp.testing.machines.step import Step

#: Inputs whose answer depends on where the server stands.
_TELLING: Final = ("mail", "rcpt", "data", "bdat")


def violation_of(
    open_examiner: Callable[[], Examiner], steps: Sequence[Step]
) -> ServerViolation | None:
    """What the steps show in a session of their own."""
    try:
        examiner = open_examiner()
    except ServerViolation as error:
        return error
    try:
        for step in steps:
            examiner.play(step)
        examiner.finish()
    except ServerViolation as error:
        return error
    finally:
        examiner.close()
    return None


def shortest(
    open_examiner: Callable[[], Examiner],
    steps: Sequence[Step],
    found: ServerViolation,
    known: frozenset[str] = frozenset(),
) -> ServerViolation:
    """The violation on the fewest and plainest steps that show the same wrong answer.

    It may break another requirement there: the same mistake breaks several, and the one that shows
    soonest is the one to read; but none of the *known* sections. What leads to it may show in
    another answer before, to an input that the session has not: these are tried too.
    """
    best = found

    def fails(part: tuple[Step, ...]) -> bool:
        nonlocal best
        seen = violation_of(open_examiner, part)
        if (
            seen is None
            or seen.rfc in known
            or seen.got != found.got
            or (not seen.got and seen.says != found.says)
        ):
            return False
        if _length(seen) <= _length(best):
            best = seen
        return True

    word = tuple(steps)
    plain = tuple(one for step in word for one in step.plainer)
    if plain != word and fails(plain):
        word = plain
    elif not fails(word):
        return found  # it does not come again: the server is not deterministic
    word = shrink(word, fails)
    for part in _sooner(word):
        seen = violation_of(open_examiner, part)
        if seen is not None and seen.rfc not in known and len(seen.steps) < len(best.steps):
            return shortest(open_examiner, part, seen, known)
    return best


def _length(violation: ServerViolation) -> tuple[int, int]:
    """Steps before lines: the reply to EHLO has many."""
    return len(violation.steps), len(violation.transcript)


def _sooner(word: Sequence[Step]) -> Iterator[tuple[Step, ...]]:
    """Beginnings of a session with one input behind them that tells where the server stands."""
    for length in range(len(word)):
        for name in _TELLING:
            yield (*word[:length], Step((name,)))
