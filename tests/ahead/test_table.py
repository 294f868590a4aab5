"""The rows of running ahead: what the loader refuses, and what the verifier asks of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from fsm_smtp.errors import SpecError
from fsm_smtp.machine import shared_machine
from fsm_smtp.table import Table, load_table
from fsm_smtp.verify.ahead import check_ahead
from fsm_smtp.verify.explore import explore
from tests.core.small_table import SMALL

LATE = "  late: {by: ahead, means: a command takes its turn, rfc: 5321 §4.2}\n"
OTHER = "  other: {by: server, means: another reply, digit: 3, rfc: 5321 §4.2}\n"
ROW = "      - {id: late, on: late, ahead: true, dest: same, rfc: 5321 §4.2}\n"


def table(folder: Path, rows: str, triggers: str = LATE + OTHER) -> Table:
    """The small table with these rows in SMTP_BANNER."""
    text = SMALL.replace("sets:\n", f"{triggers}sets:\n", 1).replace("goals:\n", f"{rows}goals:\n")
    file = folder / "small.yaml"
    file.write_text(text, "utf-8")
    return load_table(file)


def broken(small: Table) -> dict[str, str]:
    """Id and problem of the checks that fail."""
    checks = check_ahead(small, explore(small))
    return {check.id: str(check.problem) for check in checks if not check.holds}


def test_rows_of_running_ahead_stand_apart(tmp_path: Path) -> None:
    small = table(tmp_path, ROW)
    assert "late" not in small.triggers
    assert [row.id for row in small.ahead_rows] == ["late"]
    assert "late" in small.whole.triggers
    assert broken(small) == {}


def test_a_row_that_lock_step_reaches(tmp_path: Path) -> None:
    small = table(tmp_path, ROW.replace("on: late", "on: [late, other]"))
    found = broken(small)
    assert list(found) == ["ahead-dead"]
    assert "row late" in found["ahead-dead"]
    assert "on other" in found["ahead-dead"]


def test_a_row_that_never_fires(tmp_path: Path) -> None:
    found = broken(table(tmp_path, ROW.replace("dest:", "when: {link: down}, dest:")))
    assert list(found) == ["ahead-fires"]
    assert "on late from SMTP_BANNER" in found["ahead-fires"]


def test_two_rows_at_once(tmp_path: Path) -> None:
    small = table(tmp_path, ROW)
    (row,) = small.ahead_rows
    twice = replace(small, ahead_rows=(row, replace(row, id="again", dest="SMTP_NONE")))
    found = broken(twice)
    assert "late in SMTP_BANNER" in found["ahead-determinism"]


def test_a_reply_that_nobody_judges(tmp_path: Path) -> None:
    found = broken(table(tmp_path, ROW.replace("dest: same", "dest: SMTP_NONE")))
    assert found == {"ahead-judged": "no row for reply in SMTP_NONE"}


@pytest.mark.parametrize(
    ("rows", "triggers", "what"),
    [
        (ROW.replace("ahead: true, ", ""), LATE, "fires only in a row that says ahead: true"),
        (ROW.replace("true", "perhaps"), LATE, "ahead must be true or false"),
        (ROW, LATE.replace("rfc", "digit: 2, rfc"), "no key of a trigger by ahead"),
        (
            "",
            f"{LATE}  go: {{by: client, means: go, doomed: lat, rfc: 5321 §4.2}}\n",
            "lat is unkn",
        ),
        ("", "  go: {by: client, means: go, behind: [og], rfc: 5321 §4.2}\n", "og is unknown"),
        ("", "  go: {by: client, means: go, awaits: go, rfc: 5321 §4.2}\n", "must be a sequence"),
        (
            "",
            "  go: {by: client, means: go, message: perhaps, rfc: 5321 §4.2}\n",
            "perhaps is unkn",
        ),
    ],
)
def test_what_the_loader_refuses(tmp_path: Path, rows: str, triggers: str, what: str) -> None:
    with pytest.raises(SpecError, match=what):
        table(tmp_path, rows, triggers)


def test_a_model_follows_its_own_machine_only(tmp_path: Path) -> None:
    machine, other = shared_machine(), shared_machine(("require_tls",))
    model = machine.new_model()
    machine.follow(model, machine.step(model.configuration, "connect").target)
    assert model.configuration["link"] == "up"
    with pytest.raises(ValueError, match="no configuration of this machine"):
        machine.follow(model, other.space.start)
    assert model.configuration["link"] == "up"
