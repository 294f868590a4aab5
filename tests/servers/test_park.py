"""How servers are run: side by side, reported when they fail, gone when the tests are gone."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.servers import registry
from tests.servers.aiosmtpd_server import Aiosmtpd
from tests.servers.base import RECIPIENTS, SENDER, Launch, Options, ServerError
from tests.servers.fixtures import ServerPark, park
from tests.servers.ports import reserved
from tests.servers.probe import SECONDS, arrived, message, ready_to_send
from tests.servers.process import members

ORPHAN = """
import os, sys
from pathlib import Path
from tests.servers import tls
from tests.servers.aiosmtpd_server import Aiosmtpd
run = Path(sys.argv[1])
server = Aiosmtpd(run, run, tls.issue(run.parent))
server.start()
print(server.pid, flush=True)
sys.stdin.read()
os._exit(7)  # as SIGKILL would: no clean-up of ours runs
"""


def test_servers_end_with_tests_that_die(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    child = subprocess.run(
        [sys.executable, "-c", ORPHAN, str(run)],
        input="",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert child.returncode == 7, child.stderr
    pid = int(child.stdout)
    deadline = time.monotonic() + SECONDS
    while members(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert members(pid) == frozenset()


class Broken(Aiosmtpd):
    def prepare(self) -> Launch:
        return Launch(["/bin/sh", "-c", "echo no disk; exit 3"])


def test_a_server_that_ends_at_once_is_reported_with_its_log(servers: ServerPark) -> None:
    healthy = servers.build("aiosmtpd")
    server = Broken(healthy.run, healthy.fetched, healthy.certificate)
    with pytest.raises(ServerError, match=r"aiosmtpd ended with 3\n--- output\.log\nno disk"):
        server.start()
    assert server.processes() == frozenset()


def test_a_message_that_never_comes_is_reported(servers: ServerPark) -> None:
    server = servers.start("aiosmtpd")
    with pytest.raises(ServerError, match=r"0 of 1 messages for none@example\.test"):
        server.wait_for_message("none@example.test", timeout=0.05)


def test_an_option_that_a_server_lacks_is_refused(servers: ServerPark) -> None:
    with pytest.raises(ValueError, match="aiosmtpd has no option hardened"):
        servers.build("aiosmtpd", Options(hardened=True))


@pytest.fixture
def nothing_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(registry.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.delenv(registry.REQUIRE_VARIABLE, raising=False)
    return tmp_path


def test_a_server_that_was_not_fetched_is_named(nothing_fetched: Path) -> None:
    reason = f"smtp-sink is not in {nothing_fetched}: run .ci/fetch-servers"
    assert registry.unavailable("smtp-sink") == reason
    assert registry.unavailable("aiosmtpd") is None


@pytest.mark.usefixtures("nothing_fetched")
def test_a_missing_server_is_a_skip_and_on_request_a_failure(
    servers: ServerPark, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(pytest.skip.Exception, match="smtp-sink is not in"):
        servers.build("smtp-sink")
    monkeypatch.setenv(registry.REQUIRE_VARIABLE, "1")
    with pytest.raises(pytest.fail.Exception, match="smtp-sink is not in"):
        servers.build("smtp-sink")


def test_what_no_fetching_could_mend_stays_a_skip(
    servers: ServerPark, nothing_fetched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(registry.REQUIRE_VARIABLE, "1")
    (nothing_fetched / "absent").write_text("smtp-sink: no package postfix in this release\n")
    with pytest.raises(pytest.skip.Exception, match="no package postfix in this release"):
        servers.build("smtp-sink")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(pytest.skip.Exception, match="postfix needs root"):
        servers.build("postfix")


def test_servers_in_a_folder_closed_to_other_users_are_copied(
    servers: ServerPark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = servers.build("postfix").fetched
    closed = tmp_path / "closed"
    shutil.copytree(fetched / "root/postfix", closed / "root/postfix", symlinks=True)
    closed.chmod(0o700)
    monkeypatch.setenv(registry.FOLDER_VARIABLE, str(closed))
    with park() as other, other.build("postfix") as server:
        assert not server.fetched.is_relative_to(closed)
        sent = message()
        with ready_to_send(server) as client:
            client.sendmail(SENDER, RECIPIENTS[0], sent)
        arrived(server, RECIPIENTS[0], sent, 0)


def test_a_server_that_a_test_brought_down_is_replaced() -> None:
    with park() as own:
        first = own.start("aiosmtpd")
        assert own.start("aiosmtpd") is first
        os.kill(first.pid, signal.SIGKILL)
        deadline = time.monotonic() + SECONDS
        while first.running and time.monotonic() < deadline:
            time.sleep(0.01)
        second = own.start("aiosmtpd")
        assert second is not first
        assert second.running


def test_a_reserved_port_is_given_to_nobody_else() -> None:
    with reserved(50) as mine, reserved(50) as others:
        assert not set(mine) & set(others)
