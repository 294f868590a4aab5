"""What the section ``server`` must be beyond its grammar: complete, definite, without idle entries.

Every standing is visited that a server can come to, whichever answers it has chosen. In each of
them every input that is sent there must have exactly one entry.
"""

from collections.abc import Mapping

from fsm_smtp.errors import SpecError
from fsm_smtp.table.server_model import Entry, Server, Standing

#: What is owed at each standing: input → entry.
Owed = Mapping[Standing, Mapping[str, Entry]]


def check_server(server: Server) -> Owed:
    """What is owed at every standing that can be reached, in the order found.

    Raises:
        SpecError: at some standing an input has no entry or several; an entry, or one of its
            inputs, is never asked for; ``per`` names a variable that cannot vary there.
    """
    for entry in server.entries:
        for name in entry.per:
            if len(dict(entry.when).get(name, "  ")) == 1:
                raise mistake(
                    entry.place, f"entry {entry.id}: {name} has one value here; it cannot be per it"
                )
    found: dict[Standing, dict[str, Entry]] = {}
    todo = [server.initial]
    for standing in todo:  # grows while it is walked
        if standing in found:
            continue
        found[standing] = {}
        for one in server.inputs.values():
            if standing[0] in one.modes:
                entry = found[standing][one.name] = _only(server, standing, one.name)
                todo.extend(server.after(standing, answer) for answer in entry.answers)
    asked = {(entry.id, name) for owed in found.values() for name, entry in owed.items()}
    for entry in server.entries:
        for name in entry.inputs:
            if (entry.id, name) not in asked:
                what = f"entry {entry.id} never applies to {name}: no run leads there"
                raise mistake(entry.place, what)
    for mode in server.modes.values():
        if not mode.passing and all(mode.name != standing[0] for standing in found):
            raise mistake(mode.place, f"no run leads to the mode {mode.name}")
    return found


def _only(server: Server, standing: Standing, name: str) -> Entry:
    entries = list(server.owed(standing, name))
    if not entries:
        what = f"nothing is owed to {name} in {described(server, standing)}"
        raise mistake(server.inputs[name].place, what)
    if len(entries) > 1:
        one, other = entries[0].id, entries[1].id
        what = f"entries {one} and {other} both speak of {name} in {described(server, standing)}"
        raise mistake(entries[1].place, what)
    return entries[0]


def described(server: Server, standing: Standing) -> str:
    """A standing in words: its mode, and the values that are not the start values."""
    mode, view = standing
    changed = [
        f"{name} {value}"
        for name, value, start in zip(server.view, view, server.initial[1], strict=True)
        if value != start
    ]
    return ", ".join((mode, *changed))


def mistake(place: str, what: str) -> SpecError:
    """An error at a place that was written down as ``path:line:column``."""
    path, line, column = place.rsplit(":", 2)
    return SpecError(path, int(line), int(column), what)
