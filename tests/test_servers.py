"""The real servers under the tests: each starts, says what we expect, delivers, and goes away.

The client here is smtplib, on purpose: a failure then blames the server's settings, not us.
"""

import smtplib
import socket
import ssl
import time
from pathlib import Path

import pytest

from tests.servers import registry
from tests.servers.base import PASSWORD, RECIPIENTS, SENDER, UNKNOWN, USER, Server
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import ServerPark
from tests.servers.probe import SECONDS, arrived, connect, message, ready_to_send, secured
from tests.servers.process import members
from tests.servers.sendmail import OUTSIDE

ELSEWHERE = "someone@elsewhere.test"
EVERY = pytest.mark.parametrize("name", list(registry.SERVERS))


def keywords(client: smtplib.SMTP) -> tuple[frozenset[str], frozenset[str]]:
    """EHLO keywords, and AUTH's mechanisms."""
    assert client.ehlo()[0] == 250
    mechanisms = client.esmtp_features.get("auth", "").upper().split()
    return frozenset(word.upper() for word in client.esmtp_features), frozenset(mechanisms)


@EVERY
def test_it_offers_what_we_expect(servers: ServerPark, name: str) -> None:
    server = servers.start(name)
    with connect(server) as client:
        offered, mechanisms = keywords(client)
    assert server.offers.keywords <= offered
    assert ("STARTTLS" in offered) == server.offers.starttls
    assert ("PIPELINING" in offered) == ("PIPELINING" in server.offers.keywords)
    assert ("CHUNKING" in offered) == ("CHUNKING" in server.offers.keywords)
    assert mechanisms == server.offers.auth


@EVERY
def test_a_message_arrives_as_it_was_sent(servers: ServerPark, name: str) -> None:
    server = servers.start(name)
    sent = message()
    before = {each: len(server.messages(each)) for each in RECIPIENTS[:2]}
    with ready_to_send(server) as client:
        assert client.sendmail(SENDER, RECIPIENTS[:2], sent) == {}
    for recipient, count in before.items():
        arrived(server, recipient, sent, count)


@EVERY
def test_starttls_with_the_certificate_verified(servers: ServerPark, name: str) -> None:
    server = servers.start(name)
    if not server.offers.tls_works:
        if not server.offers.starttls:
            pytest.skip(f"{name} offers no STARTTLS")
        with pytest.raises((ssl.SSLError, ConnectionError, smtplib.SMTPException)):
            secured(server)  # the day it works, this build is no exception any more
        return
    sent = message()
    before = len(server.messages(RECIPIENTS[1]))
    with secured(server) as client:
        assert isinstance(client.sock, ssl.SSLSocket)
        if server.demands_auth:
            client.login(USER, PASSWORD)
        assert client.sendmail(SENDER, RECIPIENTS[1], sent) == {}
    arrived(server, RECIPIENTS[1], sent, before)


@EVERY
def test_a_stranger_does_not_trust_the_certificate(servers: ServerPark, name: str) -> None:
    server = servers.start(name)
    if not server.offers.tls_works:
        pytest.skip(f"{name} completes no handshake")
    client = connect(server)
    with pytest.raises(ssl.SSLCertVerificationError):
        client.starttls(context=ssl.create_default_context())
    client.close()


@EVERY
def test_auth_takes_the_right_password_only(servers: ServerPark, name: str) -> None:
    server = servers.start(name)
    if not server.offers.auth or not server.offers.auth_works:
        pytest.skip(f"{name} has no AUTH that works in plaintext")
    for mechanism in sorted(server.offers.auth):
        with connect(server) as client:
            client.ehlo()
            client.user, client.password = USER, PASSWORD
            authobject = getattr(client, f"auth_{mechanism.lower()}")
            assert client.auth(mechanism, authobject)[0] == 235
    with connect(server) as client, pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        client.login(USER, "not the password")
    assert refused.value.smtp_code == 535


@EVERY
def test_an_unknown_recipient_is_refused(servers: ServerPark, name: str) -> None:
    server = servers.start(name)
    with ready_to_send(server) as client:
        client.mail(SENDER)
        for known in RECIPIENTS:
            assert client.rcpt(known)[0] == 250
        assert client.rcpt(UNKNOWN)[0] in (range(500, 600) if server.discerning else [250])


@EVERY
def test_a_stranger_may_not_relay(servers: ServerPark, name: str) -> None:
    server = servers.start(name)
    with ready_to_send(server) as client:
        client.mail(SENDER)
        assert client.rcpt(ELSEWHERE)[0] in (range(500, 600) if server.discerning else [250])


def relay_as_the_user(server: Server) -> None:
    with connect(server) as client:
        client.login(USER, PASSWORD)
        assert client.sendmail(SENDER, ELSEWHERE, message()) == {}


@pytest.mark.parametrize(
    ("name", "fate"),
    [("postfix", "(nothing leaves this machine)"), ("exim", "Unrouteable address")],
)
def test_what_the_user_relays_ends_in_the_log(servers: ServerPark, name: str, fate: str) -> None:
    with servers.build(name) as server:
        relay_as_the_user(server)
        deadline = time.monotonic() + SECONDS
        while fate not in server.log_tail() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert fate in server.log_tail()


