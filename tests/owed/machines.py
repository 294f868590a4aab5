"""What the tests of owed machines share: the model, drawn choices, size and equality."""

from collections.abc import Mapping
from functools import cache
from itertools import combinations

from hypothesis import strategies as st

from fsm_smtp.owed import Instance, Point, ServerModel
from fsm_smtp.table import load_table

CORE: frozenset[str] = frozenset()
MODEL = ServerModel.of(load_table())
#: The keywords that some input needs.
ALL = frozenset(one.extension for one in MODEL.server.inputs.values() if one.extension)
SETS = [frozenset(some) for n in range(len(ALL) + 1) for some in combinations(sorted(ALL), n)]


@cache
def points(extensions: frozenset[str]) -> tuple[Point, ...]:
    """The points of the shipped model."""
    return MODEL.points(extensions)


@st.composite
def choices(draw: st.DrawFn, extensions: frozenset[str]) -> dict[str, str]:
    """One answer for each point."""
    return {
        point.id: draw(st.sampled_from([answer.name for answer in point.alternatives]))
        for point in points(extensions)
    }


def difference(one: Instance, other: Instance) -> tuple[str, ...] | None:
    """The shortest sequence whose outputs differ; None when the machines are equivalent."""
    ways: dict[tuple[int, int], tuple[str, ...]] = {(one.initial, other.initial): ()}
    todo = list(ways)
    for left, right in todo:  # grows while it is walked
        for name in one.inputs:
            way = (*ways[left, right], name)
            if one.outputs[left, name] != other.outputs[right, name]:
                return way
            pair = one.next[left, name], other.next[right, name]
            if pair not in ways:
                ways[pair] = way
                todo.append(pair)
    return None


def classes(machine: Instance) -> int:
    """How many states the minimal machine has: partition refinement (Moore 1956)."""
    blocks: Mapping[int, object] = dict.fromkeys(range(len(machine.names)), 0)
    while True:
        signatures = {
            state: (
                block,
                *(
                    (machine.outputs[state, name], blocks[machine.next[state, name]])
                    for name in machine.inputs
                ),
            )
            for state, block in blocks.items()
        }
        number = {signature: n for n, signature in enumerate(set(signatures.values()))}
        finer = {state: number[signature] for state, signature in signatures.items()}
        if len(number) == len(set(blocks.values())):
            return len(number)
        blocks = finer
