"""The guard inside smtplib: drop-in classes, objects made elsewhere, and every client there is."""

import pickle
import smtplib
import ssl
import time
from collections.abc import Iterator

import pytest

import fsm_smtp.guard
from fsm_smtp import CommandRefused
from fsm_smtp.guard import GuardError, GuardOptions, guard, install, uninstall
from fsm_smtp.guard import smtplib as guarded
from fsm_smtp.guard.connection import QUIET
from fsm_smtp.testing.scripted import (
    DELIVERY,
    ENVELOPE,
    GOODBYE,
    GREETING,
    OPENING,
    Answer,
    Close,
    Hold,
    Line,
    Say,
    ScriptedServer,
    answers,
    ehlo,
)
from tests.guard.talk import Found
from tests.servers.base import RECIPIENTS, SENDER
from tests.servers.fixtures import ServerPark

MAIL = b"Subject: hi\r\n\r\n.hello\r\n"


def test_a_drop_in_sends_what_smtplib_sends() -> None:
    wires = []
    for module in (smtplib, guarded):
        with ScriptedServer((*DELIVERY, *GOODBYE)) as server:
            with module.SMTP("127.0.0.1", server.port, "client.example.test", 10) as smtp:
                assert smtp.sendmail("a@example.org", "b@example.test", MAIL) == {}
        wires.append(server.taken[0].octets)
    assert wires[0] == wires[1]


def test_an_illegal_command_writes_nothing() -> None:
    with ScriptedServer((*OPENING, *GOODBYE)) as server:
        with guarded.SMTP("127.0.0.1", server.port, "client.example.test", 10) as smtp:
            smtp.ehlo()
            with pytest.raises(smtplib.SMTPException) as caught:
                smtp.data(MAIL)
            with pytest.raises(ValueError, match="control octet 00"):
                smtp.mail("a\0@example.org")
    assert isinstance(caught.value, CommandRefused)
    assert server.taken[0].octets.startswith(b"ehlo client.example.test\r\n")
    assert server.taken[0].octets.upper().endswith(b"TEST\r\nQUIT\r\n")


def test_what_smtplib_raises_comes_first() -> None:
    with pytest.raises(smtplib.SMTPServerDisconnected) as caught:
        guarded.SMTP().ehlo()
    assert not isinstance(caught.value, GuardError)
    with ScriptedServer((*OPENING, *GOODBYE)) as server:
        with guarded.SMTP("127.0.0.1", server.port, "client.example.test", 10) as smtp:
            smtp.ehlo()
            with pytest.raises(UnicodeEncodeError):
                smtp.mail("ä@example.org")
            with pytest.raises(ValueError, match="prohibited newline") as newline:
                smtp.mail("a@example.org", ["SIZE=1\r\nDATA"])
            assert not isinstance(newline.value, GuardError)


def test_bare_line_ends_in_content_are_refused_and_the_message_can_be_sent_again() -> None:
    with ScriptedServer((*DELIVERY, *GOODBYE)) as server:
        with guarded.SMTP("127.0.0.1", server.port, "client.example.test", 10) as smtp:
            smtp.ehlo()
            smtp.mail("a@example.org")
            smtp.rcpt("b@example.test")
            smtp.docmd("DATA")
            with pytest.raises(ValueError, match="bare LF") as caught:
                smtp.send(b"a\n.\nMAIL FROM:<evil@example.org>\r\n.\r\n")
            smtp.send(b"a\r\n.\r\n")
            assert smtp.getreply()[0] == 250
    assert isinstance(caught.value, smtplib.SMTPException)
    assert b"evil" not in server.taken[0].octets


def test_a_server_that_lies_loses_its_client() -> None:
    script = (*OPENING, Line(b"MAIL"), Say(b"354 go ahead\r\n"), Answer())
    with ScriptedServer(script) as server:
        smtp = guarded.SMTP("127.0.0.1", server.port, "client.example.test", 10)
        with pytest.raises(smtplib.SMTPResponseException) as caught:
            smtp.sendmail("a@example.org", "b@example.test", MAIL)
        assert isinstance(caught.value, GuardError)
        assert (caught.value.smtp_code, caught.value.smtp_error) == (354, b"go ahead")
        assert pickle.loads(pickle.dumps(caught.value)).smtp_code == 354
        assert smtp.sock is None


