"""The properties in Promela: one never claim each, which accepts the runs that break it.

A property speaks of an event and of what was true before it: in the logic LTL, of a state and the
*next* one, ``[] (before -> X !event)``. spin reads LTL, but the next-time operator only if it was
built for it (``-DNXT``), which Debian's is not. A never claim moves in step with the model, so
that it can always say "next". The formula that it stands for is written above each claim.

Each property has a claim ``p_…`` that must hold, and a claim ``some_…`` that what it speaks of
never happens: this one must be refuted, or the property is vacuous. An existence has only the
second. A response has its assumption built in: a run that breaks it without breaking its order
goes on for ever, and from some event on without a trigger of ``bounded``.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from fsm_smtp.export.names import Names
from fsm_smtp.export.promela_history import TRUE, HistoryWriter
from fsm_smtp.export.promela_text import comment, one_of
from fsm_smtp.table import Always, Table
from fsm_smtp.table.properties import SAME, SENT_FROM, Atom, Property

#: What is forbidden: something before an event, and something of the event itself and after it.
Forbidden = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim in the text.

    Attributes:
        name: its name there, for ``pan -N``.
        property: the id of the property, or of the entry of ``always``, that it belongs to.
        refuted: whether it must be refuted, and not hold; it is there with ``-DREFUTED``.
        lines: its text.
    """

    name: str
    property: str
    refuted: bool
    lines: tuple[str, ...]


class ClaimWriter:
    """Writes the claims of one table.

    Args:
        table: whose properties.
        names: what everything is called.
        history: writes conditions on the history.
        has: writes that a variable has one of some values.
    """

    def __init__(
        self,
        table: Table,
        names: Names,
        history: HistoryWriter,
        has: Callable[[str, Sequence[str]], str],
    ) -> None:
        self.table = table
        self.names = names
        self.history = history
        self.has = has
        self._marks: dict[str, tuple[Atom, ...]] = {}

    def mark(self, properties: Iterable[Property]) -> None:
        """Name the variables that the responses among these properties need."""
        for one in properties:
            for what in ("follows", "first"):
                atoms = _awaited(one, what)
                if not set(self.history.grouped(atoms)) <= {TRUE}:
                    name = self.names.give(what, one.id, f"{what}_{one.id}")
                    self._marks[name] = atoms

    def claims(self, properties: Iterable[Property], always: Iterable[Always]) -> Iterator[Claim]:
        """The claims of each of these."""
        for one in properties:
            yield from self._property(one)
        for entry in always:
            scope = " && ".join(self.has(*test) for test in entry.when) or TRUE
            heading = f"{entry.id} (always): {entry.says}. RFC {entry.rfc}"
            yield from self._enabled(entry.id, heading, scope, entry.triggers)

    def _property(self, one: Property) -> Iterator[Claim]:
        heading = f"{one.id} ({one.pattern}): {one.says}. RFC {one.rfc}"
        if one.pattern == "permission":
            wanted = tuple(dict.fromkeys(name for atom in one.of for name in atom.triggers))
            yield from self._enabled(one.id, heading, self.history.condition(one.when), wanted)
            return
        events = [
            (before, self._event(names))
            for before, names in self.history.grouped(one.of, one.when).items()
        ]
        if one.pattern == "response":
            lines = self._response(one, events)
            yield self._claim("p", one.id, heading, lines)
        elif one.pattern != "existence":
            yield self._claim("p", one.id, heading, _never_step(self._forbidden(one)))
        heading = f"{one.id} ({one.pattern}), that it speaks of nothing: to be refuted"
        if one.pattern == "absence":
            lines = _never_state(self.history.condition(one.when))
        else:
            lines = _never_step(events)
        yield self._claim("some", one.id, heading, lines)

    def _enabled(
        self, name: str, heading: str, scope: str, triggers: Sequence[str]
    ) -> Iterator[Claim]:
        can = " && ".join(self.names.of("can", trigger) for trigger in triggers)
        yield self._claim("p", name, heading, _never_state(_both(scope, f"!({can})")))
        heading = f"{name}, that it speaks of nothing: to be refuted"
        yield self._claim("some", name, heading, _never_state(scope))

    def _claim(self, kind: str, name: str, heading: str, body: Sequence[str]) -> Claim:
        identifier = self.names.give(f"{kind} claim", heading, f"{kind}_{name}")
        formula, *steps = body
        lines = (*comment(heading), *comment(formula), f"never {identifier} {{", *steps, "}")
        return Claim(identifier, name, kind == "some", lines)

    # -- what breaks a property ------------------------------------------------------------------

    def _forbidden(self, one: Property) -> list[Forbidden]:
        found: list[Forbidden] = []
        for before, names in self.history.grouped(one.of, one.when).items():
            event = self._event(names)
            if one.pattern == "absence":
                found.append((before, event))
            if one.pattern == "precedence":
                found.append((_both(before, _not(self.history.condition(one.needs))), event))
            if one.among:
                found += self._not_among(one, before, names)
            if one.culprit is not None:
                found.append((before, f"{event} && culprit != {one.culprit}"))
            if one.leads_to:
                found += self._misled(one, before, event)
        return found

    def _not_among(self, one: Property, before: str, names: Sequence[str]) -> Iterator[Forbidden]:
        groups: dict[str, list[str]] = {}
        for name in names:
            allowed = self.history.before(one.among, name)
            if allowed != TRUE:
                case = before if allowed is None else _both(before, _not(allowed))
                groups.setdefault(case, []).append(name)
        return ((case, self._event(those)) for case, those in groups.items())

    def _misled(self, one: Property, before: str, event: str) -> Iterator[Forbidden]:
        """Where the event must not lead; `SAME` and `SENT_FROM` are asked of each state apart."""
        named = {state: self.names.of("state", state) for state in self.table.states}
        fixed = [named[state] for state in one.leads_to if state in named]
        if SAME not in one.leads_to and SENT_FROM not in one.leads_to:
            yield before, f"{event} && !{_parenthesised(one_of('state', fixed))}"
            return
        places = {name: [name] for name in named.values() if SAME in one.leads_to}
        origins = {name: [name] for name in named.values() if SENT_FROM in one.leads_to}
        if SENT_FROM in one.leads_to:
            origins["nowhere"] = []
        for (state, here), (origin, there) in product(
            places.items() or [("", [])], origins.items() or [("", [])]
        ):
            where = before
            if state:
                where = _both(where, f"state == {state}")
            if origin:
                where = _both(where, f"sent_from == {origin}")
            wanted = [*fixed, *(name for name in (*here, *there) if name not in fixed)]
            right = _parenthesised(one_of("state", wanted)) if wanted else "false"
            yield where, f"{event} && !{right}"

    def _response(self, one: Property, events: Sequence[Forbidden]) -> list[str]:
        """The claim that after an event what follows does not come, or not before `before`."""
        follows = self._happened(one, "follows")
        first = _both(self._happened(one, "first"), _not(follows))
        quiet = self._event(one.bounded) if one.bounded else ""
        goes_on = f"{_not(follows)} && {_not(first)}"
        # Before the last trigger of `bounded` a run may go round; only after it is that for ever.
        begin = "wait" if one.bounded else "accept_wait"
        lines = ["watch:", "  do", "  :: true"]
        lines += [f"  :: {before} -> goto sent_{n}" for n, (before, _) in enumerate(events)]
        lines.append("  od;")
        for number, (_, event) in enumerate(events):
            lines += [f"sent_{number}:", "  if", f"  :: {event} -> goto {begin}", "  fi;"]
        if one.bounded:
            lines += [
                "wait:",
                "  if",
                f"  :: {first} -> goto broken",
                f"  :: {goes_on} -> goto wait",
            ]
            lines += [f"  :: {goes_on} -> goto accept_wait", "  fi;"]
            goes_on = f"{goes_on} && {_not(quiet)}"
        lines += ["accept_wait:", "  if", f"  :: {first} -> goto broken"]
        lines += [f"  :: {goes_on} -> goto accept_wait", "  fi;", "broken:", "  skip"]
        happens = " || ".join(f"({before} && X ({event}))" for before, event in events)
        formula = f"[] (({happens}) -> X X (!({first}) U ({follows})))"
        return [f"LTL: {f'(<> [] !({quiet})) -> {formula}' if quiet else formula}", *lines]

    # -- what a response waits for -----------------------------------------------------------------

    def _happened(self, one: Property, what: str) -> str:
        """That the last event is one that follows, or that must not come first."""
        groups = self.history.grouped(_awaited(one, what))
        if set(groups) <= {TRUE}:
            return self._event(groups[TRUE]) if groups else "false"
        return self.names.of(what, one.id)

    def declarations(self) -> Iterator[str]:
        """Variables that say of the last event what can only be told before it."""
        for name in self._marks:
            yield f"bool {name};"

    def marks(self, trigger: str) -> list[str]:
        """Assignments to these, to be made before the event changes anything."""
        return [
            f"{name} = {self.history.before(atoms, trigger) or 'false'}"
            for name, atoms in self._marks.items()
        ]

    def _event(self, triggers: Sequence[str]) -> str:
        return one_of("ev", [self.names.of("trigger", name) for name in dict.fromkeys(triggers)])


