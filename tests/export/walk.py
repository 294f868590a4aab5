"""Explores what another reading of the table says: the tests' own, on plain dictionaries."""

from collections.abc import Callable, Iterable

Values = dict[str, str]


def reachable(
    start: Values, steps: Callable[[Values], Iterable[tuple[str, Values]]]
) -> set[tuple[tuple[str, str], ...]]:
    """Every set of values that *steps* lead to from *start*.

    Args:
        start: the values at the start.
        steps: for some values, each trigger that can happen and the values after it.

    Raises:
        AssertionError: a trigger can happen in two ways.
    """
    todo = [start]
    known = {tuple(start.items())}
    for values in todo:  # grows while it is walked
        seen: set[str] = set()
        for trigger, after in steps(values):
            assert trigger not in seen, f"{trigger} can happen in two ways in {values}"
            seen.add(trigger)
            key = tuple(after.items())
            if key not in known:
                known.add(key)
                todo.append(after)
    return known
