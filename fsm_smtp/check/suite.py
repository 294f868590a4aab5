"""The suite: ``specs/conformance/*.yaml`` read into cases, every mistake with its place.

A file has an RFC number and sections; a section has cases; a case has steps:

``setup: [line, …]``
    lines that must be answered as ``want`` says (2yz), else the case is ``inconclusive``;
``send: line``, ``pipeline: [line, …]``, ``raw: octets``, ``message: text``, ``await: reply``
    write something (or nothing), then judge what comes: ``expect: {pass: [503], latitude: [5yz],
    else: fail}``. An outcome is a code, a class (``5yz``, ``50z``), ``any`` reply, ``closed``,
    ``silence`` or ``malformed``; no class has 421 and 530 (policy), ``any`` has no 421. ``else``
    is by default what the level says: MUST fails, SHOULD warns, MAY informs;
``on: {2yz: [step, …]}``
    steps that follow only after such an outcome;
``repeat``, ``wait`` (seconds until ``silence``), ``form`` (checks beside the code).
"""

import fnmatch
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fsm_smtp.check.case import (
    FILLINGS,
    PLACEHOLDER,
    VALUES,
    WORDS,
    Action,
    Case,
    Expectation,
    Level,
    Pattern,
    Start,
    Step,
    Verdict,
)
from fsm_smtp.check.forms import FORMS
from fsm_smtp.errors import SpecError
from fsm_smtp.specs import spec_path
from fsm_smtp.yaml_source import Node, nearest, read_yaml

_RFC = re.compile(r"[1-9][0-9]{2,4}\Z")
_SECTION = re.compile(r"[1-9][0-9]*(\.[1-9][0-9]*)*\Z")
_REGISTER = re.compile(r"[A-Z]{1,2}[0-9]{2,3}\Z")
_ID = re.compile(r"[a-z0-9.]+(-[a-z0-9.]+)+\Z")
_KEYWORD = re.compile(r"[A-Z0-9][A-Z0-9-]*\Z")

_CASE_KEYS = ("id", "level", "requirements", "requirement", "steps")
_CASE_OPTIONS = ("start", "needs", "lacks")
_STEP_OPTIONS = ("expect", "want", "otherwise", "on", "repeat", "wait", "form")
_JUDGED = tuple(verdict.value for verdict in Verdict if verdict is not Verdict.ERROR)
_OUTCOMES = (*WORDS, "2yz", "3yz", "4yz", "5yz")
#: Most rounds of one step: more would be load, not a check.
_MAX_REPEAT = 1000
#: Longest wait for one reply, in seconds.
_MAX_WAIT = 600


@dataclass(frozen=True, slots=True)
class Suite:
    """All cases, in the order of the files."""

    cases: tuple[Case, ...]

    def select(self, only: Iterable[str] = (), exclude: Iterable[str] = ()) -> "Suite":
        """The cases whose id matches one of the globs *only* (all, without) and no *exclude*.

        Raises:
            ValueError: a glob that matches no case at all, or no case that is left.
        """
        wanted, unwanted = tuple(only), tuple(exclude)
        for glob in (*wanted, *unwanted):
            if not any(fnmatch.fnmatchcase(case.id, glob) for case in self.cases):
                raise ValueError(f"no case matches {glob!r}")
        left = tuple(
            case
            for case in self.cases
            if (not wanted or _matches(case.id, wanted)) and not _matches(case.id, unwanted)
        )
        if not left:
            raise ValueError("no case is left")
        return Suite(left)


def _matches(name: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, glob) for glob in globs)


def load_suite(paths: Iterable[Path] | None = None) -> Suite:
    """The cases of *paths*; without, of every file that ships in ``specs/conformance``.

    Raises:
        SpecError: a mistake in a file, with line, column and a suggestion.
    """
    files = tuple(paths) if paths is not None else tuple(
        sorted(spec_path("conformance").glob("*.yaml"))
    )  # fmt: skip
    if not files:
        raise SpecError(spec_path("conformance"), 1, 1, "there is no suite here")
    reader = _Reader()
    for path in files:
        reader.read_file(path)
    return Suite(tuple(reader.cases))


