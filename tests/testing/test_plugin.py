"""The pytest plugin as its users meet it: in a run of pytest of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fsm_smtp.testing.served import SMTPServer

TESTS = """
import asyncio, smtplib, unittest
import pytest
from fsm_smtp.testing import SMTPClientMachine, SMTPServer

MAIL = b"Subject: x\\r\\n\\r\\nhello\\r\\n"

def send(server, *recipients):
    with smtplib.SMTP(*server.address, timeout=5) as client:
        return client.sendmail("a@b.test", recipients, MAIL)

def test_a_fixture(smtp_server):
    smtp_server.order("RCPT", recipient="later", reply="450 4.2.1 later")
    assert send(smtp_server, "c@d.test", "later@d.test") == {"later@d.test": (450, b"4.2.1 later")}
    assert smtp_server.messages[0].content == MAIL
    smtp_server.wait()
    smtp_server.assert_no_violations()

def test_tls_and_auth(smtp_server):
    with smtplib.SMTP(*smtp_server.address, timeout=5) as client:
        client.starttls(context=smtp_server.client_context)
        client.login(smtp_server.user, smtp_server.password)
    assert smtp_server.sessions[0].user == smtp_server.user

@pytest.mark.smtp_server("RSET closes", takes_all=False)
def test_a_marker(smtp_server):
    with smtplib.SMTP(*smtp_server.address, timeout=5) as client:
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.rset()

def test_asyncio(smtp_server):
    async def greeting():
        reader, writer = await asyncio.open_connection(*smtp_server.address)
        line = await reader.readline()
        writer.close()
        return line
    assert asyncio.run(greeting()).startswith(b"220")

def test_a_violation_fails(smtp_server):
    with smtplib.SMTP(*smtp_server.address, timeout=5) as client:
        client.docmd("DATA")
    smtp_server.wait()
    with pytest.raises(AssertionError, match="5321"):
        smtp_server.assert_no_violations()

def test_the_guard(smtp_server, smtp_guard):
    with smtplib.SMTP(*smtp_server.address, timeout=5) as client:
        with pytest.raises(smtplib.SMTPException, match="SMTP_BANNER"):
            client.docmd("DATA")
    smtp_server.wait()
    smtp_server.assert_no_violations()

def send_one(host, port, mail):
    with smtplib.SMTP(host, port, timeout=5) as client:
        client.sendmail(mail.sender, mail.recipients, mail.content)

class TestExploring(SMTPClientMachine(send_one).TestCase):
    examples = 3

class OfUnittest(unittest.TestCase):
    def test_it(self):
        server = self.enterContext(SMTPServer())
        send(server, "c@d.test")
        self.assertEqual(len(server.messages), 1)
"""


def pytest_run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )


def test_the_fixture_in_every_kind_of_test_and_in_parallel(tmp_path: Path) -> None:
    (tmp_path / "test_mail.py").write_text(TESTS)
    done = pytest_run(tmp_path, "-q", "-n", "2", "--strict-markers")
    assert "8 passed" in done.stdout, done.stdout + done.stderr
    assert "SMTP: test_mail.py::TestExploring" in done.stdout
    assert " configurations × triggers × reply classes (" in done.stdout


def test_a_start_that_does_not_use_it_loads_next_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "import json, sys\n"
        "def pytest_sessionfinish(session):\n"
        "    found = sorted(n for n in sys.modules if n.split('.')[0] in\n"
        "        {'fsm_smtp', 'hypothesis', 'transitions', 'ruamel', 'trustme', 'click', 'rich'})\n"
        "    open('modules.json', 'w').write(json.dumps(found))\n"
    )
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    done = pytest_run(tmp_path, "-q", "-p", "no:hypothesispytest", "-p", "no:xdist")
    assert done.returncode == 0, done.stdout + done.stderr
    # A few small files, some milliseconds in all.
    assert [name for name in json.loads((tmp_path / "modules.json").read_text()) if name not in {
        "fsm_smtp", "fsm_smtp.command", "fsm_smtp.errors", "fsm_smtp.version",
        "fsm_smtp.testing", "fsm_smtp.testing.plugin",
    }] == []  # fmt: skip


def test_a_target_needs_no_test_file(tmp_path: Path) -> None:
    with SMTPServer() as server:
        target = f"{server.host}:{server.port}"
        done = pytest_run(
            tmp_path, "--smtp-target", target, "--smtp-seed", "1", "--smtp-examples", "8", "-n", "2"
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
    assert f"SMTP: {target}" in done.stdout
    assert " transitions (" in done.stdout


def test_a_finding_is_a_transcript(tmp_path: Path) -> None:
    with SMTPServer("RSET forgets nothing") as server:
        target = f"{server.host}:{server.port}"
        options = ("--smtp-target", target, "--smtp-seed", "1", "-x", "-p", "no:xdist")
        done = pytest_run(tmp_path, *options)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "C: RSET" in done.stdout
    assert "RFC 5321 §" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("target", ["nowhere", ":25", "host:smtp"])
def test_a_target_that_is_none(tmp_path: Path, target: str) -> None:
    done = pytest_run(tmp_path, "--smtp-target", target, "-p", "no:xdist")
    assert done.returncode == 4
    assert "HOST:PORT, please" in done.stderr
