"""Why a trigger is refused: worked out from the rows that come nearest to firing."""

from fsm_smtp.configuration import Configuration
from fsm_smtp.errors import CommandRefused
from fsm_smtp.table import Move, Table


def refusal(
    table: Table,
    configuration: Configuration,
    trigger: str,
    *,
    legal: tuple[str, ...],
    command: str | None = None,
) -> CommandRefused:
    """The typed refusal of *trigger* in *configuration*."""
    why, rfc = why_not(table, configuration, trigger)
    return CommandRefused(
        configuration.state, trigger, legal=legal, why=why, rfc=rfc, command=command
    )


def why_not(table: Table, configuration: Configuration, trigger: str) -> tuple[str, str]:
    """One sentence that says why *trigger* cannot fire, and the RFC section behind it.

    One cause is enough: of the guards that fail, the one on the variable that the table declares
    first (with no connection, nothing else matters); the state only when every guard holds.
    """
    moves = table.moves_by_trigger[trigger]
    if not moves:
        return "no row of this table has it", table.triggers[trigger].rfc

    def distance(move: Move) -> int:
        return len(_failing(table, move, configuration)) + (move.source != configuration.state)

    nearest = min(moves, key=distance)
    failing = _failing(table, nearest, configuration)
    if failing:
        why = table.describe(failing[0], configuration[failing[0]])
        return why, _section(nearest, failing[0])
    sources = [move.source for move in moves if not _failing(table, move, configuration)]
    *others, last = dict.fromkeys(sources)
    states = f"{', '.join(others)} or {last}" if others else last
    means = table.states[configuration.state].means
    return f"{means}; it is legal only in {states}", nearest.row.rfc


def _failing(table: Table, move: Move, configuration: Configuration) -> list[str]:
    """The variables whose guards fail, in the table's order."""
    guard = dict(move.when)
    return [
        name for name in table.variables if name in guard and configuration[name] not in guard[name]
    ]


def _section(move: Move, variable: str) -> str:
    """The section behind the move's guard on *variable*: the policy's own, where it added one."""
    for restriction in move.row.restrictions:
        if any(name == variable for name, _ in restriction.when):
            return restriction.rfc
    return move.row.rfc
