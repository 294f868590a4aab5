"""From YAML to a `Table`: names resolved, every mistake refused with its place."""

import re
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar, cast

from fsm_smtp.errors import SpecError
from fsm_smtp.specs import spec_path
from fsm_smtp.table.claims import read_claims
from fsm_smtp.table.consistency import check_consistency
from fsm_smtp.table.guard import Guard
from fsm_smtp.table.model import (
    Always,
    Codes,
    Goal,
    Group,
    Part,
    Party,
    RepliesExpected,
    ReplyClass,
    Restriction,
    Row,
    State,
    Table,
    Trigger,
    Variable,
)
from fsm_smtp.table.names import Names, check_rfc, members
from fsm_smtp.table.sections import Sections, read_sections
from fsm_smtp.table.server import unread
from fsm_smtp.yaml_source import Entry, Node, nearest

_T = TypeVar("_T")

#: What a trigger may say beyond `by`, `means` and `rfc`.
_TRIGGER_KEYS: Mapping[str, tuple[str, ...]] = {
    "client": (
        *("verb", "argument", "parameter", "replies", "wait"),
        *("group", "replies_expected", "message", "behind", "awaits", "doomed", "barren"),
    ),
    "server": ("codes", "digit", "keyword"),
    "link": (),
    "ahead": (),
}

#: The first digit of the codes in each class (RFC 5321 §4.2.1).
_CLASS_DIGITS: Mapping[str, str] = {"intermediate": "3", "success": "2", "error": "45"}


def load_table(path: Path | str | None = None, overlays: Collection[Path | str] = ()) -> Table:
    """Load a table and check it.

    What it says of servers is read and checked when `Table.server` is first asked for.

    Args:
        path: the YAML file; the shipped ``specs/transitions.yaml`` when ``None``.
        overlays: files that add or replace entries and rows, in this order. A bare name such as
            ``require_tls`` means a shipped overlay.

    Raises:
        SpecError: the file, or an overlay, has a mistake; says where, and what was perhaps meant.
    """
    if path is None and all(isinstance(overlay, str) for overlay in overlays):
        return _shipped(tuple(str(overlay) for overlay in overlays))
    return _load(Path(path) if path is not None else spec_path("transitions.yaml"), overlays)


@lru_cache(maxsize=32)
def _shipped(overlays: tuple[str, ...]) -> Table:
    """Parsing takes a third of a second, and a table never changes."""
    return _load(spec_path("transitions.yaml"), overlays)


def _load(file: Path, overlays: Collection[Path | str]) -> Table:
    sections = read_sections(file, overlay=False)
    names: list[str] = []
    for overlay in overlays:
        sections = sections.overlaid(read_sections(_overlay_path(overlay), overlay=True))
        names.append(Path(overlay).stem)
    table = _Builder(sections).build(str(file), tuple(names))
    check_consistency(table.whole)
    return table


def _overlay_path(overlay: Path | str) -> Path:
    if isinstance(overlay, str) and re.fullmatch(r"[a-z_]+", overlay):
        shipped = spec_path("overlays", f"{overlay}.yaml")
        if not shipped.is_file():
            known = sorted(file.stem for file in spec_path("overlays").glob("*.yaml"))
            what = f"there is no shipped overlay {overlay!r}"
            raise SpecError(shipped, 1, 1, what, nearest(overlay, known))
        return shipped
    return Path(overlay)


