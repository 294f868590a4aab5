"""``fsm-smtp serve``, and what it says of clients that others wrote."""

import contextlib
import json
import mailbox
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers import registry
from tests.testing.dialogue import Dialogue

PROGRAM = (sys.executable, "-c", "from fsm_smtp.cli import main; main()")
MESSAGE = b"From: a@b.test\r\nTo: c@d.test\r\nSubject: hello\r\n\r\n.dots\r\n..more\r\n"


@dataclass
class Serving:
    """A server that runs, and then its verdict."""

    process: subprocess.Popen[str]
    port: int

    def ended(self) -> tuple[int, str]:
        """Exit code and standard output, once it has ended by itself."""
        out, _ = self.process.communicate(timeout=20)
        return self.process.returncode, out


@contextlib.contextmanager
def serving(*arguments: str) -> Iterator[Serving]:
    process = subprocess.Popen(
        [*PROGRAM, "serve", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "listening on 127.0.0.1:" in line, line + process.stderr.read()
        yield Serving(process, int(line.rpartition(":")[2]))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def _swaks(port: int, file: Path) -> list[str]:
    return ["swaks", "--server", f"127.0.0.1:{port}", "--from", "a@b.test", "--to", "c@d.test",
            "--helo", "client.test", "--data", f"@{file}", "--silent", "2"]  # fmt: skip


def _curl(port: int, file: Path) -> list[str]:
    return ["curl", "-sS", f"smtp://127.0.0.1:{port}/client.test", "--mail-from", "a@b.test",
            "--mail-rcpt", "c@d.test", "-T", str(file)]  # fmt: skip


def _msmtp(port: int, file: Path) -> list[str]:
    options = "--from=a@b.test --tls=off --auth=off --domain=client.test"
    script = f'exec msmtp --host=127.0.0.1 --port="$0" {options} c@d.test < "$1"'
    return ["sh", "-c", script, str(port), str(file)]


def _s_nail(port: int, file: Path) -> list[str]:
    return ["sh", "-c", 'exec s-nail -:/ -Sv15-compat -Smta="smtp://127.0.0.1:$0" -Ssmtp-auth=none '
            '-Shostname=client.test -r a@b.test -s hello c@d.test '
            '< "$1"', str(port), str(file)]  # fmt: skip


def _nodemailer(port: int, file: Path) -> list[str]:
    script = (
        "const {readFileSync} = require('fs');"
        "require(process.argv[1]).createTransport({host: '127.0.0.1', port: +process.argv[2], "
        "name: 'client.test', ignoreTLS: true}).sendMail({envelope: {from: 'a@b.test', "
        "to: 'c@d.test'}, raw: readFileSync(process.argv[3])}).catch(e => {console.error(e); "
        "process.exit(1)})"
    )
    module = registry.fetched_folder() / "npm/nodemailer/node_modules/nodemailer"
    return ["node", "-e", script, str(module), str(port), str(file)]


CLIENTS: dict[str, Callable[[int, Path], list[str]]] = {
    "swaks": _swaks,
    "curl": _curl,
    "msmtp": _msmtp,
    "s-nail": _s_nail,
    "nodemailer": _nodemailer,
}


#: Nodemailer does not say QUIT, and its authors have said that it will not (its issue 1292).
KNOWN = {"nodemailer": ["5321 §4.1.1.10"]}


def must_be_here(name: str) -> None:
    """Skip without the program; fail where everything must be there."""
    if name == "nodemailer":
        here = (registry.fetched_folder() / "npm/nodemailer/node_modules/nodemailer").exists()
        here = here and shutil.which("node") is not None
    else:
        here = shutil.which(name) is not None
    if here:
        return
    if os.environ.get(registry.REQUIRE_VARIABLE, "") not in ("", "0"):
        pytest.fail(f"{name} is not here: see .ci/run and .ci/fetch-servers")
    pytest.skip(f"{name} is not here")


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_that_others_wrote(name: str, tmp_path: Path) -> None:
    must_be_here(name)
    file = tmp_path / "message"
    # Only curl sends the file as it is: it is its caller who makes the line ends.
    file.write_bytes(MESSAGE if name == "curl" else MESSAGE.replace(b"\r\n", b"\n"))
    box, report = tmp_path / "box", tmp_path / "report.json"
    with serving("--sessions", "1", "--maildir", str(box), "--json", str(report)) as server:
        command = CLIENTS[name](server.port, file)
        done = subprocess.run(command, capture_output=True, timeout=30, check=False)
        code, out = server.ended()
    assert done.returncode == 0, done.stderr + done.stdout
    [session] = json.loads(report.read_text())
    assert [one["rfc"] for one in session["violations"]] == KNOWN.get(name, [])
    assert code == (name in KNOWN)
    assert out.startswith("  1  SMTP_NONE")
    [message] = mailbox.Maildir(box)
    assert message["Return-Path"] == "<a@b.test>"
    assert message["Delivered-To"] == "c@d.test"
    assert message.as_string().rstrip("\n").endswith(".dots\n..more")


def test_bare_line_feeds_of_a_file_are_blamed_on_the_client(tmp_path: Path) -> None:
    must_be_here("curl")
    file = tmp_path / "message"
    file.write_bytes(b"Subject: x\n\nhello\n")
    with serving("--sessions", "1", "--quiet") as server:
        subprocess.run(_curl(server.port, file), capture_output=True, timeout=30, check=False)
        code, out = server.ended()
    assert code == 1
    assert "a bare LF at octet 10 of the content (RFC 5321 §2.3.8" in out
    assert out.splitlines()[-1] == "1 session, 0 messages: 1 violation"


def test_states_are_shown_and_a_signal_ends_it() -> None:
    with serving() as server:
        with Dialogue(server.port) as client:
            client.say("EHLO client.test")
            client.say("QUIT")
        server.process.send_signal(signal.SIGINT)
        code, out = server.ended()
    assert code == 0
    assert "SMTP_CONNECTED     S: 250-mx.example.test" in out
    assert "SMTP_QUIT          C: QUIT" in out


def test_faults_tls_auth_recipients_and_a_script_to_order(tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text('- {on: RCPT, recipient: later, reply: "450 4.2.1 later"}\n')
    orders = ("--fault", "RSET forgets nothing", "--tls", "--auth", "--script", str(script))
    known = ("--recipient", "c@d.test", "--recipient", "later@d.test")
    with serving(*orders, *known) as server, Dialogue(server.port) as client:
        offers = client.say("EHLO client.test")
        assert "STARTTLS" in offers
        assert "AUTH PLAIN LOGIN" in offers
        client.say("MAIL FROM:<a@b.test>")
        assert client.say("RCPT TO:<x@d.test>").startswith("550")
        assert client.say("RCPT TO:<later@d.test>").startswith("450")
        client.say("RSET")
        assert client.say("RCPT TO:<c@d.test>").startswith("250")
        client.say("QUIT")


def test_the_list_of_faults(program: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = program("serve", "--list-faults")
    assert code == 0
    assert "RSET forgets nothing  R063" in out
    assert len(out.splitlines()) > 200


def test_a_fault_that_does_not_exist(program: Callable[..., tuple[int, str, str]]) -> None:
    code, _, err = program("serve", "--fault", "RSET forgets nothin")
    assert code == 2
    assert "did you mean 'RSET forgets nothing'?" in err


def test_the_sink_takes_everything_and_ends_by_a_signal() -> None:
    with serving("--sink") as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
            client.sendall(b"EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<x>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n")
            octets = b""
            while data := client.recv(4096):
                octets += data
        server.process.send_signal(signal.SIGTERM)
        code, _ = server.ended()
    assert code == 0
    assert octets.endswith(
        b"354 End data with <CR><LF>.<CR><LF>\r\n250 2.0.0 Ok\r\n221 2.0.0 Bye\r\n"
    )