def test_what_came_before_it_was_asked_for_is_noticed() -> None:
    early = b"250-mx.example.test\r\n250 SIZE\r\n250 RCPT is fine, believe me\r\n"
    with ScriptedServer((*GREETING, Line(b"EHLO"), Say(early), Answer())) as server:
        smtp = guarded.SMTP("127.0.0.1", server.port, "client.example.test", 10)
        smtp.ehlo()
        with pytest.raises(smtplib.SMTPException, match="every command is answered once"):
            smtp.noop()
        assert smtp.sock is None


def test_what_came_while_nothing_was_done_is_noticed() -> None:
    script = (*OPENING, Say(b"250 RCPT is fine, believe me\r\n"), Answer())
    with ScriptedServer(script) as server:
        smtp = guarded.SMTP("127.0.0.1", server.port, "client.example.test", 10)
        smtp.ehlo()
        with pytest.raises(smtplib.SMTPException, match="every command is answered once"):
            for _ in range(9):
                time.sleep(2 * QUIET)  # by then it is there
                smtp.noop()
        assert smtp.sock is None


def test_a_shutdown_before_the_command_is_a_lost_connection_for_smtplib() -> None:
    script = (*OPENING, Line(b"NOOP"), Say(b"250 ok\r\n421 going down\r\n"), Close())
    with ScriptedServer(script) as server:
        smtp = guarded.SMTP("127.0.0.1", server.port, "client.example.test", 10)
        smtp.ehlo()
        assert smtp.noop()[0] == 250
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.mail("a@example.org")
        smtp.close()


def test_a_greeting_that_is_none_is_a_connect_error() -> None:
    with (
        ScriptedServer((Say(b"250 hello\r\n"), Answer())) as server,
        pytest.raises(smtplib.SMTPConnectError) as caught,
    ):
        guarded.SMTP("127.0.0.1", server.port, "client.example.test", 10)
    assert isinstance(caught.value, GuardError)
    assert caught.value.smtp_code == 250


def test_starttls_and_what_may_stand_behind_it(servers: ServerPark) -> None:
    server = servers.start("postfix")
    context = ssl.create_default_context(cafile=str(servers.authority))
    context.check_hostname = False  # the server is reached by its address
    found = Found()

    class Watched(guarded.SMTP):
        guarding = GuardOptions(on_finding=found.append, require_tls=True)

    with Watched(server.host, server.port, "client.example.test", 10) as smtp:
        smtp.ehlo()
        with pytest.raises(CommandRefused, match="in clear"):
            smtp.mail(SENDER)
        smtp.starttls(context=context)
        assert smtp.sendmail(SENDER, RECIPIENTS[0], MAIL) == {}
    assert [each.why for each in found] == ["the connection is in clear"]


def test_plaintext_behind_starttls_is_not_believed() -> None:
    script = (*GREETING, *ehlo("STARTTLS"), Line(b"STARTTLS"), Say(b"220 go\r\n250 evil\r\n"))
    with ScriptedServer((*script, Answer())) as server:
        smtp = guarded.SMTP("127.0.0.1", server.port, "client.example.test", 10)
        with pytest.raises(smtplib.SMTPException, match="plaintext behind the 220"):
            smtp.starttls(context=ssl.create_default_context())
        assert smtp.sock is None


class Shouting(smtplib.SMTP):
    """Somebody's own class, whose own ways must stay."""

    heard = 0

    def getreply(self) -> tuple[int, bytes]:
        code, text = super().getreply()
        Shouting.heard += 1
        return code, text.upper()


