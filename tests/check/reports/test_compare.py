"""``fsm-smtp compare``: servers across, cases down."""

import json
from pathlib import Path

import pytest

from fsm_smtp.check.engine.events import Event
from fsm_smtp.check.reports.compare import compare_reports
from fsm_smtp.check.reports.compare_html import comparison_html
from fsm_smtp.check.reports.gate import Gate
from fsm_smtp.check.reports.json import json_report
from fsm_smtp.check.reports.saved import read_report
from fsm_smtp.cli import run
from tests.check.playing import SUITE
from tests.check.reports.chromium import look
from tests.check.reports.evil import EVIL, evil_events
from tests.check.reports.running import LATER, events_of, recorded
from tests.check.reports.test_html import Page

FAILED = "5321-4.1.4-second-ehlo"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, faulty: list[Event]) -> Path:
    """Reports of the faulty server, of one that keeps the rules, and of one out of its mind."""
    folder = tmp_path_factory.mktemp("reports")
    sound = events_of(SUITE.select(["5321-4.1.4-*"], LATER[1:]))
    for name, events in {"faulty": faulty, "sound": sound, "evil": evil_events()}.items():
        text = json_report(recorded(events), Gate())
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    return folder


def differing(folder: Path) -> dict[str, bool]:
    """By case: whether the faulty and the sound server differ in it; read without our reader."""
    verdicts = [
        {
            case["id"]: case["verdict"]
            for case in json.loads((folder / f"{name}.json").read_text())["cases"]
        }
        for name in ("faulty", "sound")
    ]
    return {case: verdicts[0][case] != verdicts[1].get(case) for case in verdicts[0]}


class TestTerminal:
    def test_only_what_differs(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["compare", str(folder / "faulty.json"), str(folder / "sound.json")]) == 0
        lines = capsys.readouterr().out.splitlines()
        differs = differing(folder)
        assert lines[-1] == f"{len(differs)} cases, {sum(differs.values())} differ"
        rows = [line.split() for line in lines if line.strip().startswith("5321-")]
        # Three cases were played on one of the two only; others never came to their point there.
        assert [FAILED, "fail", "pass"] in rows
        assert {row[0] for row in rows} == {case for case, differ in differs.items() if differ}
        assert sum(row[2] == "–" for row in rows) == 3
        assert lines[0].startswith("faulty  127.0.0.1:")

    def test_all(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        files = [str(folder / "faulty.json"), str(folder / "sound.json")]
        assert run(["compare", *files, "--all"]) == 0
        assert capsys.readouterr().out.count("\n 5321-") == len(differing(folder))

    def test_the_same_twice(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["compare", *[str(folder / "sound.json")] * 2]) == 0
        out = capsys.readouterr().out
        assert out.splitlines()[-1] == "13 cases, 0 differ"
        assert "sound (1)" in out
        assert "sound (2)" in out

    def test_a_server_writes_no_controls(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["compare", str(folder / "evil.json"), str(folder / "sound.json")]) == 0
        out = capsys.readouterr().out
        assert "\x1b" not in out
        assert "\x07" not in out


class TestJSON:
    def test_the_whole_matrix_and_nothing_else(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        files = [str(folder / "faulty.json"), str(folder / "sound.json")]
        assert run(["compare", *files, "--json", "-"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["schema"] == 1
        assert [one["label"] for one in document["reports"]] == ["faulty", "sound"]
        assert document["summary"] == {
            "cases": len(differing(folder)),
            "differing": sum(differing(folder).values()),
        }
        (one,) = [case for case in document["cases"] if case["id"] == FAILED]
        assert one["verdicts"] == {"faulty": "fail", "sound": "pass"}
        assert one["differs"] is True
        assert {case["verdicts"]["sound"] for case in document["cases"]} == {"pass", None}


class TestHTML:
    def test_in_a_browser(self, folder: Path, tmp_path: Path) -> None:
        files = [str(folder / "faulty.json"), str(folder / "sound.json")]
        page = tmp_path / "compared.html"
        assert run(["compare", *files, "--html", str(page)]) == 0
        seen = look(page, "verdict=differs", tmp_path / "profile")
        assert seen.console == ()
        differs = differing(folder)
        assert f"{sum(differs.values())} of {len(differs)} cases shown" in seen.dom
        shown = [
            found["id"]
            for tag, found in Page(seen.dom).elements
            if tag == "tr" and "data-case" in found and "hidden" not in found
        ]
        assert FAILED in shown
        assert len(shown) == sum(differing(folder).values())

    def test_nothing_of_a_server_is_believed(self, folder: Path) -> None:
        reports = [read_report(folder / f"{name}.json") for name in ("evil", "sound")]
        page = comparison_html(compare_reports(reports))
        tags = [tag for tag, _ in Page(page).elements]
        assert tags.count("script") == 1
        assert "img" not in tags
        assert EVIL not in page
        assert "\x1b" not in page
        assert "\u202e" not in page


class TestRefusal:
    @pytest.mark.parametrize(
        ("text", "why"),
        [("{}", "it has no schema"), ('{"schema": 7}', "of schema 7"), ("<html>", "no JSON")],
    )
    def test_another_file(
        self, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, why: str
    ) -> None:
        (tmp_path / "b.json").write_text(text)
        assert run(["compare", str(folder / "sound.json"), str(tmp_path / "b.json")]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        assert "b.json" in err
        assert why in err

    def test_one_report(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["compare", str(folder / "sound.json")]) == 2
        assert "two reports or more" in capsys.readouterr().err

    def test_a_full_disk(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        files = [str(folder / "faulty.json"), str(folder / "sound.json")]
        assert run(["compare", *files, "--html", "/dev/full"]) == 2
        out, err = capsys.readouterr()
        assert out.splitlines()[-1].startswith(f"{len(differing(folder))} cases, ")
        assert err == "Error: --html: '/dev/full': no space left on device\n"
