"""Names that no language would take as they are, and rows that do all that a row can do."""

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fsm_smtp.errors import SpecError
from fsm_smtp.export import to_promela, to_scxml, to_tla
from fsm_smtp.export.names import Names
from fsm_smtp.export.promela import MOST_VALUES
from fsm_smtp.table import load_table
from fsm_smtp.table.model import Row, State, Table, Trigger, Variable
from fsm_smtp.verify.explore import explore
from tests.export.spin import Pan


def _table(
    states: list[str], variables: Mapping[str, list[str]], triggers: list[str], rows: list[Row]
) -> Table:
    return Table(
        name="timeout",
        path="none.yaml",
        rfcs={"5321": "Simple Mail Transfer Protocol"},
        states={name: State(name, n, "*/ a \\ state /*") for n, name in enumerate(states)},
        variables={
            name: Variable(name, dict.fromkeys(values, "a value"))
            for name, values in variables.items()
        },
        triggers={name: Trigger(name, "client", 'it\'s "so"', "5321 §1") for name in triggers},
        rows=tuple(rows),
        goals=(),
        always=(),
        replies={},
    )


def _row(
    name: str,
    on: str,
    sources: list[str],
    dest: str,
    forgets: tuple[str, ...] = (),
    sets: tuple[tuple[str, str], ...] = (),
) -> Row:
    about = "-- odd */ --"
    return Row(name, about, (on,), tuple(sources), (), dest, forgets, sets, "5321 §1")


def _odd() -> Table:
    """Words of every language, one name for several things, and a row that swaps."""
    states = ["do", "a b", "1"]
    return _table(
        states,
        {"state": ["else", *states], "int": ["true", "2yz", "2-yz"], "_pid": ["no", "yes"]},
        ["timeout", "state", "do", "W"],
        [
            _row("od", "timeout", states, "a b", sets=(("state", "$source"), ("int", "2yz"))),
            # goes where the variable says, and keeps in it where it came from
            _row("fi", "state", ["a b"], "$state", sets=(("state", "$source"), ("_pid", "yes"))),
            _row("a-b", "do", ["do", "1"], "1", forgets=("int", "_pid")),
            _row(
                "a_b", "W", ["1"], "do", forgets=("state", "int", "_pid"), sets=(("int", "2-yz"),)
            ),
        ],
    )


def test_spin_takes_odd_names_and_rows(tmp_path: Path) -> None:
    table = _odd()
    graph = explore(table)
    found = Pan(to_promela(table), tmp_path, safety=True).search()
    assert found.stored == len(graph.places)
    assert found.transitions == graph.edge_count + 1


def test_the_others_take_them_too() -> None:
    text = to_scxml(_odd())
    root = ElementTree.fromstring(text)
    identifiers = [node.attrib["id"] for node in root.iter() if "id" in node.attrib]
    assert len(set(identifiers)) == len(identifiers)
    assert all(name.isidentifier() for name in identifiers)
    lines = to_tla(_odd()).splitlines()
    defined = [line.split()[0] for line in lines if " ==" in line and not line.startswith(" ")]
    assert len(set(defined)) == len(defined)


def test_names_are_distinct_and_stay() -> None:
    names = Names({"do"})
    given = [
        names.give("state", "do"),
        names.give("row", "do"),
        names.give("row", "a-b"),
        names.give("row", "a_b"),
        names.give("row", "4yz"),
        names.give("row", ""),
    ]
    assert given == ["do_", "do__", "a_b", "a_b_", "n4yz", "n"]
    assert names.of("row", "a_b") == "a_b_"
    with pytest.raises(ValueError, match="already"):
        names.give("row", "a_b")


def test_a_table_that_promela_has_no_room_for_is_refused() -> None:
    values = [str(number) for number in range(MOST_VALUES)]
    table = _table(["A"], {"v": values}, ["go"], [_row("r", "go", ["A"], "same")])
    with pytest.raises(SpecError, match="room for 254 states and values"):
        to_promela(table)
    assert load_table().name in to_promela(load_table())
