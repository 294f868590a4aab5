"""The JSON document: complete, so that the table and its moves can be rebuilt from it alone."""

import json
from itertools import combinations
from typing import Any

import pytest

from fsm_smtp.export import to_json
from fsm_smtp.specs import spec_path
from fsm_smtp.table import load_table

OVERLAYS = sorted(file.stem for file in spec_path("overlays").glob("*.yaml"))


def _moves(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The moves, worked out from the rows and variables of the document alone."""
    states = list(document["states"])
    start = {
        name: next(iter(variable["values"])) for name, variable in document["variables"].items()
    }
    moves: list[dict[str, Any]] = []
    for row in document["rows"]:
        for source in row["sources"]:
            for trigger in row["triggers"]:
                effect = {name: start[name] for name in row["forgets"]}
                for name, value in row["sets"].items():
                    effect[name] = source if value == "$source" else value
                ways = [(row["when"], source if row["dest"] == "same" else row["dest"])]
                if row["dest"].startswith("$"):
                    name = row["dest"][1:]
                    held = row["when"].get(name, list(document["variables"][name]["values"]))
                    ways = [({**row["when"], name: [v]}, v) for v in held if v in states]
                for when, dest in ways:
                    moves.append(
                        {
                            "row": row["id"],
                            "trigger": trigger,
                            "source": source,
                            "when": when,
                            "dest": dest,
                            "effect": effect,
                        }
                    )
    return moves


@pytest.mark.parametrize(
    "overlays",
    [(), *combinations(OVERLAYS, 1), tuple(name for name in OVERLAYS if name != "lmtp")],
    ids="+".join,
)
def test_the_rows_of_the_document_give_the_moves_of_the_table(overlays: tuple[str, ...]) -> None:
    table = load_table(overlays=overlays)
    document = json.loads(to_json(table))
    expected = [
        {
            "row": move.row.id,
            "trigger": move.trigger,
            "source": move.source,
            "when": {name: list(values) for name, values in move.when},
            "dest": move.dest,
            "effect": dict(move.effect),
        }
        for move in table.moves
    ]
    assert document["moves"] == expected
    assert _moves(document) == expected
    assert document["overlays"] == list(overlays)


def test_nothing_of_the_table_is_missing() -> None:
    table = load_table(overlays=["require_tls"])
    document = json.loads(to_json(table))
    assert document["format"] == "fsm-smtp table"
    assert document["schema"] == 1
    assert document["rfcs"] == dict(table.rfcs)
    assert {name: s["value"] for name, s in document["states"].items()} == {
        name: state.value for name, state in table.states.items()
    }
    for name, variable in table.variables.items():
        assert document["variables"][name]["values"] == dict(variable.values)
    for name, trigger in table.triggers.items():
        written = document["triggers"][name]
        assert (written["by"], written["means"], written["rfc"], written["wait"]) == (
            trigger.by,
            trigger.means,
            trigger.rfc,
            trigger.wait,
        )
        assert tuple(written["codes"]) == trigger.codes
    for row, written in zip(table.rows, document["rows"], strict=True):
        assert (written["id"], written["about"], written["rfc"]) == (row.id, row.about, row.rfc)
        assert (written["violation"], written["note"]) == (row.violation, row.note)
    mail = next(row for row in document["rows"] if row["id"] == "mail")
    assert mail["restrictions"] == [
        {"rows": ["auth", "mail", "mail-binary"], "when": {"tls": ["yes"]}, "rfc": "3207 §6"}
    ]
    assert len(document["goals"]) == len(table.goals)
    assert len(document["always"]) == len(table.always)
    assert [one["id"] for one in document["properties"]] == [one.id for one in table.properties]
    assert list(document["flags"]) == list(table.flags)
    assert set(document["replies"]) == set(table.replies)


def test_no_path_of_this_machine_is_in_it() -> None:
    assert str(spec_path("transitions.yaml").parent) not in to_json(load_table())