def test_an_object_made_elsewhere() -> None:
    found = Found()
    with ScriptedServer((*DELIVERY, *GOODBYE)) as server:
        smtp = Shouting("127.0.0.1", server.port, "client.example.test", 10)
        smtp.ehlo()
        assert guard(smtp, GuardOptions(on_finding=found.append)) is smtp
        assert isinstance(smtp, Shouting)
        assert smtp.ehlo_resp == b"MX.EXAMPLE.TEST\nSIZE\n8BITMIME"
        with pytest.raises(CommandRefused, match="legal only in SMTP_MAIL"):
            smtp.rcpt("b@example.test")
        before = Shouting.heard
        smtp.sendmail("a@example.org", "b@example.test", MAIL)
        assert Shouting.heard == before + 4
        smtp.quit()
    assert len(found) == 1


def test_an_lmtp_object_made_elsewhere() -> None:
    script = (*GREETING, Line(b"LHLO"), Say(b"250-mx\r\n250 PIPELINING\r\n"), Answer())
    with ScriptedServer(script) as server:
        with smtplib.LMTP("127.0.0.1", server.port, "client.example.test", timeout=10) as lmtp:
            lmtp.ehlo()
            guard(lmtp)
            with pytest.raises(CommandRefused):
                lmtp.docmd("DATA")
            assert lmtp.mail("a@example.org")[0] == 250


def test_an_object_whose_ehlo_was_refused_has_no_offers() -> None:
    refused = answers((b"EHLO", b"500-no\r\n500 SIZE\r\n"), (b"HELO", b"250 mx\r\n"))
    with ScriptedServer((*GREETING, *refused, *GOODBYE)) as server:
        with smtplib.SMTP("127.0.0.1", server.port, "client.example.test", 10) as smtp:
            smtp.ehlo_or_helo_if_needed()
            guard(smtp)
            with pytest.raises(smtplib.SMTPNotSupportedError):
                smtp.docmd("MAIL FROM:<a@example.org> SIZE=5")


def test_an_object_that_is_not_connected_yet() -> None:
    with ScriptedServer((*OPENING, *GOODBYE)) as server:
        smtp = guard(smtplib.SMTP(local_hostname="client.example.test", timeout=10))
        smtp.connect("127.0.0.1", server.port)
        with pytest.raises(CommandRefused, match="EHLO or HELO opens the session"):
            smtp.mail("a@example.org")
        smtp.ehlo()
        smtp.quit()


def test_only_clients_can_be_guarded() -> None:
    with pytest.raises(TypeError, match="int is no client"):
        guard(3)


@pytest.fixture
def clean() -> Iterator[None]:
    own = smtplib.SMTP.send, smtplib.SMTP.getreply, smtplib.SMTP.close
    yield
    assert (smtplib.SMTP.send, smtplib.SMTP.getreply, smtplib.SMTP.close) == own
    assert not hasattr(smtplib.SMTP, "guarding")


@pytest.mark.usefixtures("clean")
def test_installed_every_client_is_guarded_and_then_none_is() -> None:
    found = Found()
    script = (*OPENING, Line(b"RCPT"), Say(b"503 no\r\n"), *GOODBYE)
    with ScriptedServer(script) as server:
        with install(GuardOptions(on_finding=found.append)):
            smtp = smtplib.SMTP("127.0.0.1", server.port, "client.example.test", 10)
            smtp.ehlo()
            with pytest.raises(CommandRefused):
                smtp.rcpt("b@example.test")
            own = guarded.SMTP()  # is guarded by its class, and only once
            with pytest.raises(smtplib.SMTPServerDisconnected):
                own.ehlo()
        assert smtp.rcpt("b@example.test")[0] == 503
        smtp.quit()
    assert len(found) == 1


@pytest.mark.usefixtures("clean")
def test_installed_refused_content_ends_the_connection() -> None:
    """Nothing else can follow 354: QUIT would be a line of the message."""
    with ScriptedServer((*OPENING, *ENVELOPE, Hold())) as server, install():
        with pytest.raises(ValueError, match="bare LF"):
            with smtplib.SMTP("127.0.0.1", server.port, "client.example.test", 10) as smtp:
                smtp.sendmail("a@example.org", "b@example.test", b"a\nb\r\n")
        assert smtp.sock is None
    assert server.taken[0].octets.endswith(b"data\r\n")


