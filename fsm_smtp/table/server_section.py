"""Reads the section ``server`` of a table into `Server`: names resolved, mistakes refused.

What its entries say together is checked in `server_consistency` and `server_agreement`.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import cast, get_args

from fsm_smtp.table.guard import Guard
from fsm_smtp.table.model import Table
from fsm_smtp.table.names import check_rfc, members
from fsm_smtp.table.server_model import (
    CLOSED,
    NONE,
    Answer,
    Anywhere,
    Entry,
    Input,
    Level,
    Mode,
    Server,
    word_of,
)
from fsm_smtp.yaml_source import Node, nearest

#: What a template may contain, and what it stands for is in `Input`.
PLACEHOLDERS = (
    "sender",
    "recipient",
    "unknown_recipient",
    "ehlo_name",
    "plain",
    "wrong_plain",
    "octets",
)
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PAD = re.compile(r"pad:[1-9]\d*")
_CODE = re.compile(r"[2-5][0-5][0-9]|[2-5]yz")


def read_server(node: Node, table: Table) -> Server:
    """The section at *node*; *table* is the table it stands in, without it.

    Raises:
        SpecError: something is unknown, missing or stands twice.
    """
    return _Reader(node, table).read()


class _Reader:
    def __init__(self, node: Node, table: Table) -> None:
        self.table = table
        keys = ("view", "begins", "modes", "inputs", "anywhere", "owes")
        self.fields = node.fields("server", required=keys)
        self.view = members(self.fields["view"], "variable", table.variables, {})
        modes = self.fields["modes"].mapping("modes")
        self.modes = {name: self._mode(name, at.value, at.key.place) for name, at in modes.items()}
        self.resting = tuple(name for name, mode in self.modes.items() if not mode.passing)
        if not self.resting:
            raise self.fields["modes"].error("at least one mode must not be passing")
        inputs = self.fields["inputs"].mapping("inputs")
        self.inputs = {
            name: self._input(name, at.value, at.key.place) for name, at in inputs.items()
        }

    def read(self) -> Server:
        start = tuple(self.table.variables[name].start for name in self.view)
        entries: dict[str, Entry] = {}
        for group in self.fields["owes"].sequence("owes"):
            f = group.fields("a group", required=("about", "mode", "entries"))
            about, mode = f["about"].text("about"), f["mode"].choice("mode", self.resting)
            for node in f["entries"].sequence("entries"):
                entry = self._entry(node, about, mode)
                if entry.id in entries:
                    raise node.mapping("an entry")["id"].value.error(
                        f"the id {entry.id} stands twice"
                    )
                entries[entry.id] = entry
        return Server(
            view=self.view,
            initial=(self.resting[0], start),
            begins=members(self.fields["begins"], "trigger", self.table.triggers, {}),
            modes=self.modes,
            inputs=self.inputs,
            anywhere=tuple(
                self._anywhere(node) for node in self.fields["anywhere"].sequence("anywhere")
            ),
            entries=tuple(entries.values()),
        )

    # -- modes and inputs -------------------------------------------------------------------------

    def _mode(self, name: str, node: Node, place: str) -> Mode:
        f = node.fields("a mode", required=("means",), optional=("states", "passing", "forgets"))
        passing = "passing" in f and _truth(f["passing"], "passing")
        forgets = "forgets" in f and _truth(f["forgets"], "forgets")
        if passing == ("states" in f):
            raise node.error(f"the mode {name} must have states, or be passing")
        states = members(f["states"], "state", self.table.states, {}) if not passing else ()
        return Mode(name, f["means"].text("means"), states, passing, forgets, place)

    def _input(self, name: str, node: Node, place: str) -> Input:
        optional = ("octets", "sends", "after", "never", "modes", "extension", "through")
        f = node.fields("an input", required=("means", "lines"), optional=optional)
        passing = [mode for mode in self.modes if mode not in self.resting]
        clients = self.table.client_triggers()
        octets = f["octets"].text("octets") if "octets" in f else ""
        return Input(
            name=name,
            means=f["means"].text("means"),
            lines=tuple(_line(item, octets) for item in f["lines"].one_or_more("lines")),
            octets=octets,
            sends=f["sends"].choice("trigger", clients) if "sends" in f else None,
            after=self._after(f["after"]) if "after" in f else {},
            never=members(f["never"], "class", ("2yz", "3yz"), {}) if "never" in f else (),
            modes=members(f["modes"], "mode", self.resting, {}) if "modes" in f else self.resting,
            extension=f["extension"].name("extension") if "extension" in f else None,
            through=f["through"].choice("passing mode", passing) if "through" in f else None,
            place=place,
        )

    def _after(self, node: Node) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for word, at in node.mapping("after").items():
            if not _CODE.fullmatch(word) or word_of(word) != word:
                raise at.key.error(f"{word} is no class of replies")
            found[word] = members(at.value, "trigger", self.table.triggers, {})
        return found

    def _anywhere(self, node: Node) -> Anywhere:
        f = node.fields("an entry of anywhere", required=("codes", "closes", "says", "rfc"))
        return Anywhere(
            code=_code(f["codes"]),
            closes=_truth(f["closes"], "closes"),
            says=f["says"].text("says"),
            rfc=self._rfc(f["rfc"]),
        )

    # -- entries ----------------------------------------------------------------------------------

    def _entry(self, node: Node, about: str, mode: str) -> Entry:
        required = ("id", "on", "level", "says", "answers", "rfc")
        f = node.fields("an entry", required=required, optional=("when", "per"))
        answers: list[Answer] = []
        for name, at in f["answers"].mapping("answers").items():
            answers.extend(self._answers(name, at.value, at.key.place))
        if not answers:
            raise f["answers"].error("at least one answer is needed")
        return Entry(
            id=f["id"].name("id"),
            about=about,
            mode=mode,
            inputs=self._on(f["on"], mode),
            when=self._guard(f["when"]) if "when" in f else (),
            level=cast("Level", f["level"].choice("level", get_args(Level))),
            says=f["says"].text("says"),
            answers=tuple(answers),
            per=members(f["per"], "variable", self.view, {}) if "per" in f else (),
            rfc=self._rfc(f["rfc"]),
            place=node.place,
        )

    def _on(self, node: Node, mode: str) -> tuple[str, ...]:
        sent = [name for name, one in self.inputs.items() if mode in one.modes]
        if node.scalar == "all":
            return tuple(sent)
        if node.entries is not None:
            but = node.fields("on", required=("all_but",))["all_but"]
            left_out = self._on(but, mode)
            return tuple(name for name in sent if name not in left_out)
        named = members(node, "input", self.inputs, {})
        for item in node.one_or_more("on"):
            if item.name("an input") not in sent:
                raise item.error(f"{item.scalar} is not sent in the mode {mode}")
        return named

    def _guard(self, node: Node) -> Guard:
        guard: list[tuple[str, tuple[str, ...]]] = []
        for name, at in node.mapping("when").items():
            self._must_be_seen(at.key, name)
            domain = self.table.variables[name].domain
            values = members(at.value, "value", domain, {})
            if len(values) == len(domain):
                raise at.value.error(f"the guard on {name} excludes nothing; leave it out")
            guard.append((name, values))
        return tuple(guard)

    def _must_be_seen(self, key: Node, name: str) -> None:
        if name not in self.view:
            raise key.error(f"{name} is not in the view", nearest(name, self.view))

    def _answers(self, name: str, node: Node, place: str) -> Iterator[Answer]:
        """The answers that are written as one: one for each word that its codes have."""
        optional = ("then", "against", "differs")
        f = node.fields("an answer", required=("codes",), optional=optional)
        mode, then = self._then(f["then"]) if "then" in f else (None, ())
        by_word: dict[str, list[str]] = {}
        for item in f["codes"].one_or_more("codes"):
            code = _code(item, (NONE, CLOSED))
            same = by_word.setdefault(word_of(code), [])
            if code in same:
                raise item.error(f"code {code} stands twice")
            same.append(code)
        if not by_word:
            raise f["codes"].error("at least one code is needed")
        for word, codes in by_word.items():
            yield Answer(
                name=name if len(by_word) == 1 else f"{name}-{word}",
                codes=tuple(codes),
                mode=mode,
                then=then,
                against=f["against"].choice("against", ("SHOULD",)) if "against" in f else None,
                differs=f["differs"].text("differs") if "differs" in f else None,
                place=place,
            )

    def _then(self, node: Node) -> tuple[str | None, tuple[tuple[str, str], ...]]:
        mode: str | None = None
        then: list[tuple[str, str]] = []
        for name, at in node.mapping("then").items():
            if name == "mode":
                mode = at.value.choice("mode", self.resting)
                continue
            self._must_be_seen(at.key, name)
            value = at.value.name("a value")
            domain = self.table.variables[name].domain
            if value not in domain:
                raise at.value.error(f"{value} is no value of {name}", nearest(value, domain))
            then.append((name, value))
        return mode, tuple(then)

    def _rfc(self, node: Node) -> str:
        rfc = node.text("rfc")
        check_rfc(node, rfc, self.table.rfcs)
        return rfc


def _truth(node: Node, what: str) -> bool:
    if not isinstance(node.scalar, bool):
        raise node.error(f"{what} must be true or false")
    return node.scalar


def _code(node: Node, besides: Collection[str] = ()) -> str:
    code = node.name("a code")
    if not _CODE.fullmatch(code) and code not in besides:
        raise node.error(f"{code} is no reply code and no class of them", nearest(code, besides))
    return code


def _line(node: Node, octets: str) -> str:
    line = node.text("a line")
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in line):
        raise node.error("a line must not contain control characters")
    for name in _PLACEHOLDER.findall(line):
        if name not in PLACEHOLDERS and not _PAD.fullmatch(name):
            raise node.error(f"{{{name}}} is no placeholder", nearest(name, PLACEHOLDERS))
        if name == "octets" and not octets:
            raise node.error("the input has no octets to count")
    return line