@dataclass(slots=True)
class _Reader:
    cases: list[Case] = field(default_factory=list[Case])
    seen: dict[str, Node] = field(default_factory=dict[str, Node])

    def read_file(self, path: Path) -> None:
        root = read_yaml(path).fields("a suite", required=("rfc", "title", "sections"))
        rfc = _matching(root["rfc"], _RFC, "rfc", "5321")
        for item in _items(root["sections"], "sections"):
            group = item.fields("a section", required=("section", "title", "cases"))
            section = group["section"].text("section (in quotes)")
            if not _SECTION.match(section):
                raise group["section"].error(f"section is a number like 4.1.4, not {section!r}")
            title = group["title"].text("title")
            for node in _items(group["cases"], "cases"):
                self.cases.append(self._case(rfc, section, title, node))

    def _case(self, rfc: str, section: str, title: str, node: Node) -> Case:
        entry = node.fields("a case", required=_CASE_KEYS, optional=_CASE_OPTIONS)
        name = self._id(entry["id"], f"{rfc}-{section}-")
        level = Level(entry["level"].choice("level", tuple(Level)))
        start = entry["start"].choice("start", tuple(Start)) if "start" in entry else Start.EHLO
        return Case(
            id=name,
            rfc=rfc,
            section=section,
            title=title,
            level=level,
            requirements=_names(entry["requirements"], _REGISTER, "a requirement", "R019"),
            requirement=" ".join(entry["requirement"].text("requirement").split()),
            start=Start(start),
            needs=_keywords(entry, "needs"),
            lacks=_keywords(entry, "lacks"),
            steps=_steps(entry["steps"], level),
        )

    def _id(self, node: Node, prefix: str) -> str:
        name = node.name("id")
        if not _ID.match(name) or not name.startswith(prefix):
            raise node.error(f"the id {name!r} does not have the form {prefix}words")
        if name in self.seen:
            first = self.seen[name]
            raise node.error(f"the id {name!r} is taken already, in {first.path}:{first.line}")
        self.seen[name] = node
        return name


def _items(node: Node, what: str) -> tuple[Node, ...]:
    items = node.sequence(what)
    if not items:
        raise node.error(f"{what} is empty")
    return items


def _matching(node: Node, form: re.Pattern[str], what: str, example: str) -> str:
    name = node.name(what)
    if not form.match(name):
        raise node.error(f"{what} looks like {example}, not {name!r}")
    return name


def _names(node: Node, form: re.Pattern[str], what: str, example: str) -> tuple[str, ...]:
    return tuple(_matching(item, form, what, example) for item in _one_or_more(node, what))


def _one_or_more(node: Node, what: str) -> tuple[Node, ...]:
    items = node.one_or_more(what)
    if not items:
        raise node.error(f"{what} is empty")
    return items


def _keywords(entry: dict[str, Node], key: str) -> tuple[str, ...]:
    if key not in entry:
        return ()
    return _names(entry[key], _KEYWORD, "an EHLO keyword", "PIPELINING")


def _steps(node: Node, level: Level) -> tuple[Step, ...]:
    return tuple(_step(item, level) for item in _items(node, "steps"))


def _step(node: Node, level: Level) -> Step:
    entry = node.fields("a step", optional=(*Action, *_STEP_OPTIONS))
    actions = [action for action in Action if action.value in entry]
    if len(actions) != 1:
        raise node.error(f"a step has exactly one of {', '.join(Action)}")
    action = actions[0]
    texts = _texts(entry[action], action)
    return Step(
        action=action,
        texts=texts,
        expects=_expects(node, entry, action, level, len(texts)),
        branches=_branches(entry["on"], level) if "on" in entry else (),
        repeat=_repeat(entry["repeat"]) if "repeat" in entry else 1,
        wait=_wait(entry["wait"]) if "wait" in entry else None,
        form=_forms(entry["form"]) if "form" in entry else (),
    )


def _texts(node: Node, action: Action) -> tuple[str, ...]:
    if action is Action.AWAIT:
        node.choice("await", ("reply", "close", "silence"))
        return ()
    if action in (Action.SEND, Action.MESSAGE):
        return (_template(node, action),)
    return tuple(_template(item, action) for item in _one_or_more(node, action))


def _template(node: Node, action: Action) -> str:
    text = node.text(action)
    for found in PLACEHOLDER.finditer(text):
        name, known = found[1], FILLINGS if found[2] else VALUES
        if name not in known:
            raise node.error(f"no placeholder is called {found[0]}", nearest(name, known))
    if any(ord(character) > 255 for character in text):
        raise node.error("what is sent is octets: write a character above U+00FF as its octets")
    return text


