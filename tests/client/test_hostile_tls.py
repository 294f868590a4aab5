"""TLS stripped, refused, injected into, or offered by the wrong server; injection by CR LF."""

import ssl

import pytest

from fsm_smtp.client import Extensions, Options
from fsm_smtp.client.options import Security
from fsm_smtp.errors import (
    ConnectionLost,
    HandshakeFailed,
    InvalidCommand,
    ProtocolError,
    Rejected,
    UnexpectedReply,
)
from fsm_smtp.session import Event
from fsm_smtp.testing.scripted import (
    GREETING,
    OPENING,
    Answer,
    Close,
    Handshake,
    Hold,
    Line,
    Say,
    Script,
    ScriptedServer,
    Step,
    answers,
    ehlo,
)
from fsm_smtp.wire import commands
from tests.client.conftest import Tls
from tests.client.driver import RECIPIENTS, SENDER, client

SECONDS = 1.0
PASSWORD = "hunter2-correct-horse"
HELLO = b"hello\r\n"


def options(
    tls: Tls, security: Security, told: list[Event] | None = None, user: str | None = None
) -> Options:
    return Options(
        security=security,
        user=user,
        password=PASSWORD if user else None,
        timeout=SECONDS,
        tls=tls.trusting,
        observer=told.append if told is not None else None,
    )


def offering_tls(*after: Step) -> Script:
    """Up to STARTTLS, which is asked for."""
    return (*GREETING, *ehlo("STARTTLS", "AUTH PLAIN", "SIZE"), Line(b"STARTTLS"), *after)


# -- as it should be -----------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["starttls", "opportunistic", "tls"])
def test_under_tls(adapter: str, tls: Tls, security: Security) -> None:
    inside = (*ehlo("AUTH PLAIN"), *answers((b"AUTH PLAIN ", b"235 ok\r\n")), Answer())
    script = (
        (Handshake(tls.good), *GREETING, *inside)
        if security == "tls"
        else offering_tls(Say(b"220 go\r\n"), Handshake(tls.good), *inside)
    )
    with (
        ScriptedServer(script) as server,
        client(adapter, server.port, options(tls, security, user="user")) as sender,
    ):
        assert sender.connect().code == 250
        assert sender.session.configuration["tls"] == "yes"
        assert sender.session.configuration["authenticated"] == "yes"
        assert "STARTTLS" not in sender.session.offers
        assert sender.send_message(HELLO * 50_000, SENDER, RECIPIENTS).all_accepted
        sender.quit()
        assert b"AUTH" not in server.taken[0].clear
        assert b"MAIL" not in server.taken[0].clear


# -- stripped ------------------------------------------------------------------------------------

STRIPPED: dict[str, Script] = {
    "not offered": (*GREETING, *ehlo("AUTH PLAIN")),
    "mangled": (*GREETING, *ehlo("XXXXXXXA", "AUTH PLAIN")),
    "with a parameter glued": (*GREETING, *ehlo("STARTTLS=x", "AUTH PLAIN")),
    "nothing offered": (*GREETING, *ehlo()),
    "HELO": (*GREETING, Line(b"EHLO"), Say(b"502 no\r\n"), Line(b"HELO"), Say(b"250 mx\r\n")),
    "454": offering_tls(Say(b"454 not now\r\n")),
    "500": offering_tls(Say(b"500 what?\r\n")),
    "554": offering_tls(Say(b"554 no\r\n")),
}


@pytest.mark.parametrize("how", STRIPPED)
def test_tls_required_and_stripped(adapter: str, tls: Tls, how: str) -> None:
    with (
        ScriptedServer((*STRIPPED[how], Answer())) as server,
        client(adapter, server.port, options(tls, "starttls", user="user")) as sender,
    ):
        with pytest.raises(HandshakeFailed) as caught:
            sender.connect()
        assert caught.value.rfc == "3207 §6"
        assert sender.session.legal == ("connect", "connect_tls")
    clear = bytes(server.taken[0].clear)
    assert b"AUTH" not in clear
    assert b"MAIL" not in clear
    assert clear.endswith(b"QUIT\r\n")


@pytest.mark.parametrize("how", STRIPPED)
def test_tls_only_wished_for(adapter: str, tls: Tls, how: str) -> None:
    """It goes on in clear, and the observer can see that it does."""
    told: list[Event] = []
    with (
        ScriptedServer((*STRIPPED[how], Answer())) as server,
        client(adapter, server.port, options(tls, "opportunistic", told)) as sender,
    ):
        sender.connect()
        assert sender.send_message(HELLO, SENDER, RECIPIENTS).all_accepted
        assert sender.session.configuration["tls"] == "no"
        sender.quit()
    assert b"MAIL" in server.taken[0].clear
    assert all(event.trigger != "tls_up" for event in told)