def test_what_the_user_relays_by_sendmail_ends_in_a_folder(servers: ServerPark) -> None:
    with servers.build("sendmail") as server:
        relay_as_the_user(server)
        server.wait_for_message(OUTSIDE)


VARIANTS = [
    (name, option)
    for name, kind in registry.SERVERS.items()
    for option in sorted(kind.supports & {"auth_required", "tls_required"})
]


@pytest.mark.parametrize(("name", "option"), VARIANTS)
def test_a_variant_demands_what_it_is_told_to(servers: ServerPark, name: str, option: str) -> None:
    server = servers.start(name, **{option: True})
    with connect(server) as client:
        client.ehlo()
        refusal = client.mail(SENDER)[0]
        if refusal == 250:  # some servers hold the refusal back until RCPT
            refusal = client.rcpt(RECIPIENTS[0])[0]
        assert 500 <= refusal < 600
    sent = message()
    before = len(server.messages(RECIPIENTS[0]))
    with ready_to_send(server) if option == "auth_required" else secured(server) as client:
        assert client.sendmail(SENDER, RECIPIENTS[0], sent) == {}
    arrived(server, RECIPIENTS[0], sent, before)


def test_hardened_postfix_refuses_what_plain_postfix_bears(servers: ServerPark) -> None:
    replies: list[int] = []
    for hardened in (False, True):
        with connect(servers.start("postfix", hardened=hardened)) as client:
            client.ehlo()
            replies.append(client.docmd("MAIL FROM:sender@example.test")[0])
    assert replies == [250, 501]


def test_dovecot_answers_lmtp_with_a_reply_per_recipient(servers: ServerPark) -> None:
    server = servers.start("dovecot")
    assert isinstance(server, Dovecot)
    sent = message()
    before = {each: len(server.messages(each)) for each in RECIPIENTS[:2]}
    with socket.create_connection((server.host, server.lmtp_port), SECONDS) as sock:
        stream = sock.makefile("rwb")
        replies: list[bytes] = []
        commands = [b"", b"LHLO x", b"MAIL FROM:<%s>" % SENDER.encode()]
        commands += [b"RCPT TO:<%s>" % each.encode() for each in (*RECIPIENTS[:2], UNKNOWN)]
        for command in (*commands, b"DATA"):
            stream.write(command + b"\r\n" if command else b"")
            stream.flush()
            while (line := stream.readline())[3:4] == b"-":
                pass
            replies.append(line[:3])
        stuffed = b"".join(
            b"." + line if line.startswith(b".") else line for line in sent.splitlines(True)
        )
        stream.write(stuffed + b".\r\nQUIT\r\n")
        stream.flush()
        replies += [line[:3] for line in stream]
    # One reply to the end of data for each recipient that was accepted, then QUIT's.
    assert replies == [b"220", *[b"250"] * 4, b"550", b"354", b"250", b"250", b"221"]
    for recipient, count in before.items():
        arrived(server, recipient, sent, count)


@pytest.mark.parametrize("name", ["aiosmtpd", "smtp-sink"])
def test_a_discarding_server_stores_nothing(servers: ServerPark, name: str) -> None:
    server = servers.start(name, discard=True)
    with connect(server) as client:
        assert client.sendmail(SENDER, RECIPIENTS[0], message()) == {}
    assert server.messages(RECIPIENTS[0]) == []


@EVERY
def test_it_leaves_no_process_behind(servers: ServerPark, name: str) -> None:
    with servers.build(name) as server:
        with ready_to_send(server) as client:
            client.sendmail(SENDER, RECIPIENTS[0], message())
        pid, run = server.pid, str(server.run)
        assert pid in server.processes()
        idle = socket.create_connection((server.host, server.port), SECONDS)
        assert idle.recv(512).startswith(b"220")
        server.stop()  # the open session must not keep it
        idle.close()
    assert members(pid) == frozenset()
    assert [pid for pid in pids() if lives_in(pid, run)] == []
    with pytest.raises(ConnectionRefusedError):
        connect(server)


def pids() -> list[str]:
    return [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def lives_in(pid: str, run: str) -> bool:
    """Does this process work in the run folder, or was it started with its name?"""
    try:
        place = str(Path(f"/proc/{pid}/cwd").readlink())
        words = Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False  # it ended meanwhile, or belongs to somebody else
    return place.startswith(run) or run in words


@EVERY
def test_copies_run_side_by_side(servers: ServerPark, name: str) -> None:
    first = servers.start(name)
    with servers.build(name) as second:
        assert second.port != first.port
        before = len(first.messages(RECIPIENTS[2]))
        sent = message()
        with ready_to_send(second) as client:
            client.sendmail(SENDER, RECIPIENTS[2], sent)
        arrived(second, RECIPIENTS[2], sent, 0)
        assert len(first.messages(RECIPIENTS[2])) == before