def test_installing_leaves_open_connections_alone() -> None:
    script = (*OPENING, Line(b"RCPT"), Say(b"503 no\r\n"), *GOODBYE)
    with ScriptedServer(script) as server:
        smtp = smtplib.SMTP("127.0.0.1", server.port, "client.example.test", 10)
        smtp.ehlo()
        fsm_smtp.guard.install()
        assert smtp.rcpt("b@example.test")[0] == 503
        smtp.quit()
    uninstall()
    uninstall()  # there is none: nothing happens


@pytest.mark.usefixtures("clean")
def test_the_later_installation_counts() -> None:
    inner, outer = Found(), Found()
    with ScriptedServer(always=(*OPENING, Hold())) as server:
        with install(GuardOptions(on_finding=outer.append)):
            with install(GuardOptions(on_finding=inner.append)):
                _break_order(server.port)
            first = list(inner)
            assert first
            assert not outer
            _break_order(server.port)
    assert inner == first
    assert outer


def _break_order(port: int) -> None:
    smtp = smtplib.SMTP("127.0.0.1", port, "client.example.test", 10)
    smtp.ehlo()
    with pytest.raises(GuardError):
        smtp.docmd("DATA")
    smtp.close()


def test_recording_blocks_nothing() -> None:
    found = Found()

    class Recorded(guarded.SMTP):
        guarding = GuardOptions(mode="record", on_finding=found.append)

    script = (*OPENING, Line(b"RCPT"), Say(b"503 no\r\n"), *DELIVERY[len(OPENING) :], *GOODBYE)
    with ScriptedServer(script) as server:
        with Recorded("127.0.0.1", server.port, "client.example.test", 10) as smtp:
            smtp.ehlo()
            assert smtp.rcpt("b@example.test")[0] == 503
            assert smtp.sendmail("a@example.org", "b@example.test", MAIL) == {}
    assert [(each.trigger, each.violation) for each in found] == [("send_rcpt", True)]


def test_debugging_shows_what_smtplib_shows(capsys: pytest.CaptureFixture[str]) -> None:
    shown = []
    for module in (smtplib, guarded):
        with ScriptedServer((*DELIVERY, *GOODBYE)) as server:
            smtp = module.SMTP(local_hostname="client.example.test", timeout=10)
            smtp.set_debuglevel(1)
            smtp.connect("127.0.0.1", server.port)
            smtp.sendmail("a@example.org", "b@example.test", MAIL)
            smtp.quit()
        shown.append(capsys.readouterr().err.replace(str(server.port), "PORT"))
    assert shown[0] == shown[1]


def test_errors_are_of_the_kinds_that_callers_catch() -> None:
    kinds = [kind for kind in vars(guarded).values() if isinstance(kind, type)]
    ours = [
        each for each in kinds if each.__module__ == guarded.__name__ and "SMTP" in each.__name__
    ]
    errors = [each for each in ours if issubclass(each, Exception)]
    assert len(errors) >= 8
    assert all(issubclass(each, smtplib.SMTPException) for each in errors)
    assert issubclass(guarded.SMTPLineRefused, ValueError)


def test_tls_that_verifies_nothing_is_remarked_on(servers: ServerPark) -> None:
    found = Found()

    class Watched(guarded.SMTP):
        guarding = GuardOptions(on_finding=found.append)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    server = servers.start("postfix")
    with Watched(server.host, server.port, "client.example.test", 10) as smtp:
        smtp.starttls(context=context)
        smtp.ehlo()
    assert [(each.kind.value, each.violation) for each in found] == [("exposed", False)]


def test_a_handshake_in_clear_is_due_and_nothing_else() -> None:
    script = (*GREETING, *ehlo("STARTTLS"), Line(b"STARTTLS"), Say(b"220 go\r\n"), Answer())
    with ScriptedServer(script) as server:
        smtp = guarded.SMTP("127.0.0.1", server.port, "client.example.test", 10)
        smtp.ehlo()
        smtp.docmd("STARTTLS")
        with pytest.raises(CommandRefused, match="handshake"):
            smtp.mail("a@example.org")
        smtp.close()