@pytest.mark.parametrize("goodbye", [b"", b"rubbish\r\n", b"354 go\r\n"])
def test_what_becomes_of_quit_does_not_hide_it(adapter: str, tls: Tls, goodbye: bytes) -> None:
    then: Script = (Say(goodbye), Hold()) if goodbye else (Close(),)
    with (
        ScriptedServer((*GREETING, *ehlo(), Line(b"QUIT"), *then)) as server,
        client(adapter, server.port, options(tls, "starttls")) as sender,
        pytest.raises(HandshakeFailed),
    ):
        sender.connect()


@pytest.mark.parametrize("code", [235, 250, 334, 354])
@pytest.mark.parametrize("security", ["starttls", "opportunistic"])
def test_only_220_starts_tls(adapter: str, tls: Tls, code: int, security: Security) -> None:
    with (
        ScriptedServer(offering_tls(Say(b"%d go\r\n" % code), Hold())) as server,
        client(adapter, server.port, options(tls, security)) as sender,
        pytest.raises(UnexpectedReply, match="only 220"),
    ):
        sender.connect()


@pytest.mark.parametrize("security", ["starttls", "opportunistic"])
def test_421_to_starttls(adapter: str, tls: Tls, security: Security) -> None:
    with (
        ScriptedServer(offering_tls(Say(b"421 no\r\n"), Answer())) as server,
        client(adapter, server.port, options(tls, security)) as sender,
    ):
        if security == "starttls":
            with pytest.raises(HandshakeFailed):
                sender.connect()
        else:
            sender.connect()
            assert sender.session.legal == ("send_quit", "close")
        sender.quit()
    assert b"MAIL" not in server.taken[0].octets


@pytest.mark.parametrize("security", ["starttls", "opportunistic"])
def test_ehlo_refused_inside_tls(adapter: str, tls: Tls, security: Security) -> None:
    inside = answers((b"EHLO", b"550 no\r\n"))
    script = offering_tls(Say(b"220 go\r\n"), Handshake(tls.good), *inside, Answer())
    with (
        ScriptedServer(script) as server,
        client(adapter, server.port, options(tls, security)) as sender,
    ):
        with pytest.raises(Rejected):
            sender.connect()
        assert sender.session.legal == ("connect", "connect_tls")


# -- injected ------------------------------------------------------------------------------------


@pytest.mark.parametrize("injected", [b"250 injected\r\n", b"2", b"250-x\r\n250 AUTH PLAIN\r\n"])
def test_plaintext_in_the_segment_of_the_220(adapter: str, tls: Tls, injected: bytes) -> None:
    script = offering_tls(Say(b"220 go\r\n" + injected), Hold())
    with (
        ScriptedServer(script) as server,
        client(adapter, server.port, options(tls, "starttls", user="user")) as sender,
    ):
        with pytest.raises(UnexpectedReply, match="before the handshake"):
            sender.connect()
        assert sender.session.legal == ("connect", "connect_tls")
    assert bytes(server.taken[0].octets).endswith(b"STARTTLS\r\n")


def test_plaintext_behind_the_220_is_not_read_inside_tls(adapter: str, tls: Tls) -> None:
    """In a segment of its own; a handshake that begins with it fails, and nothing is believed."""
    script = offering_tls(Say(b"220 go\r\n"), Say(b"250 injected\r\n"), Handshake(tls.good))
    with (
        ScriptedServer((*script, *ehlo("AUTH PLAIN"), Hold())) as server,
        client(adapter, server.port, options(tls, "starttls", user="user")) as sender,
    ):
        with pytest.raises((UnexpectedReply, HandshakeFailed)):
            sender.connect()
        assert sender.session.legal == ("connect", "connect_tls")
    assert b"AUTH" not in server.taken[0].octets


def test_what_was_offered_in_clear_is_not_believed_inside(adapter: str, tls: Tls) -> None:
    """AUTH was offered in clear and is not under TLS: no credential is sent."""
    script = offering_tls(Say(b"220 go\r\n"), Handshake(tls.good), *ehlo("SIZE"), Answer())
    with (
        ScriptedServer(script) as server,
        client(adapter, server.port, options(tls, "starttls", user="user")) as sender,
        pytest.raises(InvalidCommand, match="offers nothing"),
    ):
        sender.connect()
    assert b"AUTH" not in server.taken[0].octets


# -- the wrong server ----------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["starttls", "opportunistic", "tls"])
@pytest.mark.parametrize("who", ["unknown authority", "wrong name", "expired", "self-signed"])
def test_certificates_that_are_refused(
    adapter: str, tls: Tls, self_signed: ssl.SSLContext, security: Security, who: str
) -> None:
    shown = Handshake({**tls.bad, "self-signed": self_signed}[who])
    script = (shown,) if security == "tls" else offering_tls(Say(b"220 go\r\n"), shown, Hold())
    told: list[Event] = []
    with (
        ScriptedServer(script) as server,
        client(adapter, server.port, options(tls, security, told, user="user")) as sender,
    ):
        with pytest.raises(HandshakeFailed, match="certificate verify failed"):
            sender.connect()
        assert sender.session.legal == ("connect", "connect_tls")
    assert b"AUTH" not in server.taken[0].octets
    assert PASSWORD not in repr(told)


