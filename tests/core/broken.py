"""Builds a broken table from the shipped one: one edit, and the place that the error must name."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from fsm_smtp.errors import SpecError
from fsm_smtp.table import load_table

SPECS = Path(__file__).resolve().parents[2] / "specs"
#: Without what a server owes: the loader holds that against the client's rows, and would notice an
#: edit of them before the check that the edit is meant for.
TABLE = (SPECS / "transitions.yaml").read_text(encoding="utf-8").partition("\nserver:")[0] + "\n"

#: Marks, in what is put in, the character that the error must point at.
HERE = "▶"


@dataclass(frozen=True)
class Edit:
    """*old*, which stands once in the text, becomes *new*; the error points at `HERE` in it."""

    old: str
    new: str


def edited(text: str, *edits: Edit) -> str:
    """The text after the edits, without the mark."""
    return _marked(text, *edits).replace(HERE, "")


def place(text: str, *edits: Edit) -> tuple[int, int]:
    """Line and column of the mark, both from 1."""
    before, mark, _ = _marked(text, *edits).partition(HERE)
    assert mark, "no edit carries the mark"
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _marked(text: str, *edits: Edit) -> str:
    for edit in edits:
        assert text.count(edit.old) == 1, f"{edit.old!r} stands {text.count(edit.old)} times"
        text = text.replace(edit.old, edit.new)
    return text


@dataclass(frozen=True)
class Mistake:
    """A table with a mistake, and the error that it must give."""

    name: str
    edit: Edit
    what: str
    suggestion: str | None


def mistake(
    name: str, old: str, new: str, what: str, suggestion: str | None = None
) -> ParameterSet:
    """A case for `pytest.mark.parametrize`."""
    case = Mistake(name, Edit(old, new), what, suggestion)
    return pytest.param(case, id=name.replace(" ", "-"))


def assert_refused(case: Mistake, tmp_path: Path) -> None:
    """Loading the edited table raises the error, at the marked place."""
    file = tmp_path / "table.yaml"
    file.write_text(edited(TABLE, case.edit), encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load_table(file)
    assert_error(caught.value, file, place(TABLE, case.edit), case.what, case.suggestion)


def assert_error(
    error: SpecError, file: Path, at: tuple[int, int], what: str, suggestion: str | None = None
) -> None:
    """The error says exactly this of exactly this place."""
    found = (error.path, error.line, error.column, error.what, error.suggestion)
    assert found == (str(file), *at, what, suggestion)
    hint = f"; did you mean {suggestion}?" if suggestion else ""
    assert str(error) == f"{file}:{at[0]}:{at[1]}: {what}{hint}"
