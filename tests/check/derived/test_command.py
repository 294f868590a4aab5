"""``fsm-smtp check --model``: the derived tests beside the cases, in one report."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from fsm_smtp.check.derived import together
from fsm_smtp.cli.check import check
from fsm_smtp.errors import TargetUnreachable
from tests.check.strict_server import HOST, strict_server_in_thread

ONE_CASE = ("--only", "5321-4.1.1.9-*", "--timeout", "20", "--jobs", "8")


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(check, arguments)
    return result.exit_code, result.output


def test_the_guarantee_stands_on_the_terminal_and_in_the_report(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    with strict_server_in_thread() as port:
        code, said = run(f"{HOST}:{port}", *ONE_CASE, "--model", "--json", str(file))
    assert code == 0
    assert "a deterministic server of at most m = 6 states" in " ".join(said.split())
    document = json.loads(file.read_text())
    assert document["model"]["m"] == 6
    assert document["model"]["guarantee"].startswith("All ")
    assert not any(case["id"].startswith("model-") for case in document["cases"])


def test_a_disagreement_is_a_case_that_fails(tmp_path: Path) -> None:
    file, page = tmp_path / "report.json", tmp_path / "report.html"
    with strict_server_in_thread("RSET forgets nothing") as port:
        files = ("--json", str(file), "--html", str(page))
        code, said = run(f"{HOST}:{port}", *ONE_CASE, "--model", *files)
    assert code == 1
    document = json.loads(file.read_text())
    [case] = [one for one in document["cases"] if one["id"].startswith("model-")]
    assert case["id"] in said
    assert case["verdict"] == "fail"
    assert (case["rfc"], case["section"], case["level"]) == ("5321", "4.1.1.5", "MUST")
    assert case["transcript"]
    assert document["summary"]["fail"] == 1
    assert document["model"]["failed"] >= 1
    shown = page.read_text()
    assert document["model"]["guarantee"] in shown  # … and beside it the way to the sequence
    assert f'<li><a href="#{case["id"]}">' in shown
    assert f'id="{case["id"]}" data-verdict="fail"' in shown
    model = shown[shown.index('id="model"') : shown.index("</header>")]
    for point, answer in document["model"]["choices"].items():
        assert f'<th scope="row">{point}</th><td>{answer}' in model
    assert model.count('<th scope="col">') == 2 + 1 + document["model"]["n"]
    assert model.count('<td class="stays">') > document["model"]["inputs"]
    assert "<td>closed → " not in model  # what is closed stays closed


def test_a_server_that_goes_away_before_the_derived_tests_keeps_its_verdicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> None:
        raise TargetUnreachable("mx.example.test:25", "connection refused")

    monkeypatch.setattr(together, "first_look", gone)
    file = tmp_path / "report.json"
    with strict_server_in_thread() as port:
        code, said = run(f"{HOST}:{port}", *ONE_CASE, "--model", "--json", str(file))
    document = json.loads(file.read_text())
    assert code == 0
    assert document["summary"]["pass"] == len(document["cases"]) > 0
    assert document["notes"][-1] == "the derived tests could not be played: connection refused"
    assert "could not be played" in said


def test_without_it_nothing_is_derived(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    with strict_server_in_thread("RSET forgets nothing") as port:
        code, _ = run(f"{HOST}:{port}", *ONE_CASE, "--json", str(file))
    assert code == 0
    assert "model" not in json.loads(file.read_text())


@pytest.mark.parametrize(
    ("reset", "used", "said"),
    [
        ("connection", "connection", "Each sequence had a connection of its own."),
        ("rset", "rset", "is a proof for a server of at most m = 6 states."),
        ("auto", "connection", "RSET would save next to no time."),
    ],
)
def test_the_reports_say_how_the_server_was_reset(
    reset: str, used: str, said: str, tmp_path: Path
) -> None:
    file, page = tmp_path / "report.json", tmp_path / "report.html"
    files = ("--json", str(file), "--html", str(page))
    with strict_server_in_thread() as port:
        code, output = run(f"{HOST}:{port}", *ONE_CASE, "--model", "--reset", reset, *files)
    assert code == 0
    document = json.loads(file.read_text())["model"]["reset"]
    assert (document["asked"], document["used"]) == (reset, used)
    assert (document["behind_rset"] > 0) == (used == "rset")
    assert document["said"].endswith(said)
    assert document["said"] in " ".join(output.split())
    assert document["said"] in page.read_text()


def test_a_reset_of_nothing() -> None:
    code, said = run("--reset", "rset")
    assert code == 2
    assert "--reset says nothing without --model" in said


def test_extra_states_of_nothing() -> None:
    code, said = run("--extra-states", "1")
    assert code == 2
    assert "--extra-states says nothing without --model" in said
