"""Whether two tables can be told apart by anybody who talks to them.

Observable are the visible state, which triggers are enabled (the client's: what may be sent; the
server's and the link's: what has a meaning) and the verdict on each. Both tables are
deterministic, so a bisimulation exists exactly if no pair of configurations that the same run
leads to differs in these. The pairs are walked breadth first, so the run found is a shortest one.
"""

from dataclasses import dataclass

from fsm_smtp.table import Table
from fsm_smtp.verify.interpreter import Edge, Interpreter, Place


@dataclass(frozen=True, slots=True)
class Difference:
    """A shortest run after which two tables differ, and in what.

    Attributes:
        run: triggers from the start.
        what: the difference, in words.
    """

    run: tuple[str, ...]
    what: str


class Steps:
    """The steps of one table from each of its places, worked out once."""

    def __init__(self, table: Table) -> None:
        self.interpreter = Interpreter(table)
        self._known: dict[Place, dict[str, Edge]] = {}

    def at(self, place: Place) -> dict[str, Edge]:
        """By trigger, the step that it is."""
        found = self._known.get(place)
        if found is None:
            edges = self.interpreter.edges(place)
            found = self._known[place] = {edge.trigger: edge for edge in edges}
        return found


def difference(one: Steps, other: Steps) -> Difference | None:
    """What tells the two tables apart, or ``None``: then they are bisimilar."""
    start = one.interpreter.start, other.interpreter.start
    came: dict[tuple[Place, Place], tuple[tuple[Place, Place], str] | None] = {start: None}
    todo = [start]
    for pair in todo:  # grows while it is walked
        here, there = one.at(pair[0]), other.at(pair[1])
        what = _differ(pair, here, there)
        if what is not None:
            return Difference(_run(came, pair), what)
        for trigger, edge in here.items():
            after = edge.target, there[trigger].target
            if after not in came:
                came[after] = pair, trigger
                todo.append(after)
    return None


def _differ(pair: tuple[Place, Place], here: dict[str, Edge], there: dict[str, Edge]) -> str | None:
    (state, _), (other_state, _) = pair
    if state != other_state:
        return f"the state is {other_state}, not {state}"
    if here.keys() != there.keys():
        lost = ", ".join(sorted(here.keys() - there.keys()))
        gained = ", ".join(sorted(there.keys() - here.keys()))
        changes = [f"lacks {lost}"] * bool(lost) + [f"also has {gained}"] * bool(gained)
        return f"{state} {' and '.join(changes)}"
    for trigger, edge in here.items():
        verdict, other = edge.row.violation, there[trigger].row.violation
        if verdict != other:
            return f"{trigger} is {_said(other)}, not {_said(verdict)}"
    return None


def _said(violation: str | None) -> str:
    return f"the {violation}'s violation" if violation else "legal"


def _run(
    came: dict[tuple[Place, Place], tuple[tuple[Place, Place], str] | None],
    pair: tuple[Place, Place],
) -> tuple[str, ...]:
    run: list[str] = []
    step = came[pair]
    while step is not None:
        run.append(step[1])
        step = came[step[0]]
    return tuple(reversed(run))
