"""``fsm-smtp send`` against a real server: exit codes, fates, transcript, one clear line."""

import json
import uuid
from pathlib import Path

import pytest

from fsm_smtp.cli import run
from fsm_smtp.testing.scripted import (
    GOODBYE,
    GREETING,
    Body,
    Line,
    Say,
    ScriptedServer,
    answers,
    ehlo,
)
from tests.servers.base import PASSWORD, RECIPIENTS, SENDER, UNKNOWN, USER, Server
from tests.servers.fixtures import ServerPark
from tests.servers.ports import reserved
from tests.servers.probe import arrived, message


@pytest.fixture
def server(servers: ServerPark) -> Server:
    return servers.start("aiosmtpd")


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    file = tmp_path / "mail.eml"
    file.write_text(f"Subject: {uuid.uuid4().hex}\n\n.a line with a dot\n")
    return file


def send(server: Server, *arguments: str) -> int:
    to = f"{server.host}:{server.port}"
    return run(["send", "--server", to, "--from", SENDER, *arguments])


def test_an_accepted_message_exits_0_and_arrives(
    server: Server, mail: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = len(server.messages(RECIPIENTS[0]))
    assert send(server, "--security", "none", "--to", RECIPIENTS[0], str(mail)) == 0
    assert f"accepted  {RECIPIENTS[0]}" in capsys.readouterr().out
    stored = server.wait_for_message(RECIPIENTS[0], before + 1)[-1]
    assert mail.read_bytes().replace(b"\r\n", b"\n") in stored.replace(b"\r\n", b"\n")


@pytest.mark.parametrize("name", ["postfix", "exim", "opensmtpd", "aiosmtpd"])
@pytest.mark.parametrize("secured", [False, True])
def test_it_delivers_to_real_servers(servers: ServerPark, name: str, secured: bool) -> None:
    """In clear; and over STARTTLS with the certificate verified, authenticated."""
    server = servers.start(name)
    arguments = ["--security", "none"]
    if secured:
        if not server.offers.tls_works:
            pytest.skip(f"{name} completes no handshake")
        arguments = ["--security", "starttls", "--ca", str(servers.authority)]
        arguments += ["--user", USER, "--password", PASSWORD]
    content = message()
    file = server.run / f"{uuid.uuid4().hex}.eml"
    file.write_bytes(content)
    before = len(server.messages(RECIPIENTS[1]))
    assert send(server, *arguments, "--to", RECIPIENTS[1], str(file)) == 0
    arrived(server, RECIPIENTS[1], content, before)


def test_a_refused_recipient_exits_1_and_is_named(
    server: Server, mail: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = ("--to", RECIPIENTS[0], "--to", UNKNOWN)
    assert send(server, "--security", "none", *to, str(mail)) == 1
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[1:3] for line in shown] == [
        ["accepted", RECIPIENTS[0]],
        ["refused", UNKNOWN],
    ]


def test_the_transcript_shows_the_states_and_no_password(
    server: Server, mail: Path, servers: ServerPark, capsys: pytest.CaptureFixture[str]
) -> None:
    tls = ("--security", "starttls", "--ca", str(servers.authority))
    auth = ("--user", USER, "--password", PASSWORD)
    assert send(server, "-v", *tls, *auth, "--to", RECIPIENTS[0], str(mail)) == 0
    shown = capsys.readouterr().err
    for line in (
        "SMTP_BANNER       -: TLS is up",
        "SMTP_AUTH         C: AUTH LOGIN",
        "SMTP_CONNECTED    S: 235",
        "SMTP_SEND_STREAM  C: (content)",
        "SMTP_SEND_MESSAGE S: 250",
        "SMTP_NONE         -: closed by the client",
    ):
        assert line in shown or line.replace("AUTH LOGIN", "AUTH PLAIN [redacted]") in shown
    assert PASSWORD not in shown


def test_json_on_stdout_and_nothing_else(
    server: Server, mail: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--security", "none", "--json", "-", "--to", UNKNOWN, str(mail))
    assert send(server, *arguments) == 1
    fates = json.loads(capsys.readouterr().out)["recipients"]
    assert [(fate["recipient"], fate["outcome"], fate["permanent"]) for fate in fates] == [
        (UNKNOWN, "refused", True)
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--security", "starttls", "--to", RECIPIENTS[0]), "certificate verify failed"),
        (("--security", "none", "--to", "a@b\r\nDATA"), "RFC 5321 §4.1.1.3"),
        (("--user", USER, "--to", RECIPIENTS[0]), "--user belongs with --password or --token"),
        (("--ca", "/nonexistent", "--to", RECIPIENTS[0]), "--ca: "),
        (
            ("--security", "none", "--user", USER, "--password", PASSWORD, "--to", "a@b"),
            "credentials over a connection in clear",
        ),
    ],
)
def test_what_cannot_be_done_exits_2_with_one_line(
    server: Server,
    mail: Path,
    arguments: tuple[str, ...],
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert send(server, *arguments, str(mail)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert says in captured.err
    assert PASSWORD not in captured.err


@pytest.mark.parametrize("target", ["localhost:0", "::1", "host:port", "a b"])
def test_a_target_that_is_none_exits_2(
    mail: Path, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    to = ["--from", SENDER, "--to", RECIPIENTS[0], str(mail)]
    assert run(["send", "--server", target, *to]) == 2
    assert "--server" in capsys.readouterr().err


def test_nobody_there_exits_2_with_one_line(mail: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with reserved(1) as (port,):
        target = ["--server", f"127.0.0.1:{port}"]
        assert run(["send", *target, "--from", SENDER, "--to", "a@b", str(mail)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_extensions_by_option(mail: Path) -> None:
    offers = ehlo("DSN", "CHUNKING", "AUTH XOAUTH2 PLAIN")
    auth = answers((b"AUTH XOAUTH2 ", b"235 in\r\n"))
    envelope = answers((b"MAIL", b"250 ok\r\n"), (b"RCPT", b"250 ok\r\n"), (b"BDAT", b""))
    content = (Line(), Line(), Line(), Say(b"250 taken\r\n"), *GOODBYE)
    with ScriptedServer((*GREETING, *offers, *auth, *envelope, *content)) as server:
        code = run(
            [
                *("send", "--server", f"127.0.0.1:{server.port}", "--security", "none"),
                *("--auth", "xoauth2", "--user", "me", "--token", "secret", "--auth-in-clear"),
                *("--notify", "failure", "--notify", "Delay", "--ret", "hdrs", "--envid", "7"),
                *("--chunking", "--from", SENDER, "--to", RECIPIENTS[0], str(mail)),
            ]
        )
    assert code == 0
    lines = server.taken[0].octets.decode().split("\r\n")
    assert lines[2].endswith("> RET=HDRS ENVID=7")
    assert lines[3].endswith("> NOTIFY=FAILURE,DELAY")
    assert lines[4].startswith("BDAT ")


def test_lmtp_by_option(mail: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lhlo = answers((b"LHLO", b"250 mx\r\n"), (b"MAIL", b"250 ok\r\n"))
    rcpts = answers((b"RCPT", b"250 ok\r\n"), (b"RCPT", b"250 ok\r\n"), (b"DATA", b"354 go\r\n"))
    content = (Body(), Say(b"250 2.1.5 ok\r\n452 4.2.2 full\r\n"), *GOODBYE)
    with ScriptedServer((*GREETING, *lhlo, *rcpts, *content)) as server:
        where = ("--server", f"127.0.0.1:{server.port}", "--lmtp", "--security", "none")
        to = ("--to", RECIPIENTS[0], "--to", RECIPIENTS[1], "--json", "-")
        assert run(["send", *where, "--from", SENDER, *to, str(mail)]) == 1
    fates = json.loads(capsys.readouterr().out)["recipients"]
    assert [(fate["outcome"], fate["status"]) for fate in fates] == [
        ("accepted", "2.1.5"),
        ("refused", "4.2.2"),
    ]
