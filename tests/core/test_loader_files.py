"""Files that are no table at all, and tables damaged by chance: always a SpecError."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsm_smtp.errors import SpecError
from fsm_smtp.table import Table, load_table
from fsm_smtp.yaml_source import Block, Node, read_yaml, read_yaml_without
from tests.core.broken import SPECS, Edit, assert_error, edited, place
from tests.core.small_table import SMALL


def written(folder: Path, text: str) -> Path:
    """A file with this text."""
    file = folder / "table.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def refused(file: Path) -> SpecError:
    """The error that loading gives."""
    with pytest.raises(SpecError) as caught:
        load_table(file)
    return caught.value


def loaded(file: Path) -> Table | SpecError:
    """What loading comes to. Any other error passes through, and fails the test."""
    try:
        return load_table(file)
    except SpecError as error:
        return error


def test_the_small_table_is_sound(tmp_path: Path) -> None:
    table = load_table(written(tmp_path, SMALL))
    assert list(table.states) == ["SMTP_NONE", "SMTP_BANNER"]
    assert table.client_triggers() == ("connect", "close")
    assert table.triggers["close"].replies is None


def test_missing_file(tmp_path: Path) -> None:
    file = tmp_path / "nowhere.yaml"
    what = "the file cannot be read: No such file or directory"
    assert_error(refused(file), file, (1, 1), what)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert_error(refused(tmp_path), tmp_path, (1, 1), "the file cannot be read: Is a directory")


def test_not_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "table.yaml"
    file.write_bytes(SMALL.encode("utf-16"))
    assert_error(refused(file), file, (1, 1), "the file cannot be read: it is not UTF-8")


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n"])
def test_empty(text: str, tmp_path: Path) -> None:
    file = written(tmp_path, text)
    assert_error(refused(file), file, (1, 1), "the file is empty")


@pytest.mark.parametrize(
    ("text", "at", "what"),
    [
        ("- 1\n", (1, 1), "a table must be a mapping"),
        ("a word\n", (1, 1), "a table must be a mapping"),
        (
            "a: [1\n",
            (2, 1),
            "while parsing a flow sequence, expected ',' or ']', but got '<stream end>'",
        ),
        ("a: 1\n b: 2\n", (2, 3), "mapping values are not allowed here"),
        ("a: *nobody\n", (1, 4), "found undefined alias 'nobody'"),
        (
            "a: 1\n---\nb: 2\n",
            (2, 1),
            "expected a single document in the stream, but found another document",
        ),
        ("a: &x [*x]\n", (1, 4), "an alias stands inside what it names"),
        ("a: b\n\x07c: d\n", (2, 1), "the character U+0007 may not stand in YAML"),
        ('a: "\\Uffffffff"\n', (1, 1), "an escape sequence names no character"),
        ("[" * 500, (1, 1), "the file is nested too deeply"),
        ("? [a]\n: b\n", (1, 3), "a key must be a name"),
        ("~: b\n", (1, 1), "a key must be a name"),
        ("a: !!int b\n", (1, 4), "b is no number"),
        ("a: !!float b\n", (1, 4), "b is no number"),
    ],
)
def test_no_yaml(text: str, at: tuple[int, int], what: str, tmp_path: Path) -> None:
    file = written(tmp_path, text)
    assert_error(refused(file), file, at, what)


def test_scalars_are_those_of_yaml_1_2(tmp_path: Path) -> None:
    text = "[no, on, 010, 0o17, 0x1F, -1_0, .inf, -.INF, 1.5, true, False, ~, 2001-01-01]"
    items = read_yaml(written(tmp_path, text)).sequence("the scalars")
    assert [item.scalar for item in items] == [
        *("no", "on", 10, 15, 31, -10, float("inf"), float("-inf"), 1.5),
        *(True, False, None, "2001-01-01"),
    ]


def test_a_file_that_asks_for_yaml_1_1_gets_its_truths(tmp_path: Path) -> None:
    items = read_yaml(written(tmp_path, "%YAML 1.1\n---\n[yes, on, no]")).sequence("the scalars")
    assert [item.scalar for item in items] == [True, True, False]


def test_anchors_may_be_used_and_used_anew(tmp_path: Path) -> None:
    entries = read_yaml(written(tmp_path, "a: &x 1\nb: *x\nc: &x 2\nd: *x\n")).mapping("the file")
    assert [entry.value.scalar for entry in entries.values()] == [1, 1, 2, 2]


def test_a_state_that_is_no_rows_source(tmp_path: Path) -> None:
    # The shipped table has rows for every state there is, so that only a small one can show it.
    edit = Edit(
        "variables:\n  link:",
        "  ▶SMTP_QUIT: {value: 10, means: nobody leaves}\nvariables:\n  link:",
    )
    file = written(tmp_path, edited(SMALL, edit))
    what = "no row has SMTP_QUIT among its sources"
    assert_error(refused(file), file, place(SMALL, edit), what)


DAMAGE = st.one_of(st.just(""), st.sampled_from("\n\t :,-[]{}&*!|>'\"%@`#?_09a§$~\x00\ufeff"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), DAMAGE), min_size=1, max_size=3))
def test_a_damaged_table_is_loaded_or_refused(
    tmp_path_factory: pytest.TempPathFactory, damages: list[tuple[int, str]]
) -> None:
    text = SMALL
    for at, character in damages:
        text = text[:at] + character + text[at + 1 :]
    file = written(tmp_path_factory.getbasetemp(), text)
    found = loaded(file)
    if isinstance(found, SpecError):
        assert found.path == str(file)
        assert 1 <= found.line <= len(text.splitlines()) + 1
        assert found.column >= 1
        assert found.what
    else:
        assert found.rows


@pytest.mark.parametrize("file", sorted(SPECS.rglob("*.yaml")), ids=lambda file: file.stem)
def test_a_file_read_in_parts_is_the_file_read_at_once(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert read_yaml(file) == Block(str(file), 0, text).read()


def test_the_shipped_table_is_read_in_parts() -> None:
    root, block = read_yaml_without(SPECS / "transitions.yaml", "server")
    assert block is not None
    assert block.text.startswith("server:")
    assert block.above > 1000
    assert "server" not in root.mapping("the file")


#: Lines that may or may not be cut apart.
LINES = [
    *("a: 1\n", "b:\n", "c: [1,\n", " 2]\n", "2]\n", "- x\n", "  - y\n", "# c\n", "\n"),
    *("---\n", "...\n", "%YAML 1.1\n", "d: &x 1\n", "e: *x\n", "f: |\n", "  z\n", " g: 1\n"),
    *("a: 2\n", 'h: "\n', "i: '\n", '"\n', "'\n", "? k\n", ": v\n", "j: {k: 1,\n", "}\n"),
    *("\t\n", "l: m\x85n: o\n", '"": 1\n', "server: 1\n"),
]


@given(st.lists(st.sampled_from(LINES)).map("".join))
def test_parts_and_the_whole_are_the_same(text: str) -> None:
    """The same nodes, or the same mistake."""
    with tempfile.TemporaryDirectory() as folder:
        file = written(Path(folder), text)
        whole = Block(str(file), 0, text)
        assert outcome(lambda: read_yaml(file)) == outcome(whole.read)
        try:
            rest, block = read_yaml_without(file, "server")
        except SpecError:
            return
        assert "server" not in (rest.entries or {})
        if block is not None and isinstance(read := outcome(whole.read), Node):
            entries = {**(rest.entries or {}), "server": block.value("server")}
            assert entries.keys() == read.mapping("the file").keys()
            assert block.value("server") == read.mapping("the file")["server"].value


def outcome(read: Callable[[], Node]) -> Node | str:
    """The nodes, or the mistake."""
    try:
        return read()
    except SpecError as error:
        return str(error)
