"""``fsm-smtp check`` as it is called: exit codes, the embedded server, reports on disk."""

import json
import socketserver
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from junitparser import JUnitXml

from fsm_smtp.cli.check import check
from tests.check.playing import SUITE
from tests.check.strict_server import HOST, PASSWORD, USER, strict_server_in_thread

QUICK = ["--only", "5321-4.1.4-*", "--jobs", "8"]


def run(*arguments: str, env: dict[str, str | None] | None = None) -> Result:
    return CliRunner().invoke(check, list(arguments), env=env)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, dict[str, Any]]:
    """The whole suite on the embedded aiosmtpd, once."""
    path = tmp_path_factory.mktemp("embedded") / "report.json"
    result = run("--json", str(path), "--jobs", "16")
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result, document


class TestEmbedded:
    def test_aiosmtpd_has_these_failures(self, embedded: tuple[Result, dict[str, Any]]) -> None:
        _, document = embedded
        failed = {case["id"] for case in document["cases"] if case["verdict"] == "fail"}
        assert failed == {
            # It reads commands up to LF, whatever stands before it.
            "5321-2.3.8-bare-lf-command",
            # The fifth unknown command gets 502 and a closed connection, without 421.
            "5321-3.8-several-unknown-commands",
            # It quotes what it does not know as it came.
            "5321-3.8-tls-client-hello",
            "5321-4.1.1.4-nul-behind-the-end",
            # Its address parser is the one for header fields.
            "5321-4.1.2-control-character",
        }

    def test_and_these_departures_from_a_should(
        self, embedded: tuple[Result, dict[str, Any]]
    ) -> None:
        _, document = embedded
        warned = {case["id"] for case in document["cases"] if case["verdict"] == "warn"}
        assert {"5321-2.4-non-ascii-envelope", "5321-4.1.1.8-help"} <= warned

    def test_nothing_is_masked(self, embedded: tuple[Result, dict[str, Any]]) -> None:
        _, document = embedded
        assert len(document["cases"]) == len(SUITE.cases)
        for verdict in ("error", "timeout", "inconclusive"):
            assert document["summary"][verdict] == 0
        assert document["summary"]["pass"] > 80

    def test_it_ends_with_exit_1_and_the_summary(
        self, embedded: tuple[Result, dict[str, Any]]
    ) -> None:
        result, document = embedded
        assert result.exit_code == 1
        last = result.output.splitlines()[-1]
        assert last.startswith(f"{len(SUITE.cases)} cases, ")
        assert f"{document['summary']['fail']} fail" in last
        # Nothing of the server's own log.
        assert "unrecognised" not in result.output

    def test_without_aiosmtpd_one_line_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delitem(sys.modules, "fsm_smtp.check.embedded", raising=False)
        monkeypatch.setitem(sys.modules, "aiosmtpd", None)
        monkeypatch.setitem(sys.modules, "aiosmtpd.smtp", None)
        result = run(*QUICK)
        assert result.exit_code == 2
        assert result.stderr.count("\n") == 1
        assert "pip install 'fsm-smtp[embedded]'" in result.stderr