def _repeat(node: Node) -> int:
    rounds = node.number("repeat")
    if not 1 <= rounds <= _MAX_REPEAT:
        raise node.error(f"repeat is from 1 to {_MAX_REPEAT}")
    return rounds


def _wait(node: Node) -> float:
    value = node.scalar
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _MAX_WAIT:
        raise node.error(f"wait is a number of seconds, at most {_MAX_WAIT}")
    return float(value)


def _forms(node: Node) -> tuple[str, ...]:
    return tuple(item.choice("form", tuple(FORMS)) for item in _one_or_more(node, "form"))


def _expects(
    step: Node, entry: dict[str, Node], action: Action, level: Level, texts: int
) -> tuple[Expectation, ...]:
    if action is Action.SETUP:
        _foreign(entry, ("expect", "form"), "a setup is not judged; it has 'want'")
        return (_wanted(entry),) * texts
    _foreign(entry, ("want", "otherwise"), "only a setup has these; the others have 'expect'")
    if "expect" not in entry:
        if action is Action.RAW:
            return ()
        raise step.error(f"a step with {action.value!r} needs the key 'expect'")
    node = entry["expect"]
    if action is Action.PIPELINE:
        items = _items(node, "expect")
        if len(items) != texts:
            raise node.error(f"{texts} lines are sent and {len(items)} replies expected")
        return tuple(_expectation(item, level) for item in items)
    return (_expectation(node, level),)


def _foreign(entry: dict[str, Node], keys: Collection[str], why: str) -> None:
    for key in keys:
        if key in entry:
            raise entry[key].error(f"{key!r} does not belong here: {why}")


def _wanted(entry: dict[str, Node]) -> Expectation:
    want = _patterns(entry["want"], "want") if "want" in entry else (Pattern("2yz"),)
    verdict = Verdict.INCONCLUSIVE
    if "otherwise" in entry:
        verdict = Verdict(entry["otherwise"].choice("otherwise", ("skip", "inconclusive")))
    return Expectation(((Verdict.PASS, want),), verdict)


def _expectation(node: Node, level: Level) -> Expectation:
    if node.entries is None:
        return Expectation(((Verdict.PASS, _patterns(node, "expect")),), level.violated)
    sets: list[tuple[Verdict, tuple[Pattern, ...]]] = []
    seen: set[str] = set()
    otherwise = level.violated
    for name, entry in node.entries.items():
        if name == "else":
            otherwise = _verdict(entry.value, entry.value.name("else"), level)
        else:
            sets.append((_verdict(entry.key, name, level), _patterns(entry.value, name, seen)))
    if not sets:
        raise node.error("expect lists no outcome")
    return Expectation(tuple(sets), otherwise)


def _verdict(node: Node, name: str, level: Level) -> Verdict:
    if name not in _JUDGED:
        raise node.error(
            f"a verdict is one of {', '.join(_JUDGED)}, or 'else', not {name!r}",
            nearest(name, (*_JUDGED, "else")),
        )
    verdict = Verdict(name)
    if verdict is Verdict.FAIL and level is not Level.MUST:
        raise node.error(f"only a MUST can fail, and this case is a {level.value}")
    return verdict


def _patterns(node: Node, what: str, seen: set[str] | None = None) -> tuple[Pattern, ...]:
    """The outcomes of one set; *seen* are those of the sets before it, which would hide them."""
    found: list[Pattern] = []
    known = set[str]() if seen is None else seen
    for item in _one_or_more(node, what):
        pattern = _pattern(item, item.name(what))
        if pattern.text in known:
            raise item.error(f"the outcome {pattern.text} is listed twice")
        known.add(pattern.text)
        found.append(pattern)
    return tuple(found)


def _pattern(node: Node, text: str) -> Pattern:
    if not Pattern.is_valid(text):
        raise node.error(
            f"an outcome is a code, a class like 5yz, or one of {', '.join(WORDS)}, not {text!r}",
            nearest(text, _OUTCOMES),
        )
    return Pattern(text)


def _branches(node: Node, level: Level) -> tuple[tuple[tuple[Pattern, ...], tuple[Step, ...]], ...]:
    return tuple(
        (
            tuple(_pattern(entry.key, text) for text in name.split()),
            _steps(entry.value, level),
        )
        for name, entry in node.mapping("on").items()
    )
