"""YAML as a tree of nodes that know where they stand, for errors with line and column.

Duplicate keys are refused and ``no``/``on`` stay strings (YAML 1.2). Used for the table, its
overlays and the conformance suites; knows nothing of what is in them.
"""

import contextlib
import difflib
import re
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

    def flag(self, what: str) -> bool:
        """The truth value, when this is one."""
        if not isinstance(self.scalar, bool):
            raise self.error(f"{what} must be true or false")
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


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a file that begins and ends between keys of its root: text that is read on demand.

    Attributes:
        path: the file.
        above: how many lines of the file stand before it.
        text: its lines.
        key: its first key; empty when the block is the file as a whole.
    """

    path: str
    above: int
    text: str = field(repr=False)
    key: str = ""

    def read(self) -> Node:
        """Its node.

        Raises:
            SpecError: it is no YAML, repeats a key, or contains itself.
        """
        root = _composed(self)
        if root is None:
            raise SpecError(self.path, 1, 1, "the file is empty")
        return _convert(root, self, ())

    def value(self, name: str) -> Node:
        """What stands under the key *name*; raises as `read` does."""
        return self.read().mapping("the file")[name].value


def read_yaml(path: Path | str) -> Node:
    """Read a YAML file into nodes.

    Raises:
        SpecError: the file cannot be read, is no YAML, repeats a key, or contains itself.
    """
    return _rest(Block(str(path), 0, _text(path)), None)[0]


def read_yaml_without(path: Path | str, name: str) -> tuple[Node, Block | None]:
    """Read a YAML file without what stands under the key *name* of its root.

    Returns:
        The rest, and the block that has the key, not yet read; ``None`` if the file has no such
        key.

    Raises:
        SpecError: as `read_yaml`, of the rest.
    """
    return _rest(Block(str(path), 0, _text(path)), name)


def _rest(whole: Block, name: str | None) -> tuple[Node, Block | None]:
    parts = _parts(whole)
    left = next((part for part in parts if part.key == name), None)
    read = [part for part in parts if part is not left]
    if read:
        # A cut that went through a quotation makes a mistake: then the whole decides.
        with contextlib.suppress(SpecError):
            return _joined(read), left
    root = whole.read()
    if root.entries is None or name not in root.entries:
        return root, None
    rest = {key: entry for key, entry in root.entries.items() if key != name}
    return replace(root, entries=rest), whole


#: A line that begins with a key of the root.
_KEY = re.compile(r"([A-Za-z_][\w-]*):(?:\s|\Z)")
#: What can tie one part of a file to another, or make lines where we count none.
_TIES = re.compile(r"[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]|(?:^|[\s,\[{])[&*][^\s&*]", re.MULTILINE)


def _text(path: Path | str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        what = f"the file cannot be read: {error.strerror}"
        raise SpecError(path, 1, 1, what) from error
    except UnicodeDecodeError as error:
        raise SpecError(path, 1, 1, "the file cannot be read: it is not UTF-8") from error


def _parts(whole: Block) -> list[Block]:
    """One block for each key of the root; none where it is not so simple."""
    lines = whole.text.splitlines(keepends=True)
    starts: list[tuple[int, str]] = []
    for number, line in enumerate(lines):
        if key := _KEY.match(line):
            starts.append((number, key[1]))
        elif line[0] not in " #\n" or (not starts and line.strip()[:1] not in ("", "#")):
            return []
    if len({name for _, name in starts}) < len(starts) or _TIES.search(whole.text):
        return []
    ends = [number for number, _ in [*starts, (len(lines), "")][1:]]
    return [
        Block(whole.path, start, "".join(lines[start:end]), name)
        for (start, name), end in zip(starts, ends, strict=True)
    ]


def _joined(parts: list[Block]) -> Node:
    """The root whose keys the parts have."""
    roots = [part.read() for part in parts]
    entries = {name: entry for root in roots for name, entry in root.mapping("the file").items()}
    return replace(roots[0], entries=entries)


def _composed(block: Block) -> Any:
    """The library's node of a block, its errors as ours."""
    # Imported here because the parser costs some 30 ms that `import fsm_smtp` must not pay.
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.reader import ReaderError

    path, above, text = block.path, block.above, block.text
    details: Any
    try:
        return compose(text)
    except MarkedYAMLError as error:
        details = error
        mark = details.problem_mark or details.context_mark
        said = [str(part) for part in (details.context, details.problem) if part]
        problem = " ".join(", ".join(said).split()) or "this is no YAML"
        raise SpecError(path, above + mark.line + 1, mark.column + 1, problem) from error
    except ReaderError as error:
        details = error
        before = text[: int(details.position)]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        what = f"the character U+{ord(text[len(before)]):04X} may not stand in YAML"
        raise SpecError(path, above + line, column, what) from error
    except (OverflowError, ValueError) as error:  # "\UFFFFFFFF": the parser hands it to chr()
        raise SpecError(path, above + 1, 1, "an escape sequence names no character") from error
    except RecursionError as error:
        raise SpecError(path, above + 1, 1, "the file is nested too deeply") from error


def compose(text: str) -> Any:
    """The YAML library's node of *text*, which is all that reading costs."""
    from ruamel.yaml import YAML

    yaml: Any = YAML(typ="safe", pure=True)
    # YAML 1.2 lets an anchor be used anew, where the parser would warn on stderr.
    yaml.composer.warn_double_anchors = False
    return yaml.compose(text)


def _convert(node: Any, block: Block, around: tuple[Any, ...]) -> Node:
    """A node of the YAML library as one of ours; *node* has no useful type there.

    *around* holds the collections it stands in: an alias may name one of them.
    """
    mark = node.start_mark
    path, line, column = block.path, block.above + mark.line + 1, mark.column + 1
    if any(node is one for one in around):
        raise SpecError(path, line, column, "an alias stands inside what it names")
    inside = (*around, node)
    if node.id == "mapping":
        entries: dict[str, Entry] = {}
        for key_node, value_node in node.value:
            key = _convert(key_node, block, inside)
            name = key.name("a key")
            if name in entries:
                raise key.error(f"the key {name} stands twice")
            entries[name] = Entry(key, _convert(value_node, block, inside))
        return Node(path, line, column, entries=entries)
    if node.id == "sequence":
        items = tuple(_convert(item, block, inside) for item in node.value)
        return Node(path, line, column, items=items)
    kind, text = str(node.tag).rpartition(":")[2], str(node.value)
    try:
        return Node(path, line, column, _scalar(kind, text))
    except ValueError as error:
        raise SpecError(path, line, column, f"{text} is no number") from error


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
