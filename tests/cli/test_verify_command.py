"""``fsm-smtp verify``: verdicts, the shortest run, JSON, exit codes."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fsm_smtp.cli import BAD, FINE, UNUSABLE
from fsm_smtp.table import load_table
from fsm_smtp.verify import verify

Outcome = tuple[int, str, str]
Program = Callable[..., Outcome]
Changed = Callable[[str, str], Path]

TIMEOUT = "{id: timeout, on: timeout,"
WITHOUT_CANCELLED = "{id: timeout, on: timeout, when: {challenge: [none, pending]},"


def test_the_shipped_table_holds(program: Program) -> None:
    code, out, err = program("verify")
    assert (code, err) == (FINE, "")
    assert "FAILS" not in out
    assert "claims hold in smtp-client: " in out
    assert "configurations" in out.splitlines()[-1]


@pytest.mark.parametrize("overlay", ["no_auth_retry", "auth_wanted"])
def test_an_overlay_is_named(overlay: str, program: Program) -> None:
    code, out, _ = program("verify", "--overlay", overlay)
    assert code == FINE
    assert f"smtp-client + {overlay}: " in out


def test_a_failure_shows_the_shortest_run_with_states(
    program: Program, table_with: Changed
) -> None:
    code, out, err = program("verify", "--table", str(table_with(TIMEOUT, WITHOUT_CANCELLED)))
    assert (code, err) == (BAD, "")
    assert "FAILS  every-wait-ends" in out
    assert "no row for timeout in SMTP_AUTH" in out
    run = out[out.index("The shortest run:") :].splitlines()
    steps = [tuple(part for part in line.split("  ") if part.strip()) for line in run]
    shown = [(p[0].strip(), p[1].strip()) for p in steps if len(p) >= 2]
    assert shown[0] == ("(the start)", "SMTP_NONE")
    assert ("--- open the connection", "SMTP_NONE") in shown
    assert ("S: 220", "SMTP_BANNER") in shown
    assert ("C: EHLO …", "SMTP_EHLO") in shown
    assert ("S: 250-AUTH", "SMTP_EHLO") in shown
    assert ("C: AUTH …", "SMTP_AUTH") in shown
    total = len(verify(load_table()).checks)
    assert re.search(rf"^\d+ of {total} claims fail", out, re.MULTILINE)


def test_json_on_stdout_is_nothing_but_json(program: Program) -> None:
    code, out, _ = program("verify", "--json", "-", "--overlay", "require_tls")
    report = json.loads(out)
    assert code == FINE
    assert list(report) == [
        *("properties", "table", "overlays", "configurations", "edges", "duration_s"),
    ]
    assert report["overlays"] == ["require_tls"]
    assert report["configurations"] > 1000
    assert report["edges"] > report["configurations"]
    assert report["duration_s"] > 0
    keys = ["id", "pattern", "says", "rfc", "requirements", "holds", "vacuous", "problem"]
    for entry in report["properties"]:
        assert list(entry) == [*keys, "counterexample"]
        assert (entry["holds"], entry["problem"], entry["counterexample"]) == (True, None, None)


def test_json_in_a_file_beside_the_text(
    program: Program, table_with: Changed, tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    table = table_with(TIMEOUT, WITHOUT_CANCELLED)
    code, out, _ = program("verify", "--table", str(table), "--json", str(path))
    assert code == BAD
    assert "FAILS" in out
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["table"] == str(table)
    (failed,) = [entry for entry in report["properties"] if entry["id"] == "every-wait-ends"]
    assert not failed["holds"]
    first, *_, last = failed["counterexample"]
    assert first == {
        "line": "--- open the connection",
        "trigger": "connect",
        "row": "connect",
        "state": "SMTP_NONE",
        "violation": None,
    }
    assert (last["trigger"], last["state"]) == ("send_cancel", "SMTP_AUTH")


def test_a_violation_in_the_run_is_named(program: Program, table_with: Changed) -> None:
    close = "{id: close, on: close, when: {link: [closing, over]}"
    path = table_with(close, close.replace("[closing, over]", "closing"))
    code, out, _ = program("verify", "--table", str(path))
    assert code == BAD
    assert "the server's violation: " in out


def test_a_bad_table_is_unusable_with_its_place(program: Program, table_with: Changed) -> None:
    path = table_with("on: send_rcpt, dest: SMTP_RCPT", "on: send_rcpt, dest: SMTP_RCTP")
    code, out, err = program("verify", "--table", str(path))
    assert (code, out) == (UNUSABLE, "")
    assert err.startswith(f"fsm-smtp: {path}:")
    assert "dest SMTP_RCTP is no state; did you mean SMTP_RCPT?" in err


def test_it_fits_a_narrow_terminal(shell: Program) -> None:
    _, out, _ = shell("verify", COLUMNS="60")
    assert max(map(len, out.splitlines()[:-1])) <= 60
    assert all(line == line.rstrip() for line in out.splitlines())


def test_a_wide_terminal_has_a_column_for_the_sentence(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    lines = program("verify", "--overlay", "require_tls")[1].splitlines()
    assert lines[0].split() == ["claim", "pattern", "what", "it", "says", "RFC"]
    assert any("every-wait-ends" in line and "every wait may run out" in line for line in lines)
    assert max(map(len, lines)) <= 160


def test_junit(program: Program, table_with: Changed, tmp_path: Path) -> None:
    table, file = table_with(TIMEOUT, WITHOUT_CANCELLED), tmp_path / "junit.xml"
    assert program("verify", "--table", str(table), "--junit", str(file))[0] == BAD
    suite = ElementTree.parse(file).getroot()
    cases = suite.findall("testcase")
    failures = {case.get("name"): case.find("failure") for case in cases if len(case)}
    assert len(cases) == int(suite.get("tests", ""))
    assert len(failures) == int(suite.get("failures", ""))
    failure = failures["every-wait-ends"]
    assert failure is not None
    assert "no row for timeout in SMTP_AUTH" in failure.get("message", "")
    assert "C: AUTH …" in (failure.text or "")


def test_the_run_is_drawn_on_the_states(
    program: Program, table_with: Changed, tmp_path: Path
) -> None:
    table, file = table_with(TIMEOUT, WITHOUT_CANCELLED), tmp_path / "why.dot"
    assert program("verify", "--table", str(table), "--graph", str(file))[0] == BAD
    plain = tmp_path / "plain.dot"
    assert program("graph", "--table", str(table), "-o", str(plain))[0] == FINE
    drawn = file.read_text("utf-8")
    assert drawn.startswith("digraph")
    assert drawn != plain.read_text("utf-8")


def test_a_claim_that_says_nothing_fails(
    program: Program, table_with: Changed, tmp_path: Path
) -> None:
    table = table_with(
        "  - id: one-connection\n",
        "  - {id: idle, says: nothing, absence: {of: send_mail, while: [binary, not transaction]},"
        " rfc: 5321 §3.1}\n  - id: one-connection\n",
    )
    code, out, _ = program("verify", "--table", str(table), "--json", str(tmp_path / "r.json"))
    assert code == BAD
    assert "VACUOUS" in out
    assert "1 of " in out
    report = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert [entry["id"] for entry in report["properties"] if entry["vacuous"]] == ["idle"]


def test_ahead_composes_client_and_server(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    code, out, err = program("verify", "--ahead", "1", "--json", str(file))
    assert (code, err) == (FINE, "")
    assert "running ahead, up to 1 outstanding, with:" in out
    honest, *deviating = json.loads(file.read_text("utf-8"))["ahead"]
    assert (honest["server"], honest["holds"]) == ("honest", True)
    assert honest["configurations"] > 1_000
    assert len(deviating) >= 9