def test_certificates_are_verified_by_default(adapter: str, tls: Tls) -> None:
    with (
        ScriptedServer((Handshake(tls.good), Hold())) as server,
        client(adapter, server.port, Options(security="tls", timeout=SECONDS)) as sender,
        pytest.raises(HandshakeFailed, match="certificate verify failed"),
    ):
        sender.connect()


def test_another_name_may_be_asked_for(adapter: str, tls: Tls) -> None:
    asked = Options(
        security="tls", timeout=SECONDS, tls=tls.trusting, server_name="mx.example.test"
    )
    with (
        ScriptedServer((Handshake(tls.good), *OPENING, Answer())) as server,
        client(adapter, server.port, asked) as sender,
    ):
        sender.connect()
        sender.quit()


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("then", [Close(), Close(reset=True), Hold(), Say(b"220 hi\r\n")])
def test_handshakes_that_go_nowhere(adapter: str, tls: Tls, security: Security, then: Step) -> None:
    before = offering_tls(Say(b"220 go\r\n")) if security == "starttls" else ()
    how = Options(security=security, timeout=0.4, tls=tls.trusting)
    with (
        ScriptedServer((*before, then, Hold())) as server,
        client(adapter, server.port, how) as sender,
    ):
        with pytest.raises((HandshakeFailed, ConnectionLost, UnexpectedReply)) as caught:
            sender.connect()
        assert isinstance(caught.value, ConnectionError | UnexpectedReply)
        assert sender.session.legal == ("connect", "connect_tls")


# -- CR LF ---------------------------------------------------------------------------------------

NASTY = ["a\r\nRSET", "a\nb", "a\rb", "a\0b", "a\x7fb", "a\tb", "\u560a\u560d", "a\r\n.\r\nQUIT"]


@pytest.mark.parametrize("nasty", NASTY)
def test_no_injection_by_address_or_parameter(adapter: str, nasty: str) -> None:
    with (
        ScriptedServer((*OPENING, Answer())) as server,
        client(adapter, server.port, Options(timeout=SECONDS, ehlo_name="c.example")) as sender,
    ):
        sender.connect()
        before = sender.session.configuration
        tries: list[tuple[str, tuple[str, ...], dict[str, str | None]]] = [
            (f"{nasty}@example.test", RECIPIENTS, {}),
            (SENDER, (RECIPIENTS[0], f"{nasty}@example.test"), {}),
            (SENDER, (f"x@{nasty}",), {}),
            (SENDER, RECIPIENTS, {"ENVID": nasty}),
            (SENDER, RECIPIENTS, {nasty: None}),
        ]
        for reverse, forward, parameters in tries:
            with pytest.raises(InvalidCommand):
                sender.send_message(
                    HELLO, reverse, forward, extensions=Extensions(parameters=parameters)
                )
        assert sender.session.configuration is before
        assert sender.send_message(HELLO, SENDER, RECIPIENTS).all_accepted
        sender.quit()
    assert server.taken[0].octets.count(b"\r\n") == len(
        ["EHLO", "MAIL", "RCPT", "RCPT", "DATA", "hello", ".", "QUIT"]
    )


@pytest.mark.parametrize("nasty", NASTY)
def test_no_injection_by_the_client_s_name(adapter: str, nasty: str) -> None:
    with (
        ScriptedServer((*GREETING, Answer())) as server,
        client(adapter, server.port, Options(timeout=0.3, ehlo_name=nasty)) as sender,
    ):
        with pytest.raises(InvalidCommand):
            sender.connect()
        assert sender.session.legal == ("connect", "connect_tls")
    assert server.taken[0].octets in (b"", b"QUIT\r\n")


def test_nothing_is_lost_on_a_stopped_exchange(adapter: str) -> None:
    """A user and a password with control characters go as base64, or not at all."""
    how = Options(user="u\r\n", password=PASSWORD + "\r\nQUIT", clear_auth=True, timeout=SECONDS)
    accepted = answers((b"AUTH PLAIN ", b"235 ok\r\n"))
    with (
        ScriptedServer((*GREETING, *ehlo("AUTH PLAIN"), *accepted, Answer())) as server,
        client(adapter, server.port, how) as sender,
    ):
        sender.connect()
        sender.command(commands.noop())
        sender.quit()
    assert [line[:4] for line in server.taken[0].octets.split(b"\r\n")] == [
        b"EHLO", b"AUTH", b"NOOP", b"QUIT", b"",
    ]  # fmt: skip
    assert issubclass(InvalidCommand, ProtocolError)
