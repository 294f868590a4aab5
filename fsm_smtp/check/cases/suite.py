"""The suite: ``specs/conformance/*.yaml`` read into cases, every mistake with its place.

A file has an RFC number and sections; a section has cases; a case has an id, a level, ids of the
register, the requirement in one sentence, and steps (see `steps`). It may have

``start: raw``, ``greeting``, ``plain`` or ``ehlo`` (default)
    how far the session is opened first;
``needs``, ``lacks``
    conditions (see `offers`) without which, or with which, the case is skipped;
``slow: seconds``
    how long it takes by its nature; it is played only if the run has the time.
"""

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fsm_smtp.check.cases.case import Case, Level, Start
from fsm_smtp.check.cases.offers import Condition
from fsm_smtp.check.cases.steps import conditions, seconds, steps
from fsm_smtp.errors import SpecError
from fsm_smtp.specs import spec_path
from fsm_smtp.yaml_source import Node, read_yaml

_RFC = re.compile(r"[1-9][0-9]{2,4}\Z")
_SECTION = re.compile(r"[1-9][0-9]*(\.[1-9][0-9]*)*\Z")
_REGISTER = re.compile(r"[A-Z]{1,2}[0-9]{2,3}\Z")
_ID = re.compile(r"[a-z0-9.]+(-[a-z0-9.]+)+\Z")

_CASE_KEYS = ("id", "level", "requirements", "requirement", "steps")
_CASE_OPTIONS = ("start", "needs", "lacks", "slow")
#: Longest time that a case may say it takes, in seconds.
_MAX_SLOW = 3600


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


def _shipped() -> list[Path]:
    """The protocol itself comes first, then its extensions, the oldest first."""
    return sorted(
        spec_path("conformance").glob("*.yaml"),
        key=lambda file: (file.stem != "rfc5321", file.stem),
    )


def load_suite(paths: Iterable[Path] | None = None) -> Suite:
    """The cases of *paths*; without, of every file that ships in ``specs/conformance``.

    Raises:
        SpecError: a mistake in a file, with line, column and a suggestion.
    """
    files = tuple(_shipped() if paths is None else paths)
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
            needs=_conditions(entry, "needs"),
            lacks=_conditions(entry, "lacks"),
            steps=steps(entry["steps"], level),
            slow=seconds(entry["slow"], "slow", _MAX_SLOW) if "slow" in entry else 0.0,
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


def _conditions(entry: dict[str, Node], key: str) -> tuple[Condition, ...]:
    return conditions(entry[key], key) if key in entry else ()
