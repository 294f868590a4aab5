"""A second reading of the YAML, written from the comment at its head and from nothing else.

It takes the file as plain dictionaries and shares no code with the package, so that a mistake of
the loader, of the machine or of the verifier shows as a disagreement.
"""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

Place = tuple[str, tuple[str, ...]]

SPECS = Path(__file__).resolve().parents[2] / "specs"


def read(path: Path) -> dict[str, Any]:
    """The file as plain dictionaries, lists and scalars."""
    raw: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    return raw


class Reading:
    """What the YAML says happens to a place on a trigger; in lock-step, unless it runs *ahead*."""

    def __init__(self, *overlays: str, ahead: bool = False) -> None:
        table = read(SPECS / "transitions.yaml")
        rows = {row["id"]: (group, row) for group in table["transitions"] for row in group["rows"]}
        restrictions: list[dict[str, Any]] = []
        for overlay in overlays:
            above = read(SPECS / "overlays" / f"{overlay}.yaml")
            for section in ("states", "variables", "triggers"):
                table[section].update(above.get(section, {}))
                table["sets"][section].update(above.get("sets", {}).get(section, {}))
            for dropped in above.get("drop", []):
                del rows[dropped]
            for group in above.get("transitions", []):
                rows.update((row["id"], (group, row)) for row in group["rows"])
            restrictions += above.get("restrict", [])
        if not ahead:
            rows = {name: one for name, one in rows.items() if not one[1].get("ahead", False)}
            later = [name for name, one in table["triggers"].items() if one["by"] == "ahead"]
            for name in later:
                del table["triggers"][name]
        self._table = table
        self._numbers = {name: n for n, name in enumerate(table["variables"])}
        self._starts = tuple(str(next(iter(values))) for values in table["variables"].values())
        self._rows: dict[tuple[str, str], list[_Row]] = {}
        for group, row in rows.values():
            guards = [group.get("when", {}), row.get("when", {})]
            guards += [entry["when"] for entry in restrictions if row["id"] in entry["rows"]]
            compiled = _Row(
                row["id"],
                [test for guard in guards for test in self._tests(guard)],
                row["dest"],
                list(self._forgotten(row.get("forget", []))),
                [(self._numbers[name], str(v)) for name, v in row.get("set", {}).items()],
            )
            for source in self._sources(group["source"]):
                for trigger in self._flat("triggers", row["on"]):
                    self._rows.setdefault((source, trigger), []).append(compiled)

    @property
    def triggers(self) -> list[str]:
        """Every trigger, in the order written."""
        return list(self._table["triggers"])

    @property
    def start(self) -> Place:
        """The first state, and the first value of each variable."""
        return next(iter(self._table["states"])), self._starts

    def after(self, place: Place, trigger: str) -> list[tuple[str, Place]]:
        """The id of each row that fires, and where it leads."""
        state, memory = place
        found: list[tuple[str, Place]] = []
        for row in self._rows.get((state, trigger), ()):
            if all((memory[number] in values) == wanted for number, values, wanted in row.tests):
                dest = state if row.dest == "same" else row.dest
                if dest.startswith("$"):
                    dest = memory[self._numbers[dest[1:]]]
                if dest in self._table["states"]:
                    values = list(memory)
                    for number in row.forgotten:
                        values[number] = self._starts[number]
                    for number, value in row.sets:
                        values[number] = state if value == "$source" else value
                    found.append((row.id, (dest, tuple(values))))
        return found

    def reachable(self) -> set[Place]:
        """Every place that some run leads to, depth first."""
        seen: set[Place] = {self.start}
        todo = deque(seen)
        while todo:
            place = todo.pop()
            for trigger in self.triggers:
                for _, target in self.after(place, trigger):
                    if target not in seen:
                        seen.add(target)
                        todo.append(target)
        return seen

    def _tests(self, guard: dict[str, Any]) -> Iterator[tuple[int, list[str], bool]]:
        for name, values in guard.items():
            positive = not isinstance(values, dict)
            listed = values if positive else values["not"]
            listed = listed if isinstance(listed, list) else [listed]
            yield self._numbers[name], [str(value) for value in listed], positive

    def _forgotten(self, written: Any) -> Iterator[int]:
        names = list(self._numbers) if written == "all" else self._flat("variables", written)
        for name in names:
            yield self._numbers[name]

    def _sources(self, written: Any) -> list[str]:
        if isinstance(written, dict):
            left_out = self._flat("states", written["all_but"])
            return [state for state in self._table["states"] if state not in left_out]
        return self._flat("states", written)

    def _flat(self, kind: str, written: Any) -> list[str]:
        """The names, each set in its place."""
        if isinstance(written, list):
            return [name for item in written for name in self._flat(kind, item)]
        if written in self._table["sets"][kind]:
            return self._flat(kind, self._table["sets"][kind][written])
        return [written]


class _Row:
    def __init__(
        self,
        row_id: str,
        tests: list[tuple[int, list[str], bool]],
        dest: str,
        forgotten: list[int],
        sets: list[tuple[int, str]],
    ) -> None:
        self.id = row_id
        self.tests = tests
        self.dest = dest
        self.forgotten = forgotten
        self.sets = sets
