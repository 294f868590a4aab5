"""YAML as a tree of nodes that know where they stand, for errors with line and column.

Duplicate keys are refused and ``no``/``on`` stay strings (YAML 1.2). Used for the table, its
overlays and the conformance suites; knows nothing of what is in them.
"""

import difflib
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fsm_smtp.errors import SpecError

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a YAML file and its place (1-based line and column)."""

    path: str
    line: int
    column: int
    scalar: Scalar = None
    entries: "dict[str, Entry] | None" = None
    items: "tuple[Node, ...] | None" = None

    @property
    def place(self) -> str:
        """``path:line:column``."""
        return f"{self.path}:{self.line}:{self.column}"

    def error(self, what: str, suggestion: str | None = None) -> SpecError:
        """An error at this place."""
        return SpecError(self.path, self.line, self.column, what, suggestion)

    # -- what the reader expects here ------------------------------------------------------------

    def mapping(self, what: str) -> "dict[str, Entry]":
        """The entries, when this is a mapping."""
        if self.entries is None:
            raise self.error(f"{what} must be a mapping")
        return self.entries

    def fields(
        self, what: str, *, required: Collection[str] = (), optional: Collection[str] = ()
    ) -> "dict[str, Node]":
        """The values of a mapping with these keys and no others."""
        entries = self.mapping(what)
        known = (*required, *optional)
        for name, entry in entries.items():
            if name not in known:
                raise entry.key.error(f"{name!r} is no key of {what}", nearest(name, known))
        for name in required:
            if name not in entries:
                raise self.error(f"{what} needs the key {name!r}")
        return {name: entry.value for name, entry in entries.items()}

    def sequence(self, what: str) -> "tuple[Node, ...]":
        """The items, when this is a sequence."""
        if self.items is None:
            raise self.error(f"{what} must be a sequence")
        return self.items

    def one_or_more(self, what: str) -> "tuple[Node, ...]":
        """The items of a sequence, or this scalar as the only item."""
        if self.items is not None:
            return self.items
        if self.entries is not None:
            raise self.error(f"{what} must be a name or a sequence of names")
        return (self,)

    def text(self, what: str) -> str:
        """The string, when this is one."""
        if not isinstance(self.scalar, str):
            raise self.error(f"{what} must be a string")
        return self.scalar

    def name(self, what: str) -> str:
        """A scalar as the name of something: numbers count as their digits."""
        if isinstance(self.scalar, bool) or not isinstance(self.scalar, str | int):
            raise self.error(f"{what} must be a name")
        return str(self.scalar)

    def number(self, what: str) -> int:
        """The integer, when this is one."""
        if isinstance(self.scalar, bool) or not isinstance(self.scalar, int):
            raise self.error(f"{what} must be a whole number")
        return self.scalar

    def choice(self, what: str, choices: Collection[str]) -> str:
        """The name, when it is one of *choices*."""
        name = self.name(what)
        if name not in choices:
            raise self.error(f"{what} {name} is unknown", nearest(name, choices))
        return name


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping and its value, each with its place."""

    key: Node
    value: Node = field(repr=False)


def nearest(name: str, known: Collection[str]) -> str | None:
    """The known name that *name* was perhaps meant to be."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def read_yaml(path: Path | str) -> Node:
    """Read a YAML file into nodes.

    Raises:
        SpecError: the file cannot be read, is no YAML, repeats a key, or contains itself.
    """
    # Imported here because the parser costs some 30 ms that `import fsm_smtp` must not pay.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.reader import ReaderError

    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        what = f"the file cannot be read: {error.strerror}"
        raise SpecError(path, 1, 1, what) from error
    except UnicodeDecodeError as error:
        raise SpecError(path, 1, 1, "the file cannot be read: it is not UTF-8") from error
    yaml: Any = YAML(typ="safe", pure=True)
    # YAML 1.2 lets an anchor be used anew, where the parser would warn on stderr.
    yaml.composer.warn_double_anchors = False
    details: Any
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        details = error
        mark = details.problem_mark or details.context_mark
        said = [str(part) for part in (details.context, details.problem) if part]
        problem = " ".join(", ".join(said).split()) or "this is no YAML"
        raise SpecError(path, mark.line + 1, mark.column + 1, problem) from error
    except ReaderError as error:
        details = error
        before = text[: int(details.position)]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        what = f"the character U+{ord(text[len(before)]):04X} may not stand in YAML"
        raise SpecError(path, line, column, what) from error
    except (OverflowError, ValueError) as error:  # "\UFFFFFFFF": the parser hands it to chr()
        raise SpecError(path, 1, 1, "an escape sequence names no character") from error
    except RecursionError as error:
        raise SpecError(path, 1, 1, "the file is nested too deeply") from error
    if root is None:
        raise SpecError(path, 1, 1, "the file is empty")
    return _convert(root, str(path), ())


def _convert(node: Any, path: str, around: tuple[Any, ...]) -> Node:
    """A node of the YAML library as one of ours; *node* has no useful type there.

    *around* holds the collections it stands in: an alias may name one of them.
    """
    here = Node(path, node.start_mark.line + 1, node.start_mark.column + 1)
    if any(node is one for one in around):
        raise here.error("an alias stands inside what it names")
    inside = (*around, node)
    if node.id == "mapping":
        entries: dict[str, Entry] = {}
        for key_node, value_node in node.value:
            key = _convert(key_node, path, inside)
            name = key.name("a key")
            if name in entries:
                raise key.error(f"the key {name} stands twice")
            entries[name] = Entry(key, _convert(value_node, path, inside))
        return replace(here, entries=entries)
    if node.id == "sequence":
        return replace(here, items=tuple(_convert(item, path, inside) for item in node.value))
    kind, text = str(node.tag).rpartition(":")[2], str(node.value)
    try:
        return replace(here, scalar=_scalar(kind, text))
    except ValueError as error:
        raise here.error(f"{text} is no number") from error


def _scalar(kind: str, text: str) -> Scalar:
    """The value of a plain scalar (YAML 1.2.2 §10.3.2; `yes` and `on` only under %YAML 1.1)."""
    if kind == "int":
        # 0x and 0o are prefixes; any other leading zero means nothing.
        return int(text, 0) if text.lstrip("+-").startswith(("0x", "0o", "0b")) else int(text)
    if kind == "float":
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    if kind == "bool":
        return text.lower() in ("true", "yes", "on")
    return None if kind == "null" else text
