"""The checker and a slow, plain second reading agree: on the verdicts and on every shortest run."""

from pathlib import Path

import pytest

from fsm_smtp.table import Table, load_table
from fsm_smtp.verify import verify
from tests.verify.reference import first_failures
from tests.verify.tables import edited, shipped

#: Policies leave the fewest configurations, and the second reading is slow.
POLICIES = ("auth_wanted", "require_tls")


def _found(table: Table) -> dict[str, int | None]:
    properties = {one.id for one in table.properties if one.pattern != "response"}
    return {
        check.id: len(check.counterexample) if not check.vacuous and check.counterexample else None
        for check in verify(table).checks
        if not check.passed and check.id in properties
    }


def test_both_find_that_a_shipped_table_holds() -> None:
    table = shipped(*POLICIES)
    assert _found(table) == first_failures(table) == {}


@pytest.mark.parametrize(
    "edits",
    [
        [
            (
                "{id: unsolicited, on: [success, intermediate, refusal],",
                "{id: unsolicited, on: [success, intermediate],",
            )
        ],
        [
            (
                "on: refusal, dest: $return_to, forget: [flight, challenge],",
                "on: refusal, dest: same, forget: [flight, challenge],",
            )
        ],
    ],
    ids=["unasked", "auth-refused"],
)
def test_both_find_the_same_shortest_runs(edits: list[tuple[str, str]], tmp_path: Path) -> None:
    table = load_table(edited(tmp_path, *edits), overlays=POLICIES)
    found = _found(table)
    assert found
    assert found == first_failures(table)
