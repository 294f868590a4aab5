"""Reports on disk: whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from fsm_smtp.check.reports.files import Outputs, write_report


def test_a_new_file_is_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_report(str(path), "text ü\n")
    assert path.read_bytes() == "text ü\n".encode()
    (tmp_path / "other").write_text("")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "report.json"]


def test_an_old_file_stays_until_the_new_one_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_report(str(path), "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "report.json"
    link.symlink_to(tmp_path / "there" / "real.json")
    write_report(str(link), "text")
    assert link.is_symlink()
    assert (tmp_path / "there" / "real.json").read_text() == "text"


def test_a_device_is_written_to() -> None:
    write_report(os.devnull, "text")
    with pytest.raises(OSError, match="No space left"):
        write_report("/dev/full", "text")
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


def test_one_failure_does_not_keep_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = Outputs()
    outputs.write("--html", "/dev/full", lambda: "page")
    outputs.write("--junit", str(tmp_path / "none" / "junit.xml"), lambda: "xml")
    outputs.write("--json", str(tmp_path / "report.json"), lambda: "json")
    assert not outputs.written
    assert (tmp_path / "report.json").read_text() == "json"
    assert capsys.readouterr().err.splitlines() == [
        "Error: --html: '/dev/full': no space left on device",
        f"Error: --junit: '{tmp_path}/none/junit.xml': no such file or directory",
    ]
