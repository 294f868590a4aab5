"""The sections of a table as written, and how an overlay is laid over them.

An overlay has the same sections, each optional. What has a name that exists replaces it (a
variable, trigger, set, list of replies, row or goal), anything else is added at the end; rows
named under ``drop`` go; an entry of ``restrict`` adds a guard to rows wherever they come from.
A property is never replaced: ``drop_properties`` names those that go, and an entry of ``narrow``
adds a condition to properties, wherever they come from.
Two overlays must not replace the same thing: the later one would silently undo the earlier.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from fsm_smtp.yaml_source import Block, Entry, Node, nearest, read_yaml, read_yaml_without

SCHEMA = 1

#: Sections that are mappings from a name to an entry.
NAMED = ("rfcs", "states", "variables", "triggers", "replies")
SETS = ("triggers", "states", "variables")
#: Sections that are sequences of entries with an id.
LISTED = ("goals", "always", "properties")
#: The parts of `history`: what the properties speak of.
HISTORY = ("events", "flags", "conditions")
REQUIRED = (*NAMED, "sets", "transitions", "goals", "always")
SECTIONS = (*REQUIRED, "history", "properties")
#: A third of a table, which few ask for.
SERVER = "server"


@dataclass(frozen=True, slots=True)
class WrittenRow:
    """A row and the group it stands in."""

    id: str
    group: Node
    row: Node


@dataclass(frozen=True, slots=True)
class Sections:
    """Everything that was written, with its places, in order."""

    path: str
    name: str
    named: Mapping[str, Mapping[str, Entry]]
    named_sets: Mapping[str, Mapping[str, Entry]]
    written_rows: Mapping[str, WrittenRow]
    listed: Mapping[str, Mapping[str, Node]]
    written_history: Mapping[str, Mapping[str, Entry]]
    dropped: tuple[Node, ...] = ()
    restrictions: tuple[Node, ...] = ()
    #: Rows that overlays have dropped, and which overlay did.
    gone: Mapping[str, str] = field(default_factory=dict[str, str])
    dropped_properties: tuple[Node, ...] = ()
    narrowings: tuple[Node, ...] = ()
    dropped_ids: frozenset[str] = frozenset()
    #: What a server owes, unread; a table may say nothing of it, and an overlay cannot.
    server: Block | None = None

    def entries(self, section: str) -> Iterator[tuple[str, Entry]]:
        """The entries of a named section."""
        yield from self.named[section].items()

    def sets(self, kind: str) -> Iterator[tuple[str, Entry]]:
        """The sets of one kind."""
        yield from self.named_sets[kind].items()

    def history(self, part: str) -> Iterator[tuple[str, Node]]:
        """The entries of one part of the history."""
        for name, entry in self.written_history[part].items():
            yield name, entry.value

    def rows(self) -> Iterator[WrittenRow]:
        """The rows, in the order written."""
        yield from self.written_rows.values()

    def items(self, section: str) -> Iterator[Node]:
        """The items of a listed section, in the order written."""
        yield from self.listed[section].values()

    def overlaid(self, overlay: "Sections") -> "Sections":
        """These sections with *overlay* laid over them.

        Raises:
            SpecError: the overlay drops a row that does not exist, or touches what another
                overlay has already replaced or dropped.
        """
        rows = dict(self.written_rows)
        gone = dict(self.gone)
        for node in overlay.dropped:
            row_id = node.name("a row")
            _must_be_there(node, row_id, gone)
            if row_id not in rows:
                raise node.error(f"there is no row {row_id} to drop", nearest(row_id, rows))
            self._must_be_base(node, "row", row_id, rows[row_id].row)
            del rows[row_id]
            gone[row_id] = overlay.path
        for row_id, written in overlay.written_rows.items():
            _must_be_there(written.row, row_id, self.gone)
            if row_id in rows:
                self._must_be_base(written.row, "row", row_id, rows[row_id].row)
        for kind in LISTED:
            for entry_id, item in overlay.listed[kind].items():
                if entry_id in self.listed[kind]:
                    below = self.listed[kind][entry_id]
                    self._must_be_base(item, f"entry of {kind}", entry_id, below)
        return replace(
            self,
            named={kind: self._laid(kind, self.named, overlay.named) for kind in NAMED},
            named_sets={
                kind: self._laid(kind, self.named_sets, overlay.named_sets) for kind in SETS
            },
            written_rows={**rows, **overlay.written_rows},
            listed={
                "goals": {**self.listed["goals"], **overlay.listed["goals"]},
                "always": {**self.listed["always"], **overlay.listed["always"]},
                "properties": self._properties(overlay),
            },
            written_history={
                part: self._laid(part, self.written_history, overlay.written_history)
                for part in HISTORY
            },
            restrictions=(*self.restrictions, *overlay.restrictions),
            gone=gone,
            dropped_ids=self.dropped_ids.union(n.name("id") for n in overlay.dropped_properties),
            narrowings=(*self.narrowings, *overlay.narrowings),
        )

    def _properties(self, overlay: "Sections") -> Mapping[str, Node]:
        """The properties: a policy may drop one or add one, never change one unseen."""
        properties = dict(self.listed["properties"])
        for node in overlay.dropped_properties:
            name = node.name("a property")
            if name in self.dropped_ids:
                continue  # two policies may exclude the same claim
            if name not in properties:
                what = f"there is no property {name} to drop"
                raise node.error(what, nearest(name, properties))
            del properties[name]
        for name, node in overlay.listed["properties"].items():
            if name in properties:
                what = f"there is already a property {name}; narrow it, or drop it by its id"
                raise node.error(what)
        return {**properties, **overlay.listed["properties"]}

    def _laid(
        self,
        kind: str,
        below: Mapping[str, Mapping[str, Entry]],
        above: Mapping[str, Mapping[str, Entry]],
    ) -> Mapping[str, Entry]:
        for name, entry in above[kind].items():
            if name in below[kind]:
                self._must_be_base(entry.key, f"entry of {kind}", name, below[kind][name].key)
        return {**below[kind], **above[kind]}

    def _must_be_base(self, place: Node, what: str, name: str, below: Node) -> None:
        if below.path != self.path:
            raise place.error(f"{what} {name} was already replaced by the overlay {below.path}")


def _must_be_there(place: Node, row_id: str, gone: Mapping[str, str]) -> None:
    if row_id in gone:
        raise place.error(f"row {row_id} was already dropped by the overlay {gone[row_id]}")


def read_sections(path: Path, *, overlay: bool) -> Sections:
    """Read the sections of a table or of an overlay.

    Raises:
        SpecError: the file cannot be read, a section is missing or unknown, an id stands twice.
    """
    server = None
    if overlay:
        fields = read_yaml(path).fields(
            "an overlay",
            required=("schema", "name", "means"),
            optional=(*SECTIONS, "drop", "restrict", "drop_properties", "narrow"),
        )
        fields["means"].text("means")
    else:
        required = ("schema", "name", *REQUIRED)
        root, server = read_yaml_without(path, SERVER)
        fields = root.fields("a table", required=required, optional=SECTIONS)
    if fields["schema"].number("schema") != SCHEMA:
        raise fields["schema"].error(f"this version reads schema {SCHEMA}")
    sets = fields["sets"].fields("sets", optional=SETS) if "sets" in fields else {}
    history = fields["history"].fields("history", optional=HISTORY) if "history" in fields else {}

    def nodes(key: str) -> tuple[Node, ...]:
        return fields[key].sequence(key) if key in fields else ()

    return Sections(
        path=str(path),
        name=fields["name"].name("name"),
        named={k: fields[k].mapping(k) if k in fields else {} for k in NAMED},
        named_sets={k: sets[k].mapping(k) if k in sets else {} for k in SETS},
        written_rows=_rows(fields["transitions"]) if "transitions" in fields else {},
        listed={k: _listed(k, fields[k]) if k in fields else {} for k in LISTED},
        written_history={k: history[k].mapping(k) if k in history else {} for k in HISTORY},
        dropped=nodes("drop"),
        restrictions=nodes("restrict"),
        dropped_properties=nodes("drop_properties"),
        narrowings=nodes("narrow"),
        server=server,
    )


def _rows(node: Node) -> dict[str, WrittenRow]:
    rows: dict[str, WrittenRow] = {}
    for group in node.sequence("transitions"):
        written = group.mapping("a group").get("rows")
        if written is None:
            raise group.error("a group needs the key 'rows'")
        for row in written.value.sequence("rows"):
            row_id = _new_id("a row", row, rows)
            rows[row_id] = WrittenRow(row_id, group, row)
    return rows


def _listed(section: str, node: Node) -> dict[str, Node]:
    items: dict[str, Node] = {}
    for item in node.sequence(section):
        items[_new_id(f"an entry of {section}", item, items)] = item
    return items


def _new_id(what: str, node: Node, taken: Collection[str]) -> str:
    entry = node.mapping(what).get("id")
    if entry is None:
        raise node.error(f"{what} needs the key 'id'")
    name = entry.value.name("id")
    if name in taken:
        raise entry.value.error(f"the id {name} stands twice")
    return name