class TestExitCodes:
    def test_no_case_fails(self) -> None:
        with strict_server_in_thread() as port:
            result = run(f"{HOST}:{port}", *QUICK)
        assert result.exit_code == 0
        assert " pass" in result.output.splitlines()[-1]

    def test_a_case_fails(self) -> None:
        with strict_server_in_thread("refuses a second EHLO") as port:
            result = run(f"{HOST}:{port}", *QUICK)
        assert result.exit_code == 1
        assert "FAIL   5321-4.1.4-second-ehlo" in result.output

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["host:port"], "the port is a number"),
            (["host:0"], "the port is a number"),
            (["host:65536"], "the port is a number"),
            (["::1"], "[::1]"),
            (["[::1"], "no HOST"),
            (["a b"], "no HOST"),
            (["user@host"], "no HOST"),
            ([""], "no HOST"),
            (["--only", "9999-*"], "no case matches '9999-*'"),
            (["--exclude", "*"], "no case is left"),
            (["--recipient", "nobody"], "--recipient: 'nobody' is no address"),
            (["--unknown-recipient", "<a@b>"], "--unknown-recipient"),
            (["--sender", "a@b\r\nRSET"], "--sender"),
            (["--ehlo-name", "a b"], "--ehlo-name"),
            (["host", "--tls", "--starttls"], "exclude each other"),
            (["host", "--insecure"], "--insecure says nothing"),
            (["--tls"], "the embedded server has no TLS"),
            (["host", "--user", "me"], "belong together"),
            (["host", "--json", "/no/such/folder/report.json"], "in no folder that exists"),
            (["host", "--junit", "/no/such/folder/report.xml"], "--junit: '/no/such"),
            (["host", "--html", "/tmp"], "--html: '/tmp' is a folder"),
            (["host", "--html", "-"], "a page is written to a file"),
            (["host", "--json", "-", "--junit", "-"], "cannot both be written"),
            (["host", "--fail-on", "wran"], "did you mean warn?"),
            (["host", "--fail-on", "fail,pass"], "'pass' is no verdict that can fail"),
            (["host", "--fail-on", ""], "'' is no verdict"),
            (["host", "--baseline", "/no/such/file"], "no such file or directory"),
            (["host", "--baseline", "/dev/null"], "no JSON report"),
        ],
    )
    def test_wrong_usage_is_one_line(self, arguments: list[str], said: str) -> None:
        result = run(*arguments)
        assert result.exit_code == 2
        assert said in result.stderr
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1
        assert result.stdout == ""

    def test_an_option_that_is_none(self) -> None:
        assert run("--nonsense").exit_code == 2
        assert run("--jobs", "0").exit_code == 2
        assert run("--timeout", "-1").exit_code == 2

    def test_a_target_that_cannot_be_reached(self) -> None:
        with strict_server_in_thread() as port:
            pass
        result = run(f"{HOST}:{port}", *QUICK)
        assert result.exit_code == 2
        assert result.stderr == f"Error: 127.0.0.1:{port}: connection refused\n"

    def test_a_report_that_cannot_be_written(self, tmp_path: Path) -> None:
        with strict_server_in_thread() as port:
            result = run(f"{HOST}:{port}", *QUICK, "--json", "/dev/full")
        assert result.exit_code == 2
        assert "Error: --json: '/dev/full': no space left on device" in result.stderr
        assert " pass" in result.stdout.splitlines()[-1]

    def test_the_other_reports_are_written(self, tmp_path: Path) -> None:
        html, junit = tmp_path / "report.html", tmp_path / "junit.xml"
        with strict_server_in_thread("refuses a second EHLO") as port:
            result = run(
                f"{HOST}:{port}", *QUICK, "--json", "/dev/full", "--html", str(html),
                "--junit", str(junit),
            )  # fmt: skip
        assert result.exit_code == 1  # a verdict weighs more than a full disk
        assert result.stderr == "Error: --json: '/dev/full': no space left on device\n"
        assert html.read_text().rstrip().endswith("</html>")
        assert JUnitXml.fromfile(str(junit)).failures == 1

    def test_without_jinja2_one_line_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        for name in ("html", "page"):
            monkeypatch.delitem(sys.modules, f"fsm_smtp.check.reports.{name}", raising=False)
        monkeypatch.setitem(sys.modules, "jinja2", None)
        result = run("host.invalid", *QUICK, "--html", str(tmp_path / "report.html"))
        assert result.exit_code == 2  # before anything is connected
        assert result.stderr == "Error: --html needs a package: pip install 'fsm-smtp[html]'\n"

    def test_a_suite_that_is_wrong(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing(*parts: str) -> Path:
            return Path("/no/such").joinpath(*parts)

        monkeypatch.setattr("fsm_smtp.check.cases.suite.spec_path", missing)
        result = run("--list")
        assert result.exit_code == 2


class TestReports:
    def test_json_on_standard_output_alone(self) -> None:
        with strict_server_in_thread() as port:
            result = run(f"{HOST}:{port}", *QUICK, "--json", "-")
        document = json.loads(result.stdout)
        assert document["schema"] == 1
        assert document["target"] == f"{HOST}:{port}"
        assert " pass" in result.stderr.splitlines()[-1]

    def test_junit_on_standard_output_alone(self) -> None:
        with strict_server_in_thread() as port:
            result = run(f"{HOST}:{port}", *QUICK, "--junit", "-")
        assert JUnitXml.fromstring(result.stdout.encode()).failures == 0
        assert " pass" in result.stderr.splitlines()[-1]

    def test_the_password_is_nowhere(self, tmp_path: Path) -> None:
        path = tmp_path / "report.json"
        with strict_server_in_thread("demands authentication", offers=("AUTH PLAIN",)) as port:
            result = run(
                f"{HOST}:{port}", *QUICK, "--json", str(path), "-v",
                "--html", str(tmp_path / "page.html"), "--junit", str(tmp_path / "junit.xml"),
                env={"FSM_SMTP_USER": USER, "FSM_SMTP_PASSWORD": PASSWORD},
            )  # fmt: skip
        assert "second-ehlo" in path.read_text()
        assert json.loads(path.read_text())["summary"]["pass"] > 5
        written = [file.read_text() for file in tmp_path.iterdir()]
        assert len(written) == 3
        for text in (result.output, *written):
            assert PASSWORD not in text
            assert "AHVzZXIAb3BlbiBzZXNhbWU=" not in text

    def test_the_list_needs_no_server(self) -> None:
        result = run("--list", "--only", "5321-3.3-*")
        assert result.exit_code == 0
        assert "5321-3.3-rcpt-before-mail" in result.output
        assert "5321-4.2" not in result.output

    def test_help_shows_examples_and_exit_codes(self) -> None:
        result = run("--help")
        assert "Examples:" in result.output
        assert "Exit codes:" in result.output

    def test_an_ipv6_target(self) -> None:
        result = run("[::1]:1", *QUICK)
        assert result.exit_code == 2
        assert result.stderr.startswith("Error: [::1]:1: ")


@pytest.mark.parametrize(
    ("hangs_up_at", "tells"), [(b"EHLO", "EHLO"), (b"MAIL", "MAIL")], ids=["EHLO", "MAIL"]
)
def test_a_server_that_hangs_up_in_the_middle(
    hangs_up_at: bytes, tells: str, tmp_path: Path
) -> None:
    """What it did before is judged, what it did not say fails or is inconclusive, nobody waits."""
    path = tmp_path / "report.json"
    with rude_server(hangs_up_at) as port:
        result = run(f"{HOST}:{port}", *QUICK, "--timeout", "60", "--json", str(path))
    assert result.exit_code == 1
    document = json.loads(path.read_text())
    assert document["complete"] is True
    assert document["summary"]["pass"] > 0
    assert document["summary"]["error"] == document["summary"]["timeout"] == 0
    accused = [case for case in document["cases"] if case["verdict"] == "fail"]
    assert all("the server closed the connection" in case["actual"] for case in accused)
    assert any(f" C: {tells}" in line for case in accused for line in case["transcript"])


def test_a_server_that_takes_nobody_is_not_judged() -> None:
    """It is reached, and says what it may (RFC 5321 §3.1); a CI must not read that as success."""
    with rude_server(b"", greeting=b"554 no service here\r\n") as port:
        result = run(f"{HOST}:{port}", *QUICK)
    assert result.exit_code == 2
    assert "the session is refused: 554 no service here" in result.output
    assert result.output.splitlines()[-1].endswith(" inconclusive")


def test_a_file_that_one_may_not_write(tmp_path: Path) -> None:
    """Not even root writes there. The other report is kept."""
    path = tmp_path / "report.json"
    with strict_server_in_thread() as port:
        result = run(
            f"{HOST}:{port}", *QUICK, "--html", "/sys/kernel/report.html", "--json", str(path)
        )
    assert result.exit_code == 2
    assert result.stderr == "Error: --html: '/sys/kernel/report.html': permission denied\n"
    assert json.loads(path.read_text())["complete"] is True


@contextmanager
def rude_server(hangs_up_at: bytes, greeting: bytes = b"220 mx.example.test\r\n") -> Generator[int]:
    """The port of a server that says 250 to everything, and closes at one command, if any."""

    class Rude(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(greeting)
            for line in self.rfile:
                if hangs_up_at and line.upper().startswith(hangs_up_at):
                    return
                self.wfile.write(b"221 bye\r\n" if line.upper() == b"QUIT\r\n" else b"250 ok\r\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Who is hung up on may have hung up first."""

    with Server((HOST, 0), Rude) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join(10)
