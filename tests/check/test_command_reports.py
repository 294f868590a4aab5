"""``fsm-smtp check`` as a gate, and when it is broken off or nothing can be written."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.check.playing import SUITE
from tests.check.strict_server import HOST, strict_server_in_thread
from tests.check.test_command import QUICK, run
from tests.check.test_interrupts import HEEDS

SCRIPT = HEEDS + "from fsm_smtp.cli.check import check; check(prog_name='fsm-smtp check')"


class TestGates:
    def test_a_warning_can_fail_a_run(self) -> None:
        only = ["--only", "5321-4.1.1.8-help", "--only", "5321-4.1.4-*", "--jobs", "8"]
        usual = run(*only)
        assert usual.exit_code == 0
        strict = run(*only, "--fail-on", "fail,warn")
        assert strict.exit_code == 1
        assert strict.output.splitlines()[-1].endswith("; 1 fails the run")

    def test_a_baseline(self, tmp_path: Path) -> None:
        known = tmp_path / "known.json"
        with strict_server_in_thread("refuses a second EHLO") as port:
            assert run(f"{HOST}:{port}", *QUICK, "--json", str(known)).exit_code == 1
            again = run(f"{HOST}:{port}", *QUICK, "--baseline", str(known))
        assert again.exit_code == 0
        assert "FAIL   5321-4.1.4-second-ehlo  503 again?" in again.output
        assert again.output.splitlines()[-1].endswith("; nothing fails the run, 1 known, 0 mended")
        with strict_server_in_thread() as port:
            now = tmp_path / "now.json"
            mended = run(
                f"{HOST}:{port}", *QUICK, "--baseline", str(known), "--json", str(now)
            )  # fmt: skip
        assert mended.exit_code == 0
        assert "mended: failed in the baseline, and not any more" in mended.output
        gate = json.loads(now.read_text())["gate"]
        assert gate["mended"] == ["5321-4.1.4-second-ehlo"]
        assert gate["baseline"] == str(known)

    def test_a_baseline_of_another_schema(self, tmp_path: Path) -> None:
        other = tmp_path / "other.json"
        other.write_text('{"schema": 2}')
        result = run("host.invalid", *QUICK, "--baseline", str(other))
        assert result.exit_code == 2
        assert result.stderr == (
            f"Error: --baseline: '{other}': a report of schema 2; this version reads schema 1\n"
        )


def test_ctrl_c_reports_what_is_known(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with strict_server_in_thread("never answers NOOP") as port:
        command = [
            sys.executable, "-c", SCRIPT, f"{HOST}:{port}", "--jobs", "2", "--timeout", "30",
            "--json", str(path), "--html", str(tmp_path / "page.html"),
            "--junit", str(tmp_path / "junit.xml"),
        ]  # fmt: skip
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        try:
            assert process.stdout is not None
            heading = process.stdout.readline()  # it has begun
            time.sleep(3.0)  # the first cases wait one second for silence, the others for NOOP
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=100)
        finally:
            process.kill()
    assert f":{port} " in heading
    assert "Traceback" not in err
    document = json.loads(path.read_text())
    known = len(document["cases"])
    assert 0 < known < len(SUITE.cases)
    assert out.splitlines()[-1].startswith(
        f"{known} of {len(SUITE.cases)} cases, broken off after {document['duration_s']:.1f} s: "
    )
    assert process.returncode == (1 if document["summary"]["fail"] else 2)
    assert document["complete"] is False
    assert f"{known} of {len(SUITE.cases)} cases have ended" in (tmp_path / "page.html").read_text()
    assert f"{known} of {len(SUITE.cases)} cases have" in (tmp_path / "junit.xml").read_text()


def test_a_full_disk_under_standard_output(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    program = "import sys; from fsm_smtp.cli import main; main()"
    with strict_server_in_thread() as port, Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program, "check", f"{HOST}:{port}", *QUICK, "--json", str(path)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == "Error: standard output: no space left on device\n"
    assert json.loads(path.read_text())["complete"] is True


def test_a_reader_that_goes_leaves_the_report(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    program = "import sys; from fsm_smtp.cli import main; main()"
    read, write = os.pipe()
    os.close(read)
    with strict_server_in_thread() as port, os.fdopen(write, "w") as gone:
        done = subprocess.run(
            [sys.executable, "-c", program, "check", f"{HOST}:{port}", *QUICK, "--json", str(path)],
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 141  # what a shell says of a closed pipe
    assert done.stderr == ""
    assert json.loads(path.read_text())["complete"] is True
