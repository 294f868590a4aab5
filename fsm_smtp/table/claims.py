"""Reads the sections ``history`` and ``properties`` of a table into `Claims`.

``history`` has three parts: ``events`` (names for sequences of atoms), ``flags`` and
``conditions`` (names for conjunctions). An atom is the name of a trigger, of a set of triggers or
of an event, or a mapping ``{on, except, answering, while}``. Beside the table's own sets, atoms
know ``client``, ``server`` and ``link`` (every trigger by that party), ``commands`` (client
triggers with ``replies``), ``replies`` (server triggers with ``codes`` or a ``digit``) and
``offers`` (those with a ``keyword``), so that a trigger that an overlay adds is meant too.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import cast, get_args

from fsm_smtp.table.model import Trigger
from fsm_smtp.table.names import Names
from fsm_smtp.table.properties import (
    ALWAYS,
    NOTHING,
    OUTSTANDING,
    SAME,
    SENT_FROM,
    Atom,
    Condition,
    Culprit,
    Flag,
    Pattern,
    Property,
)
from fsm_smtp.table.sections import Sections
from fsm_smtp.yaml_source import Node, nearest

_PATTERNS: tuple[str, ...] = get_args(Pattern)

#: The keys of each pattern: those it needs, and those it may have.
_KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "absence": (("of",), ("while",)),
    "precedence": (("of", "needs"), ("while",)),
    "universality": (("of",), ("while", "among", "violation", "leads_to")),
    "existence": (("of",), ("while",)),
    "permission": (("of", "while"), ()),
    "response": (("of", "follows"), ("while", "before", "bounded")),
}


@dataclass(frozen=True, slots=True)
class Claims:
    """The flags and the properties of a table."""

    flags: Mapping[str, Flag]
    properties: tuple[Property, ...]


_ATOM_KEYS = ("except", "answering", "while")


def read_claims(sections: Sections, names: Names) -> Claims:
    """The flags and properties of *sections*.

    Raises:
        SpecError: something is unknown, missing, contradictory or never used.
    """
    return _Reader(sections, names).read()


class _Reader:
    def __init__(self, sections: Sections, names: Names) -> None:
        self.sections = sections
        self.names = names
        triggers = names.triggers.values()
        self.commands = tuple(t.name for t in triggers if t.by == "client" and t.replies)
        self.sets: dict[str, tuple[str, ...]] = dict(names.trigger_sets)
        self._add_sets(triggers)
        self.events: dict[str, tuple[Atom, ...]] = {}
        self.conditions: dict[str, Condition] = {}
        self.used: set[str] = set()

    def _add_sets(self, triggers: Collection[Trigger]) -> None:
        computed = {
            "client": tuple(t.name for t in triggers if t.by == "client"),
            "server": tuple(t.name for t in triggers if t.by == "server"),
            "link": tuple(t.name for t in triggers if t.by == "link"),
            "commands": self.commands,
            "replies": tuple(t.name for t in triggers if t.codes or t.digit is not None),
            "offers": tuple(t.name for t in triggers if t.keyword is not None),
        }
        for name, entry in self.sections.sets("triggers"):
            if name in computed:
                raise entry.key.error(f"{name} already stands for a set of triggers in properties")
        self.sets.update((name, members) for name, members in computed.items() if members)

    def read(self) -> Claims:
        written = dict(self.sections.history("flags"))
        self.flag_names = tuple(written)
        for name, node in self.sections.history("conditions"):
            self._must_be_new(node, name)
            self.conditions[name] = self._condition(node)
        for name, node in self.sections.history("events"):
            self._must_be_new(node, name)
            self.events[name] = self._atoms(node)
        flags = {name: self._flag(name, node) for name, node in written.items()}
        properties = tuple(self._property(node) for node in self.sections.items("properties"))
        properties = self._narrowed(properties)
        for name, node in written.items():
            # A flag of which an overlay dropped the last property is still one of the base table.
            if name not in self.used and not self.sections.dropped_ids:
                raise node.error(f"the flag {name} is never used")
        return Claims(flags, properties)

    def _must_be_new(self, node: Node, name: str) -> None:
        known = {
            "trigger": self.names.triggers,
            "set of triggers": self.sets,
            "flag": self.flag_names,
            "condition": self.conditions,
            "event": self.events,
        }
        for kind, taken in known.items():
            if name in taken or name in (OUTSTANDING, NOTHING):
                raise node.error(f"{name} is already the name of a {kind}")

    # -- history --------------------------------------------------------------------------------

    def _flag(self, name: str, node: Node) -> Flag:
        if name in self.sets or name in self.names.triggers or name in (OUTSTANDING, NOTHING):
            raise node.error(f"a flag cannot have the name {name}: it already means something")
        f = node.fields("a flag", required=("says", "begins"), optional=("ends", "initially"))
        return Flag(
            name=name,
            says=f["says"].text("says"),
            begins=self._atoms(f["begins"]),
            ends=self._atoms(f["ends"]) if "ends" in f else (),
            initially="initially" in f and f["initially"].flag("initially"),
        )

    def _condition(self, node: Node) -> Condition:
        held: list[str] = []
        absent: list[str] = []
        for item in node.one_or_more("a condition"):
            text = item.text("a condition")
            name = text.removeprefix("not ").strip()
            if name in self.conditions:
                if text != name:
                    what = f"{name} is a conjunction and cannot be negated; name the flags"
                    raise item.error(what)
                held.extend(self.conditions[name].held)
                absent.extend(self.conditions[name].absent)
                continue
            known = (*self.flag_names, *self.conditions, OUTSTANDING)
            if name not in known:
                raise item.error(f"{name} is no flag", nearest(name, known))
            self.used.add(name)
            (held if text == name else absent).append(name)
        for name in held:
            if name in absent:
                raise node.error(f"the condition can never hold: {name} and not {name}")
        return Condition(tuple(dict.fromkeys(held)), tuple(dict.fromkeys(absent)))

    def _atoms(self, node: Node) -> tuple[Atom, ...]:
        atoms = tuple(atom for item in _one_or_more(node) for atom in self._atom(item))
        if not atoms:
            raise node.error("at least one event is needed")
        return atoms

    def _atom(self, node: Node) -> Iterator[Atom]:
        if node.entries is None:
            name = node.name("an event")
            if name in self.events:
                yield from self.events[name]
            elif name in self.names.triggers or name in self.sets:
                yield Atom(self._triggers(node))
            else:
                known = (*self.names.triggers, *self.sets, *self.events)
                raise node.error(f"{name} is no event", nearest(name, known))
            return
        f = node.fields("an event", required=("on",), optional=_ATOM_KEYS)
        triggers = self._triggers(f["on"])
        if "except" in f:
            left_out = self._triggers(f["except"])
            for item in f["except"].one_or_more("except"):
                if not set(self._triggers(item)) & set(triggers):
                    raise item.error("this is not among the triggers that it is taken from")
            triggers = tuple(name for name in triggers if name not in left_out)
            if not triggers:
                raise f["except"].error("no trigger is left")
        answering = self._answering(f["answering"]) if "answering" in f else ()
        when = self._condition(f["while"]) if "while" in f else ALWAYS
        yield Atom(triggers, answering, when)

    def _triggers(self, node: Node) -> tuple[str, ...]:
        return self.names.members(node, "trigger", self.names.triggers, self.sets)

    def _answering(self, node: Node) -> tuple[str, ...]:
        if node.entries is not None:
            but = node.fields("answering", required=("all_but",))["all_but"]
            left_out = self._answering(but)
            return tuple(name for name in self.commands if name not in left_out)
        known = (*self.commands, NOTHING)
        sets = {n: m for n, m in self.sets.items() if set(m) <= set(self.commands)}
        return self.names.members(node, "command", known, sets)

    # -- properties -----------------------------------------------------------------------------

    def _property(self, node: Node) -> Property:
        written = node.fields(
            "a property",
            required=("id", "says", "rfc"),
            optional=(*_PATTERNS, "requirements"),
        )
        patterns = [name for name in _PATTERNS if name in written]
        if len(patterns) != 1:
            what = f"a property needs exactly one pattern ({', '.join(_PATTERNS)})"
            raise node.error(what)
        pattern = cast("Pattern", patterns[0])
        required, optional = _KEYS[pattern]
        f = written[pattern].fields(pattern, required=required, optional=optional)
        of = self._atoms(f["of"])
        if pattern == "permission" and any(atom.answering or atom.when != ALWAYS for atom in of):
            raise f["of"].error("permission speaks of triggers alone")
        if pattern == "universality" and not {"among", "violation", "leads_to"} & set(f):
            what = "universality needs 'among', 'violation' or 'leads_to'"
            raise written[pattern].error(what)
        before = Atom(self.sets.get("client", ()))
        return Property(
            id=written["id"].name("id"),
            says=written["says"].text("says"),
            pattern=pattern,
            of=of,
            rfc=self.names.rfc(written["rfc"]),
            when=self._condition(f["while"]) if "while" in f else ALWAYS,
            needs=self._condition(f["needs"]) if "needs" in f else ALWAYS,
            among=self._atoms(f["among"]) if "among" in f else (),
            culprit=self._culprit(f["violation"]) if "violation" in f else None,
            leads_to=self._leads_to(f["leads_to"]) if "leads_to" in f else (),
            follows=self._atoms(f["follows"]) if "follows" in f else (),
            before=self._before(f, before) if pattern == "response" else (),
            bounded=self._triggers(f["bounded"]) if "bounded" in f else (),
            requirements=self._requirements(written["requirements"])
            if "requirements" in written
            else (),
            place=f"{node.path}:{node.line}:{node.column}",
        )

    def _before(self, fields: Mapping[str, Node], default: Atom) -> tuple[Atom, ...]:
        return self._atoms(fields["before"]) if "before" in fields else (default,)

    def _culprit(self, node: Node) -> Culprit:
        return cast("Culprit", node.choice("violation", get_args(Culprit)))

    def _leads_to(self, node: Node) -> tuple[str, ...]:
        known = (*self.names.states, SAME, SENT_FROM)
        return self.names.members(node, "state", known, self.names.state_sets)

    def _requirements(self, node: Node) -> tuple[str, ...]:
        found: list[str] = []
        for item in node.sequence("requirements"):
            name = item.name("a requirement")
            if name in found:
                raise item.error(f"requirement {name} stands twice")
            found.append(name)
        return tuple(found)

    def _narrowed(self, properties: tuple[Property, ...]) -> tuple[Property, ...]:
        """The properties, each with the conditions that overlays add to it."""
        by_id = {one.id: one for one in properties}
        for node in self.sections.narrowings:
            f = node.fields("an entry", required=("properties", "while", "rfc"))
            self.names.rfc(f["rfc"])
            when = self._condition(f["while"])
            for item in f["properties"].one_or_more("properties"):
                name = item.choice("property", by_id)
                by_id[name] = replace(by_id[name], when=by_id[name].when & when)
        return tuple(by_id.values())


def _one_or_more(node: Node) -> tuple[Node, ...]:
    """The items of a sequence, or this node as the only one, mapping or not."""
    return node.items if node.items is not None else (node,)