class _Builder:
    """Resolves the names of merged sections; the sections are in the order in which they refer."""

    def __init__(self, sections: Sections) -> None:
        self.sections = sections
        self.rfcs = {name: at.value.text("a title") for name, at in sections.entries("rfcs")}
        self.states = self._named("states", self._state)
        self.variables = self._named("variables", self._variable)
        self.replies = self._named("replies", self._replies)
        self.triggers = self._named("triggers", self._trigger)
        self._check_turns()
        self.state_sets = self._sets("states", self.states)
        self.trigger_sets = self._sets("triggers", self.triggers)
        self.variable_sets = self._sets("variables", self.variables)
        self.restrictions = [self._restriction(node) for node in sections.restrictions]
        names = Names(self.rfcs, self.states, self.triggers, self.state_sets, self.trigger_sets)
        self.claims = read_claims(sections, names)

    def build(self, path: str, overlays: tuple[str, ...]) -> Table:
        rows = [self._row(written.group, written.row) for written in self.sections.rows()]
        ahead = {name: t for name, t in self.triggers.items() if t.by == "ahead"}
        return Table(
            name=self.sections.name,
            path=path,
            rfcs=self.rfcs,
            states=self.states,
            variables=self.variables,
            triggers={name: t for name, t in self.triggers.items() if name not in ahead},
            rows=tuple(row for row in rows if not row.ahead),
            goals=tuple(self._goal(node) for node in self.sections.items("goals")),
            always=tuple(self._always(node) for node in self.sections.items("always")),
            replies=self.replies,
            overlays=overlays,
            flags=self.claims.flags,
            properties=self.claims.properties,
            read_server=partial(unread, self.sections.server),
            ahead_rows=tuple(row for row in rows if row.ahead),
            ahead_triggers=ahead,
        )

    def _named(self, section: str, build: Callable[[str, Entry], _T]) -> dict[str, _T]:
        return {name: build(name, entry) for name, entry in self.sections.entries(section)}

    # -- entries --------------------------------------------------------------------------------

    def _state(self, name: str, entry: Entry) -> State:
        f = entry.value.fields("a state", required=("value", "means"))
        means = f["means"].text("means")
        return State(name, f["value"].number("value"), means, place=entry.key.place)

    def _variable(self, name: str, entry: Entry) -> Variable:
        values = entry.value.mapping("a variable")
        if not values:
            raise entry.value.error(f"variable {name} has no values")
        return Variable(name, {key: at.value.text("a value") for key, at in values.items()})

    def _trigger(self, name: str, entry: Entry) -> Trigger:
        known = [key for keys in _TRIGGER_KEYS.values() for key in keys]
        f = entry.value.fields("a trigger", required=("by", "means", "rfc"), optional=known)
        by = f["by"].choice("by", _TRIGGER_KEYS)
        for key, at in entry.value.mapping("a trigger").items():
            if key in known and key not in _TRIGGER_KEYS[by]:
                raise at.key.error(f"{key!r} is no key of a trigger by {by}")
        if "replies" in f:
            f["replies"].choice("replies", self.replies)
        group = f["group"].choice("group", ("anywhere", "last", "first")) if "group" in f else None

        expected = "one"
        if "replies_expected" in f:
            expected = f["replies_expected"].choice("replies_expected", ("one", "per_recipient"))
        parts = ("begins", "within", "ends")
        part = f["message"].choice("message", parts) if "message" in f else None

        def optional_text(key: str) -> str | None:
            return f[key].text(key) if key in f else None

        return Trigger(
            name=name,
            by=cast("Party", by),
            means=f["means"].text("means"),
            rfc=self._rfc(f["rfc"]),
            verb=optional_text("verb"),
            argument=optional_text("argument"),
            parameter=optional_text("parameter"),
            replies=optional_text("replies"),
            wait=self._seconds(f["wait"]) if "wait" in f else None,
            group=cast("Group | None", group),
            replies_expected=cast("RepliesExpected", expected),
            message=cast("Part | None", part),
            behind=self._names(f["behind"]) if "behind" in f else (),
            awaits=self._names(f["awaits"]) if "awaits" in f else (),
            doomed=optional_text("doomed"),
            barren=optional_text("barren"),
            codes=self._codes(f["codes"], "2345") if "codes" in f else (),
            digit=self._digit(f["digit"]) if "digit" in f else None,
            keyword=optional_text("keyword"),
            place=entry.key.place,
        )

    def _names(self, node: Node) -> tuple[str, ...]:
        """Names of triggers, some of which come later in the file: `_check_turns` looks at them."""
        return tuple(item.name("a trigger") for item in node.sequence("triggers"))

    def _check_turns(self) -> None:
        """What a trigger says about running ahead names triggers that can be meant."""
        ahead = [name for name, trigger in self.triggers.items() if trigger.by == "ahead"]
        client = [name for name, trigger in self.triggers.items() if trigger.by == "client"]
        for _, entry in self.sections.entries("triggers"):
            for key, at in entry.value.mapping("a trigger").items():
                if key in ("doomed", "barren"):
                    at.value.choice("trigger by ahead", ahead)
                elif key in ("behind", "awaits"):
                    for item in at.value.sequence(key):
                        item.choice("trigger by client", client)

    def _seconds(self, node: Node) -> int:
        if node.number("wait") <= 0:
            raise node.error("wait must be a positive number of seconds")
        return node.number("wait")

    def _digit(self, node: Node) -> int:
        if node.number("digit") not in range(2, 6):
            raise node.error("the first digit of a reply is 2, 3, 4 or 5")
        return node.number("digit")

    def _replies(self, name: str, entry: Entry) -> tuple[Codes, ...]:
        codes: list[Codes] = []
        classes = entry.value.fields("replies", optional=tuple(_CLASS_DIGITS))
        for reply_class, listed in classes.items():
            for rfc, at in listed.mapping(reply_class).items():
                self._check_rfc(at.key, rfc)
                numbers = self._codes(at.value, _CLASS_DIGITS[reply_class])
                codes.append(Codes(cast("ReplyClass", reply_class), numbers, rfc))
        if not codes:
            raise entry.value.error(f"the replies to {name} list no code")
        return tuple(codes)

    def _codes(self, node: Node, digits: str) -> tuple[int, ...]:
        codes: list[int] = []
        for item in node.sequence("codes"):
            code = item.number("a code")
            if not re.fullmatch(f"[{digits}][0-5][0-9]", str(code)):
                first = " or ".join(digits)
                raise item.error(f"{code} is no reply code that begins with {first}")
            if code in codes:
                raise item.error(f"code {code} stands twice")
            codes.append(code)
        if not codes:
            raise node.error("at least one code is needed")
        return tuple(codes)

    def _goal(self, node: Node) -> Goal:
        f = node.fields("a goal", required=("id", "says", "from", "reach", "without", "rfc"))
        reach = f["reach"].fields("reach", required=("trigger",), optional=("source",))
        source = reach.get("source")
        return Goal(
            id=f["id"].name("id"),
            says=f["says"].text("says"),
            start=self._guard(f["from"]),
            trigger=reach["trigger"].choice("trigger", self.triggers),
            source=source.choice("state", self.states) if source else None,
            without=tuple(
                n.choice("trigger", self.triggers) for n in f["without"].sequence("without")
            ),
            rfc=self._rfc(f["rfc"]),
        )

    def _always(self, node: Node) -> Always:
        f = node.fields("an entry", required=("id", "says", "when", "triggers", "rfc"))
        return Always(
            id=f["id"].name("id"),
            says=f["says"].text("says"),
            when=self._guard(f["when"]),
            triggers=self._members(f["triggers"], "trigger", self.triggers, self.trigger_sets),
            rfc=self._rfc(f["rfc"]),
        )

    # -- rows -----------------------------------------------------------------------------------

    def _row(self, group: Node, row: Node) -> Row:
        shared = group.fields("a group", required=("about", "source", "rows"), optional=("when",))
        f = row.fields(
            "a row",
            required=("id", "on", "dest", "rfc"),
            optional=("when", "forget", "set", "violation", "note", "ahead"),
        )
        if "violation" in f and "note" not in f:
            raise row.error("a row with a violation needs a note that says why")
        group_guard = self._guard(shared["when"]) if "when" in shared else ()
        own_guard = self._guard(f["when"]) if "when" in f else ()
        row_id = f["id"].name("id")
        when = self._both(row_id, group_guard, own_guard, f.get("when", row))
        restrictions = [(one, at) for one, at in self.restrictions if row_id in one.rows]
        for restriction, at in restrictions:
            when = self._both(row_id, when, restriction.when, at)
        party = (
            f["violation"].choice("violation", ("client", "server")) if "violation" in f else None
        )
        ahead = "ahead" in f and f["ahead"].flag("ahead")
        triggers = self._members(f["on"], "trigger", self.triggers, self.trigger_sets)
        if not ahead and any(self.triggers[name].by == "ahead" for name in triggers):
            raise f["on"].error("a trigger by ahead fires only in a row that says ahead: true")
        return Row(
            id=row_id,
            about=shared["about"].text("about"),
            triggers=triggers,
            sources=self._sources(shared["source"]),
            when=when,
            dest=self._dest(f["dest"]),
            forgets=self._forgets(f["forget"]) if "forget" in f else (),
            sets=self._effects(f["set"]) if "set" in f else (),
            rfc=self._rfc(f["rfc"]),
            violation=party if party is None else ("client" if party == "client" else "server"),
            note=f["note"].text("note") if "note" in f else None,
            ahead=ahead,
            restrictions=tuple(restriction for restriction, _ in restrictions),
            place=row.place,
        )

    def _restriction(self, node: Node) -> tuple[Restriction, Node]:
        f = node.fields("a restriction", required=("rows", "when", "rfc"))
        known = [written.id for written in self.sections.rows()]
        rows = self._members(f["rows"], "row", known, {})
        return Restriction(rows, self._guard(f["when"]), self._rfc(f["rfc"])), node

    def _sources(self, node: Node) -> tuple[str, ...]:
        if node.entries is None:
            return self._members(node, "state", self.states, self.state_sets)
        but = node.fields("a source", required=("all_but",))["all_but"]
        left_out: tuple[str, ...] = ()
        if but.sequence("all_but"):
            left_out = self._members(but, "state", self.states, self.state_sets)
        return tuple(name for name in self.states if name not in left_out)

    def _dest(self, node: Node) -> str:
        dest = node.text("dest")
        if dest == "same" or dest in self.states:
            return dest
        if dest.startswith("$"):
            if dest[1:] in self.variables:
                return dest
            variables = [f"${name}" for name in self.variables]
            raise node.error(f"dest {dest} names no variable", nearest(dest, variables))
        raise node.error(f"dest {dest} is no state", nearest(dest, (*self.states, "same")))

    def _forgets(self, node: Node) -> tuple[str, ...]:
        if node.scalar == "all":
            return tuple(self.variables)
        return self._members(node, "variable", self.variables, self.variable_sets)

    def _effects(self, node: Node) -> tuple[tuple[str, str], ...]:
        effects: list[tuple[str, str]] = []
        for name, entry in node.mapping("set").items():
            variable = self._variable_at(entry.key, name)
            value = entry.value.name("a value")
            if value != "$source":
                self._check_value(entry.value, variable, value)
            effects.append((name, value))
        return tuple(effects)

    def _guard(self, node: Node) -> Guard:
        guard: list[tuple[str, tuple[str, ...]]] = []
        for name, entry in node.mapping("when").items():
            guard.append((name, self._values(entry.value, self._variable_at(entry.key, name))))
        return tuple(guard)

    def _values(self, node: Node, variable: Variable) -> tuple[str, ...]:
        if node.entries is None:
            values = self._listed_values(node, variable)
        else:
            excluded = node.fields("the values", required=("not",))["not"]
            left_out = self._listed_values(excluded, variable)
            values = tuple(value for value in variable.domain if value not in left_out)
        if not values:
            raise node.error(f"the guard on {variable.name} lets nothing pass")
        return values

    def _listed_values(self, node: Node, variable: Variable) -> tuple[str, ...]:
        values: list[str] = []
        for item in node.one_or_more("the values"):
            value = item.name("a value")
            self._check_value(item, variable, value)
            if value in values:
                raise item.error(f"value {value} of {variable.name} stands twice")
            values.append(value)
        return tuple(values)

    def _both(self, row_id: str, first: Guard, second: Guard, place: Node) -> Guard:
        """The conjunction of two guards of a row; *place* is where the second stands."""
        merged = dict(first)
        for name, values in second:
            merged[name] = tuple(v for v in merged.get(name, values) if v in values)
            if not merged[name]:
                what = f"row {row_id} can never fire: its guards on {name} exclude each other"
                raise place.error(what)
        return tuple(merged.items())

    # -- names ----------------------------------------------------------------------------------

    def _variable_at(self, key: Node, name: str) -> Variable:
        if name not in self.variables:
            raise key.error(f"{name} is no variable", nearest(name, self.variables))
        return self.variables[name]

    def _check_value(self, node: Node, variable: Variable, value: str) -> None:
        if value not in variable.domain:
            what = f"{value} is no value of {variable.name} (it has {', '.join(variable.domain)})"
            raise node.error(what, nearest(value, variable.domain))

    def _sets(self, kind: str, known: Collection[str]) -> dict[str, tuple[str, ...]]:
        sets: dict[str, tuple[str, ...]] = {}
        for name, entry in self.sections.sets(kind):
            if name in known:
                raise entry.key.error(f"the set {name} has the name of a {kind[:-1]}")
            sets[name] = self._members(entry.value, kind[:-1], known, sets)
        return sets

    def _members(
        self, node: Node, kind: str, known: Collection[str], sets: Mapping[str, tuple[str, ...]]
    ) -> tuple[str, ...]:
        return members(node, kind, known, sets)

    def _rfc(self, node: Node) -> str:
        rfc = node.text("rfc")
        self._check_rfc(node, rfc)
        return rfc

    def _check_rfc(self, node: Node, rfc: str) -> None:
        check_rfc(node, rfc, self.rfcs)
