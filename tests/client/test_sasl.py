"""Each mechanism against a server that knows it, the choice between them, and no secret shown."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest
import scramp
from hypothesis import given
from hypothesis import strategies as st

from fsm_smtp.client import Credentials, Logon, Options
from fsm_smtp.client.dialogue import Dialogue
from fsm_smtp.client.sasl import DEFAULT, MECHANISMS, Place, choose
from fsm_smtp.client.sasl.binding import Bound, binding
from fsm_smtp.client.sasl.mechanism import Mechanism, MechanismFailed
from fsm_smtp.errors import InvalidCommand, ProtocolError, Rejected, UnexpectedReply
from fsm_smtp.session import Event
from tests.client.inmemory import Recorded, opened, run

USER, PASSWORD, TOKEN = "user=me,x", "hunter2-correct-horse", "ya29.secret-token"
WHO = Credentials(USER, PASSWORD, TOKEN)
PLACE = Place("mx.example.test", 587)
HOW = {"user": USER, "password": PASSWORD, "token": TOKEN, "clear_auth": True}


class Certified:
    """A TLS connection, as far as channel binding asks."""

    def __init__(self, version: str, unique: bytes | None, certificate: bytes | None) -> None:
        self._version, self._unique, self._certificate = version, unique, certificate

    def version(self) -> str | None:
        return self._version

    def get_channel_binding(self, cb_type: str = "tls-unique") -> bytes | None:
        assert cb_type == "tls-unique"
        return self._unique

    def getpeercert(self, binary_form: bool = False) -> object:
        assert binary_form
        return self._certificate


def made(name: str, who: Credentials = WHO, place: Place = PLACE) -> Mechanism:
    (choice,) = choose([name], who, place, [name])
    return choice.make()


# -- each mechanism ------------------------------------------------------------------------------


def test_the_messages_of_the_simple_ones() -> None:
    assert made("PLAIN").initial() == f"\0{USER}\0{PASSWORD}".encode()
    assert made("EXTERNAL").initial() == USER.encode()
    assert made("EXTERNAL").respond(b"") == USER.encode()
    login = made("LOGIN")
    assert login.initial() is None
    assert [login.respond(b"?") for _ in range(3)] == [USER.encode(), PASSWORD.encode(), b""]


def test_oauthbearer() -> None:
    """RFC 7628 §4.1: the separator is 01, and a name is a saslname."""
    bearer = made("OAUTHBEARER")
    assert bearer.initial() == (
        b"n,a=user=3Dme=2Cx,\x01host=mx.example.test\x01port=587\x01auth=Bearer ya29.secret-token"
        b"\x01\x01"
    )
    assert bearer.respond(b"") == bearer.initial()
    assert bearer.respond(b'{"status":"invalid_token"}') == b"\x01"


def test_xoauth2() -> None:
    xoauth2 = made("XOAUTH2")
    expected = b"user=user=me,x\x01auth=Bearer ya29.secret-token\x01\x01"
    assert xoauth2.initial() == expected
    assert xoauth2.respond(b"") == expected
    assert xoauth2.respond(b'{"status":"400"}') == b""


def test_cram_md5() -> None:
    """The example of RFC 2195 §2."""
    cram = made("CRAM-MD5", Credentials("tim", "tanstaaftanstaaf"))
    assert cram.initial() is None
    answer = cram.respond(b"<1896.697170952@postoffice.reston.mci.net>")
    assert answer == b"tim b913a602c7eda7a495b4e6e7334d3890"
    with pytest.raises(MechanismFailed):
        cram.respond(b"")


def scram_server(name: str, password: str, bound: object = None) -> Callable[[bytes], bytes]:
    """Gives the server's message to each of the client's."""
    mechanism = scramp.ScramMechanism(name)
    salt, stored, served, count = mechanism.make_auth_info(password, iteration_count=4096)
    server = mechanism.make_server(lambda _: (salt, stored, served, count), channel_binding=bound)
    messages = [server.get_server_first, server.get_server_final]
    takes = [server.set_client_first, server.set_client_final]

    def answer(message: bytes) -> bytes:
        takes.pop(0)(message.decode())
        said: str = messages.pop(0)()
        return said.encode()

    return answer


@pytest.mark.parametrize("name", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
@pytest.mark.parametrize("password", [PASSWORD, "another"])
def test_scram(name: str, password: str) -> None:
    mechanism, server = made(name, Credentials("me", PASSWORD)), scram_server(name, password)
    first = mechanism.initial()
    assert first is not None
    assert first.startswith(b"n,,n=me,r=")
    final = mechanism.respond(server(first))
    assert not mechanism.done()
    if password != PASSWORD:
        with pytest.raises(scramp.ScramException):
            server(final)
        return
    assert mechanism.respond(server(final)) == b""
    assert mechanism.done()


def test_scram_does_not_believe_a_server_that_cannot_prove_itself() -> None:
    mechanism, server = made("SCRAM-SHA-256"), scram_server("SCRAM-SHA-256", PASSWORD)
    mechanism.respond(server(mechanism.initial() or b""))
    lie = b"v=" + base64.b64encode(hashlib.sha256(b"lie").digest())
    with pytest.raises(MechanismFailed):
        mechanism.respond(lie)
    assert not mechanism.done()


@given(st.binary(max_size=40))
def test_scram_bears_any_challenge(challenge: bytes) -> None:
    mechanism = made("SCRAM-SHA-256")
    mechanism.initial()
    with pytest.raises(MechanismFailed):
        mechanism.respond(challenge)


UNIQUE = Certified("TLSv1.2", b"finished", None)
NOTHING = Certified("TLSv1.3", None, None)


@pytest.mark.parametrize("name", ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"])
def test_scram_bound_to_the_connection(name: str) -> None:
    place = Place("mx", 25, UNIQUE, binds=True)
    for theirs, taken in ((b"finished", True), (b"another connection", False)):
        mechanism = made(name, Credentials("me", PASSWORD), place)
        server = scram_server(name, PASSWORD, ("tls-unique", theirs))
        first = mechanism.initial()
        assert first is not None
        assert first.startswith(b"p=tls-unique,,")
        final = mechanism.respond(server(first))
        if taken:
            mechanism.respond(server(final))
        else:
            with pytest.raises(scramp.ScramException):
                server(final)
        assert mechanism.done() == taken


def test_scram_says_that_it_could_have_bound() -> None:
    """RFC 5802 §6: "y" where the server seems not to offer it, and "n" where it does."""
    for binds, flag in ((False, b"y,,"), (True, b"n,,")):
        mechanism = made("SCRAM-SHA-256", place=Place("mx", 25, UNIQUE, binds=binds))
        first = mechanism.initial()
        assert first is not None
        assert first.startswith(flag)


def test_the_best_binding() -> None:
    certified = Certified("TLSv1.3", b"not defined", b"certificate")
    assert binding(None) is None
    assert binding(UNIQUE) == ("tls-unique", b"finished")
    assert binding(NOTHING) is None
    assert binding(certified) == ("tls-server-end-point", certified)
    assert binding(Certified("TLSv1.2", None, b"certificate")) is not None


def test_a_password_that_scram_cannot_carry() -> None:
    with pytest.raises(InvalidCommand, match="SCRAM cannot carry") as caught:
        made("SCRAM-SHA-256", Credentials("me", "bell\x07"))
    assert "bell" not in repr(caught.value)


# -- the choice ----------------------------------------------------------------------------------

ALL = tuple(MECHANISMS)


@pytest.mark.parametrize(
    ("offered", "who", "secured", "wanted", "names"),
    [
        (ALL, Credentials("u", "p"), UNIQUE, None, (*DEFAULT[:4], "PLAIN", "LOGIN")),
        (ALL, Credentials("u", "p"), None, None, (*DEFAULT[2:4], "PLAIN", "LOGIN")),
        (ALL, Credentials("u", "p"), NOTHING, None, (*DEFAULT[2:4], "PLAIN", "LOGIN")),
        (ALL, Credentials("u", None, "t"), None, None, ("OAUTHBEARER", "XOAUTH2")),
        (ALL, Credentials("u"), None, None, ()),
        (ALL, Credentials("u", "p"), None, ("CRAM-MD5", "plain"), ("CRAM-MD5", "PLAIN")),
        (ALL, Credentials(""), None, ("EXTERNAL",), ("EXTERNAL",)),
        (("login", "X-OWN"), Credentials("u", "p"), None, ("X-OWN", "LOGIN"), ("LOGIN",)),
        ((), Credentials("u", "p"), None, None, ()),
    ],
)
def test_the_order(
    offered: tuple[str, ...],
    who: Credentials,
    secured: Bound | None,
    wanted: tuple[str, ...] | None,
    names: tuple[str, ...],
) -> None:
    chosen = choose(offered, who, Place("mx", 25, secured), wanted)
    assert tuple(choice.name for choice in chosen) == names


def test_without_scramp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fsm_smtp.client.sasl.scram.is_here", lambda: False)
    chosen = choose(ALL, Credentials("u", "p"), PLACE)
    assert [choice.name for choice in chosen] == ["PLAIN", "LOGIN"]


# -- the dialogue --------------------------------------------------------------------------------


def encoded(message: bytes) -> bytes:
    return b"334 " + base64.b64encode(message) + b"\r\n"


def test_scram_in_a_session() -> None:
    server = scram_server("SCRAM-SHA-256", PASSWORD)
    dialogue, _ = opened(["AUTH SCRAM-SHA-256"], **{**HOW, "user": "me"})

    def answers(octets: bytes) -> bytes:
        line = octets.removesuffix(b"\r\n").rpartition(b" ")[2]
        return encoded(server(base64.b64decode(line))) if line else b"235 ok\r\n"

    reply = run(dialogue.login(Credentials("me", PASSWORD)), answers)
    assert reply.code == 235
    assert dialogue.session.configuration["authenticated"] == "yes"


def test_235_without_a_proof_is_not_believed() -> None:
    dialogue, server = opened(["AUTH SCRAM-SHA-256"], b"235 welcome\r\n", **HOW)
    with pytest.raises(UnexpectedReply, match="has not proved"):
        run(dialogue.login(Credentials("me", PASSWORD)), server)


def test_a_wrong_challenge_is_cancelled_and_the_next_mechanism_tried() -> None:
    says = (encoded(b"r=not-our-nonce,s=c2FsdA==,i=4096"), b"501 cancelled\r\n", b"235 ok\r\n")
    dialogue, server = opened(["AUTH SCRAM-SHA-256 PLAIN"], *says, **HOW)
    assert run(dialogue.login(Credentials("me", PASSWORD)), server).code == 235
    first, cancel, second = server.lines
    assert first.startswith("AUTH SCRAM-SHA-256 ")
    assert cancel == "*"
    assert second.startswith("AUTH PLAIN ")


def test_535_ends_it_and_504_does_not() -> None:
    for code, tried in ((504, 2), (534, 2), (535, 1)):
        says = [b"%d no\r\n" % code] * 2
        dialogue, server = opened(["AUTH PLAIN LOGIN"], *says, **HOW)
        assert run(dialogue.login(Credentials("me", PASSWORD)), server).code == code
        assert len(server.lines) == tried


def test_both_lists_where_starttls_changed_them() -> None:
    dialogue, server = opened(["AUTH X-ONE", "STARTTLS"], b"220 go\r\n", b"250 mx\r\n", **HOW)
    run(dialogue.secure(), server)
    run(dialogue.hello(), server)
    with pytest.raises(InvalidCommand) as caught:
        run(dialogue.login(WHO), server)
    assert "server offers nothing (the EHLO under TLS is in force" in str(caught.value)
    assert "before STARTTLS offered X-ONE" in str(caught.value)


def test_the_list_that_was_asked_for_is_named() -> None:
    dialogue, server = opened(["AUTH PLAIN"], **HOW)
    with pytest.raises(InvalidCommand, match="AUTH by XOAUTH2, as the server offers PLAIN"):
        run(dialogue.login(WHO, ("XOAUTH2",)), server)


# -- the prompt ----------------------------------------------------------------------------------


def opening(server: Recorded, **options: Any) -> Dialogue:
    dialogue = Dialogue(Options(clear_auth=True, **options))
    run(dialogue.open(), server)
    return dialogue


GREETED = (b"220 mx\r\n", b"250-mx\r\n250 AUTH PLAIN\r\n")


def test_the_caller_is_asked_and_asked_again() -> None:
    asked: list[Logon] = []

    def prompt(logon: Logon) -> Credentials | None:
        asked.append(logon)
        return Credentials("me", f"try{logon.attempt}")

    server = Recorded(*GREETED, b"535 no\r\n", b"235 ok\r\n")
    dialogue = opening(server, on_logon=prompt)
    assert dialogue.session.configuration["authenticated"] == "yes"
    assert [(logon.attempt, logon.mechanisms) for logon in asked] == [
        (1, ("PLAIN",)),
        (2, ("PLAIN",)),
    ]
    assert asked[0].reply is None
    assert asked[1].reply is not None
    assert asked[1].reply.code == 535


@pytest.mark.parametrize("gives_up_at", [1, 2])
def test_the_caller_gives_up(gives_up_at: int) -> None:
    def prompt(logon: Logon) -> Credentials | None:
        return Credentials("me", "x") if logon.attempt < gives_up_at else None

    server = Recorded(*GREETED, *([b"535 no\r\n"] if gives_up_at == 2 else []), b"221 bye\r\n")
    expected: type[ProtocolError] = InvalidCommand if gives_up_at == 1 else Rejected
    with pytest.raises(expected):
        opening(server, on_logon=prompt)
    assert server.lines[-1] == "QUIT"


def test_external_needs_no_user() -> None:
    server = Recorded(b"220 mx\r\n", b"250-mx\r\n250 AUTH EXTERNAL\r\n", b"235 ok\r\n")
    opening(server, mechanisms=("EXTERNAL",))
    assert server.lines[-1] == "AUTH EXTERNAL ="


# -- secrets -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("code", [b"535 no\r\n", b"334 !\r\n", b"235 ok\r\n", b"354 go\r\n", b""])
def test_no_secret_is_shown(name: str, code: bytes) -> None:
    """In no event, error, representation or callback, whatever the server says."""
    told: list[object] = []
    heard: list[Event] = []
    secrets = [PASSWORD, TOKEN]
    secured = UNIQUE if name.endswith("-PLUS") else None
    dialogue, server = opened(
        [f"AUTH {name}"],
        *[encoded(b"<1@x>"), code, b"501 cancelled\r\n", b"235 ok\r\n", b"221 bye\r\n"],
        observer=heard.append,
        on_command=told.append,
        on_response=told.append,
        **HOW,
    )
    dialogue.secured = secured
    error: Exception | None = None
    try:
        run(dialogue.login(WHO, (name,)), server)
    except ProtocolError as raised:
        error = raised
    digest = hmac.new(PASSWORD.encode(), b"<1@x>", "md5").hexdigest()
    shown = f"{told!r} {heard!r} {error!r} {error} {vars(error) if error else ''} {WHO!r}"
    shown += f" {dialogue.options!r} {dialogue.session.last_command!r} {server.lines[:0]!r}"
    for secret in (*secrets, digest):
        forms = (secret, base64.b64encode(secret.encode()).decode())
        assert not any(form[:12] in shown for form in forms)
    for line in server.lines:
        response = line.rpartition(" ")[2]
        assert len(response) < 8 or response in ALL or response not in shown
