"""Single changes of the table: all of them are made, and each comes to a known end."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from fsm_smtp.cli import run
from fsm_smtp.mutate import Mutant, Outcome, Score, all_mutants, run_campaign, sample
from fsm_smtp.mutate.campaign import Examiner, Trial
from fsm_smtp.mutate.equivalence import Steps, difference
from fsm_smtp.table import Table, load_table

OPERATORS = {"drop", "dest", "guard", "effect", "source", "class", "verdict"}


@pytest.fixture(scope="module")
def table() -> Table:
    return load_table()


@pytest.fixture(scope="module")
def examiner(table: Table) -> Examiner:
    return Examiner(table)


@pytest.fixture(scope="module")
def mutants(table: Table) -> dict[str, Mutant]:
    return {mutant.name: mutant for mutant in all_mutants(table)}


def test_every_row_is_changed_in_every_way(table: Table, mutants: dict[str, Mutant]) -> None:
    assert {mutant.operator for mutant in mutants.values()} == OPERATORS
    made = Counter((mutant.row, mutant.operator) for mutant in mutants.values())
    for row in table.rows:
        assert made[row.id, "drop"] == 1
        assert made[row.id, "dest"] >= len(table.states) - 1
        assert made[row.id, "source"] >= len(table.states) - len(row.sources)
        assert bool(made[row.id, "guard"]) == bool(row.when)
        assert bool(made[row.id, "effect"]) == bool(row.sets or row.forgets)


def test_a_mutant_is_one_change(table: Table, mutants: dict[str, Mutant]) -> None:
    assert len(mutants) == sum(1 for _ in all_mutants(table))  # the names are unique
    for mutant in mutants.values():
        changed = set(mutant.rows) ^ set(table.rows)
        ids = {row.id for row in changed}
        assert mutant.row in ids
        assert len(ids) <= (2 if "moves to" in mutant.name else 1)


@pytest.mark.parametrize(
    "name",
    [
        "rcpt: dropped",
        "dot-accepted: leads to SMTP_CONNECTED",
        "data: no guard on transaction",
        "starttls: guard offer_starttls: no",
        "tls-up: offer_auth not forgotten",
        "mail: awaiting not set",
        "auth: from SMTP_MAIL too",
        "data-opened: reply_354 moves to data-refused",
        "unsolicited: no violation",
        "greeting: a violation",
    ],
)
def test_a_change_that_matters_is_noticed(
    examiner: Examiner, mutants: dict[str, Mutant], name: str
) -> None:
    trial = examiner.trial(mutants[name])
    if name == "tls-up: offer_auth not forgotten":  # only EHLO makes offers count, and clears them
        assert trial.outcome is Outcome.EQUIVALENT
    else:
        assert (trial.outcome, bool(trial.killed_by)) == (Outcome.KILLED, True)


def test_what_the_loader_refuses_is_set_apart(
    examiner: Examiner, mutants: dict[str, Mutant]
) -> None:
    refused = examiner.trial(mutants["auth-challenge: no guard on challenge"])
    assert refused.outcome is Outcome.REFUSED


def test_a_table_cannot_be_told_from_itself(table: Table) -> None:
    assert difference(Steps(table), Steps(replace(table))) is None


@pytest.mark.parametrize(
    ("name", "run_", "what"),
    [
        ("connect: dropped", (), "SMTP_NONE lacks connect"),
        ("greeting: leads to SMTP_QUIT", ("connect", "reply_220"), "SMTP_QUIT, not SMTP_BANNER"),
        ("greeting-wrong: no violation", ("connect",), " is legal, not the server's violation"),
        ("rcpt: not from SMTP_MAIL", None, "SMTP_MAIL lacks send_rcpt"),
        ("mail: from SMTP_MAIL too", None, "SMTP_MAIL also has send_mail"),
    ],
)
def test_what_differs_is_shown_by_a_shortest_run(
    table: Table, mutants: dict[str, Mutant], name: str, run_: tuple[str, ...] | None, what: str
) -> None:
    found = difference(Steps(table), Steps(mutants[name].table(table)))
    assert found is not None
    assert what in found.what
    assert run_ in (None, found.run)


def test_a_sample_is_the_same_every_time_and_touches_every_row(table: Table) -> None:
    one, again, other = (sample(table, 120, seed) for seed in (1, 1, 2))
    assert [m.name for m in one] == [m.name for m in again] != [m.name for m in other]
    assert len(one) == 120
    assert {mutant.row for mutant in one} == {row.id for row in table.rows}
    assert len(sample(table, 10**6, 1)) == sum(1 for _ in all_mutants(table))
    assert len({mutant.row for mutant in sample(table, 7, 1)}) == 7


def test_no_mutant_of_a_sample_survives(table: Table) -> None:
    heard: list[Trial] = []
    score = run_campaign(table, sample(table, 30, 5), jobs=2, on_trial=heard.append)
    assert list(score.trials) == heard
    assert score.survivors == ()
    assert score.percent == 100.0
    assert score.count(Outcome.KILLED) > 10


def test_a_survivor_is_reported(
    table: Table,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Without its properties the table is examined by nobody."""
    bare = replace(table, properties=(), flags={})
    monkeypatch.setattr("fsm_smtp.cli.mutate.chosen_table", lambda *_: bare)
    file = tmp_path / "score.json"
    assert run(["mutate", "--sample", "6", "--seed", "3", "--jobs", "2", "--json", str(file)]) == 1
    report = json.loads(file.read_text())
    assert report["survivors"]
    assert report["score_percent"] < 100
    shown = capsys.readouterr().out
    assert f"survived: {report['survivors'][0]['name']}" in shown
    assert report["outcomes"]["survived"] == len(report["survivors"])


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["mutate", "--sample", "3", "--json", "-", "--overlay", "require_tls"]) == 0
    assert json.loads(capsys.readouterr().out)["score_percent"] == 100.0


def test_a_score_of_nothing() -> None:
    assert Score(()).percent == 100.0
