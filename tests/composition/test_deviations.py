"""Mistakes in a file of deviations have their place, as in the table."""

from pathlib import Path

import pytest

from fsm_smtp.composition import load_deviations
from fsm_smtp.errors import SpecError
from fsm_smtp.table import load_table

GOOD = "{id: one, says: it does, rfc: 5321 §3.3, answers: [{on: rset, codes: 502}]}"


def load(tmp_path: Path, *entries: str, schema: int = 1) -> object:
    file = tmp_path / "deviations.yaml"
    lines = [f"schema: {schema}", "deviations:", *(f"  - {entry}" for entry in entries)]
    file.write_text("\n".join(lines), "utf-8")
    return load_deviations(load_table(), file)


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD) == {
        "one": load_deviations(load_table(), tmp_path / "deviations.yaml")["one"]
    }


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        (GOOD.replace("rset", "rest"), "did you mean rset"),
        (GOOD.replace("5321 §3.3", "9999 §1"), "9999"),
        (GOOD.replace("codes: 502", "codes: no"), "codes must be a whole number"),
        (
            GOOD.replace("codes: 502", "codes: 502, when: {state: none}"),
            "variable state is unknown",
        ),
        (
            GOOD.replace("codes: 502", "codes: 250, then: {transaction: nun}"),
            "value nun is unknown",
        ),
        ("{id: one, says: it does, rfc: 5321 §3.3}", "needs answers, or behind_content"),
        ("{id: one, says: x, rfc: 2920 §3.2, behind_content: refusd}", "did you mean refused"),
    ],
)
def test_a_mistake_has_its_place(entry: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=what) as caught:
        load(tmp_path, entry)
    assert caught.value.line == 3


def test_an_id_stands_once_and_the_schema_is_known(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="stands twice"):
        load(tmp_path, GOOD, GOOD)
    with pytest.raises(SpecError, match="schema"):
        load(tmp_path, GOOD, schema=2)
