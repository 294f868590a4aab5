"""Why a server does not do well in a case: `reasons/*.yaml`, written by hand.

An entry names cases, ways (as globs), what the reason is, and where the server's own documentation
or setting is. A row without a reason is an open question, and fails a run. `withheld.yaml` counts,
by way, the rows on which no word is said here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from fsm_smtp.yaml_source import Node, nearest, read_yaml

HERE = Path(__file__).parent
FOLDER = HERE / "reasons"
WITHHELD = HERE / "withheld.yaml"


@dataclass(frozen=True)
class Reason:
    """One entry.

    Attributes:
        place: file, line and column.
        cases: ids.
        servers: globs over the names of ways.
        says: the reason, with the RFC's section where it is about one.
        see: settings, pages and threads that are public.
    """

    place: str
    cases: tuple[str, ...]
    servers: tuple[str, ...]
    says: str
    see: tuple[str, ...]

    def covers(self, way: str, case: str) -> bool:
        """Whether it speaks of this row."""
        return case in self.cases and any(fnmatchcase(way, glob) for glob in self.servers)


@dataclass(frozen=True)
class Reasons:
    """Every entry, and how many rows of each way are withheld."""

    entries: tuple[Reason, ...]
    withheld: Mapping[str, int]

    def of(self, way: str, case: str) -> Reason | None:
        """The entry that explains a row.

        Raises:
            ValueError: two do.
        """
        found = [entry for entry in self.entries if entry.covers(way, case)]
        if len(found) > 1:
            places = " and ".join(entry.place for entry in found)
            raise ValueError(f"{way}, {case} is explained twice: {places}")
        return found[0] if found else None

    def unexplained(self, way: str, cases: Iterable[str]) -> list[str]:
        """Those of *cases* that no entry explains on *way*."""
        return [case for case in cases if self.of(way, case) is None]

    def open_questions(self, way: str, cases: Iterable[str]) -> list[str]:
        """The same, if they are not just as many as are withheld."""
        found = self.unexplained(way, cases)
        return [] if len(found) == self.withheld.get(way, 0) else found

    def unused(self, rows: Mapping[str, Iterable[str]]) -> list[str]:
        """Cases and globs, each behind its place, that speak of none of the *rows* (way: cases)."""
        seen = [(way, case) for way, cases in rows.items() for case in cases]
        idle: list[str] = []
        for entry in self.entries:
            covered = [row for row in seen if entry.covers(*row)]
            cases = {case for _, case in covered}
            idle += [f"{entry.place}: {case}" for case in entry.cases if case not in cases]
            idle += [
                f"{entry.place}: {glob}"
                for glob in entry.servers
                if not any(fnmatchcase(way, glob) for way, _ in covered)
            ]
        return idle


def load_reasons(known_cases: Sequence[str], known_ways: Sequence[str]) -> Reasons:
    """Read every entry.

    Raises:
        SpecError: a file is not as it should be, or names a case or a way that there is not.
    """
    entries = [
        _entry(node, known_cases, known_ways)
        for file in sorted(FOLDER.glob("*.yaml"))
        for node in _only(file, "reasons").sequence("reasons")
    ]
    withheld: dict[str, int] = {}
    for name, entry in _only(WITHHELD, "withheld").mapping("withheld").items():
        if name not in known_ways:
            raise entry.key.error(f"no way is called {name}", nearest(name, known_ways))
        withheld[name] = entry.value.number("a count")
    return Reasons(tuple(entries), withheld)


def _only(file: Path, key: str) -> Node:
    return read_yaml(file).fields(f"a file of {key}", required=(key,))[key]


def _entry(node: Node, known_cases: Sequence[str], known_ways: Sequence[str]) -> Reason:
    fields = node.fields("a reason", required=("cases", "servers", "says"), optional=("see",))
    cases = _texts(fields["cases"])
    for case in cases:
        if case not in known_cases:
            raise fields["cases"].error(f"no case is called {case}", nearest(case, known_cases))
    servers = _texts(fields["servers"])
    for glob in servers:
        if not any(fnmatchcase(way, glob) for way in known_ways):
            raise fields["servers"].error(f"no way is like {glob}", nearest(glob, known_ways))
    see = _texts(fields["see"]) if "see" in fields else ()
    says = " ".join(fields["says"].text("says").split())
    return Reason(f"{Path(node.path).name}:{node.line}", cases, servers, says, see)


def _texts(node: Node) -> tuple[str, ...]:
    return tuple(item.name("an item") for item in node.one_or_more("a list"))