def _never_step(forbidden: Sequence[Forbidden]) -> list[str]:
    """The formula and the claim that nothing forbidden happens."""
    formula = " && ".join(
        f"[] ({before} -> X !({' || '.join(f'({case})' for case in cases)}))"
        for before, cases in _grouped(forbidden).items()
    )
    return [f"LTL: {formula}", *_body(forbidden)]


def _never_state(forbidden: str) -> list[str]:
    """The formula and the claim that no state is a forbidden one."""
    return [f"LTL: [] !({forbidden})", *_body((), [forbidden])]


def _body(forbidden: Iterable[Forbidden], states: Iterable[str] = ()) -> Iterator[str]:
    """A claim that ends where something forbidden happens, or a state is a forbidden one."""
    groups = _grouped(forbidden)
    yield from ("watch:", "  do", "  :: true")
    yield from (f"  :: {state} -> goto broken" for state in states)
    yield from (f"  :: {before} -> goto next_{n}" for n, before in enumerate(groups))
    yield "  od;"
    for number, cases in enumerate(groups.values()):
        yield from (f"next_{number}:", "  if")
        yield from (f"  :: {case} -> goto broken" for case in cases)
        yield "  fi;"
    yield from ("broken:", "  skip")


def _grouped(forbidden: Iterable[Forbidden]) -> dict[str, list[str]]:
    """What must not happen, by what is true before it."""
    groups: dict[str, list[str]] = {}
    for before, after in forbidden:
        cases = groups.setdefault(before, [])
        if after not in cases:
            cases.append(after)
    return groups


def _awaited(one: Property, what: str) -> tuple[Atom, ...]:
    return one.follows if what == "follows" else one.before


def _both(one: str, other: str) -> str:
    return " && ".join(_parenthesised(term) for term in (one, other) if term != TRUE) or TRUE


def _not(condition: str) -> str:
    return f"!{_parenthesised(condition)}"


def _parenthesised(condition: str) -> str:
    """*condition* in parentheses, where it is not one word."""
    return condition if condition.isidentifier() else f"({condition})"
