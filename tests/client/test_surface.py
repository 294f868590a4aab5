"""Every command by itself, callbacks, how a client stands and how it ended: in both adapters."""

import time

import pytest

from fsm_smtp.client import (
    Backoff,
    Client,
    Closed,
    Credentials,
    Extensions,
    Options,
    Progress,
    Recipient,
    Response,
    Status,
    Waiting,
)
from fsm_smtp.client.backoff import may_help
from fsm_smtp.command import SMTPCommand
from fsm_smtp.errors import (
    CommandRefused,
    ConnectionLost,
    HandshakeFailed,
    InvalidCommand,
    InvalidContent,
    MalformedReply,
    NotConnected,
    Rejected,
    ReplyTimeout,
)
from fsm_smtp.testing.scripted import (
    GREETING,
    OPENING,
    Answer,
    Close,
    Handshake,
    Hold,
    Line,
    Pause,
    Say,
    Script,
    ScriptedServer,
    answers,
    ehlo,
)
from tests.client.conftest import Tls
from tests.client.driver import RECIPIENTS, SENDER, client

OPTIONS = Options(timeout=2.0)
OK = b"250 ok\r\n"


# -- commands ------------------------------------------------------------------------------------


def test_each_command_is_its_line(adapter: str) -> None:
    offers = ehlo("DSN", "AUTH PLAIN", "CHUNKING", "8BITMIME", "SMTPUTF8")
    how = Options(timeout=2.0, user="user", password="pw", clear_auth=True, mechanisms=("PLAIN",))
    auth = answers((b"AUTH", b"235 ok\r\n"))
    with (
        ScriptedServer((*GREETING, *offers, *auth, *offers, Answer())) as server,
        client(adapter, server.port, how) as one,
    ):
        one.connect()
        one.ehlo("c.example.test")
        one.helo("c.example.test")
        one.noop("x")
        one.help("MAIL")
        one.vrfy("you@example.test")
        one.expn("list")
        one.etrn("@example.test")
        one.custom("XOWN and more")
        one.mail(SENDER, Extensions(ret="FULL", body="8BITMIME", smtputf8=True), {"X-OWN": None})
        one.rcpt("ü@example.test", utf8=True)
        one.rcpt(Recipient("a@example.test", notify=["DELAY"]))
        assert one.data().code == 354
        one.stream(b".first\n")
        one.stream([b"se", b"cond\r\n"])
        assert one.dot().code == 250
        one.rset()
        one.quit()
    lines = server.taken[0].octets.decode().split("\r\n")[2:]
    assert lines == [
        "EHLO c.example.test",
        "HELO c.example.test",
        "NOOP x",
        "HELP MAIL",
        "VRFY you@example.test",
        "EXPN list",
        "ETRN @example.test",
        "XOWN and more",
        "MAIL FROM:<me@example.test> RET=FULL X-OWN BODY=8BITMIME SMTPUTF8",
        "RCPT TO:<ü@example.test>",
        "RCPT TO:<a@example.test> NOTIFY=DELAY",
        "DATA",
        "..first",
        "second",
        ".",
        "RSET",
        "QUIT",
        "",
    ]


def test_auth_by_itself_gives_its_reply_also_a_refusal(adapter: str) -> None:
    steps = answers((b"AUTH PLAIN", b"535 no\r\n"), (b"NOOP", OK))
    how = Options(timeout=2.0, clear_auth=True)
    script = (*GREETING, *ehlo("AUTH PLAIN LOGIN"), *steps, Answer())
    with ScriptedServer(script) as server, client(adapter, server.port, how) as one:
        one.connect()
        assert one.auth("PLAIN", Credentials("u", "p")).code == 535
        assert one.noop().code == 250
        with pytest.raises(CommandRefused):  # 535 is the end of it
            one.auth("LOGIN", Credentials("u", "p"))
        assert not one.is_authenticated
        one.quit()


@pytest.mark.parametrize("ready", [True, False])
def test_starttls_by_itself(adapter: str, tls: Tls, ready: bool) -> None:
    begun = (Line(b"STARTTLS"), Say(b"220 go\r\n" if ready else b"454 later\r\n"))
    then: Script = (Handshake(tls.good), *ehlo("SIZE")) if ready else ()
    how = Options(timeout=2.0, tls=tls.trusting)
    with (
        ScriptedServer((*GREETING, *ehlo("STARTTLS"), *begun, *then, Answer())) as server,
        client(adapter, server.port, how) as one,
    ):
        one.connect()
        assert one.starttls().code == (220 if ready else 454)
        assert one.is_secure == ready
        if ready:
            with pytest.raises(CommandRefused):
                one.mail(SENDER)
            assert not one.offers
            one.ehlo()
            assert "SIZE" in one.offers
        assert one.is_ready
        one.quit()


def test_starttls_by_itself_with_a_bad_certificate(adapter: str, tls: Tls) -> None:
    script = (*GREETING, *ehlo("STARTTLS"), Line(), Say(b"220 go\r\n"), Handshake(tls.good))
    with ScriptedServer(script) as server, client(adapter, server.port, OPTIONS) as one:
        one.connect()
        with pytest.raises(HandshakeFailed):
            one.starttls()
        assert not one.is_connected


def test_content_by_itself(adapter: str) -> None:
    told: list[Progress] = []
    how = Options(timeout=2.0, on_progress=told.append)
    with (
        ScriptedServer((*GREETING, *ehlo(), Answer())) as server,
        client(adapter, server.port, how) as one,
    ):
        one.connect()
        for act in (lambda: one.stream(b"x"), one.dot, lambda: one.bdat(b"x")):
            with pytest.raises(CommandRefused):
                act()
        one.mail(SENDER)
        one.rcpt(RECIPIENTS[0])
        one.data()
        with pytest.raises(CommandRefused):
            one.noop()
        one.stream(b"first\r\n")
        one.stream([b"second", b"\r\n"])
        assert one.dot().code == 250
        one.mail(SENDER)
        one.rcpt(RECIPIENTS[0])
        one.data()
        with pytest.raises(InvalidContent, match="8BITMIME"):
            one.stream(b"\xfc")
        assert not one.is_connected  # half a message must not end as one
    assert told == [Progress(7, 7, 7), Progress(6, 6, None), Progress(2, 8, None)]
    assert b"\xfc" not in server.taken[0].octets


@pytest.mark.parametrize("line", ["STARTTLS", "bdat 10", "NOOP\r\nMAIL", "", "\x07"])
def test_a_line_that_must_not_be_sent_as_a_line(adapter: str, line: str) -> None:
    with (
        ScriptedServer((*OPENING, Answer())) as server,
        client(adapter, server.port, OPTIONS) as one,
    ):
        one.connect()
        before = len(server.taken[0].octets)
        with pytest.raises(InvalidCommand):
            one.custom(line)
        assert len(server.taken[0].octets) == before
        one.quit()


# -- callbacks -----------------------------------------------------------------------------------


def test_everybody_is_told(adapter: str, tls: Tls) -> None:
    lines: list[str] = []
    responses: list[Response] = []
    states: list[tuple[SMTPCommand, SMTPCommand]] = []
    statuses: list[Status] = []
    progress: list[Progress] = []
    rows: list[str] = []
    how = Options(
        timeout=2.0,
        security="starttls",
        tls=tls.trusting,
        user="user",
        password="hunter2-correct-horse",
        mechanisms=("PLAIN",),
        observer=lambda event: rows.append(event.row),
        on_command=lines.append,
        on_response=responses.append,
        on_state=lambda before, after: states.append((before, after)),
        on_status=statuses.append,
        on_progress=progress.append,
    )
    secure = (Line(b"STARTTLS"), Say(b"220 go\r\n"), Handshake(tls.good), *ehlo("AUTH PLAIN"))
    auth = answers((b"AUTH", b"235 in\r\n"))
    with (
        ScriptedServer((*GREETING, *ehlo("STARTTLS"), *secure, *auth, Answer())) as server,
        client(adapter, server.port, how) as one,
    ):
        assert one.status.value == "disconnected"
        one.connect()
        assert one.status.value == "authorized"
        assert one.send_message([b"x" * 1000] * 3, SENDER, RECIPIENTS[:1]).all_accepted
        one.quit()
    assert [line.split(" ")[0] for line in lines] == [
        *("EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "(content)", ".", "QUIT"),
    ]
    assert lines[3] == "AUTH PLAIN [redacted]"
    assert [response.reply.code for response in responses] == [
        *(220, 250, 220, 250, 235, 250, 250, 354, 250, 221),
    ]
    assert responses[0].command is None
    assert responses[-1].command == "QUIT"
    assert responses[5].state is SMTPCommand.MAIL
    assert states[0] == (SMTPCommand.NONE, SMTPCommand.BANNER)
    assert all(before is not after for before, after in states)
    assert states[-1][1] is SMTPCommand.NONE
    assert statuses == [
        *(Status.CONNECTING, Status.CONNECTED, Status.SECURING, Status.CONNECTED),
        *(Status.AUTHORIZING, Status.AUTHORIZED, Status.DISCONNECTING, Status.DISCONNECTED),
    ]
    assert progress == [Progress(1000, 1000 * n, None) for n in (1, 2, 3)]
    assert "dot-accepted" in rows


def test_waiting_longer(adapter: str) -> None:
    """The callback gives more time, once; then it gives up, and the error counts all of it."""
    asked: list[Waiting] = []

    def more(waiting: Waiting) -> float | None:
        asked.append(waiting)
        return (2.0 if waiting.command == "NOOP" else 0.2) if len(asked) % 2 else None

    how = Options(timeout=0.4, on_timeout=more)
    slow = (*OPENING, Line(b"NOOP"), Pause(0.8), Say(OK), Line(b"HELP"))
    with (
        ScriptedServer((*slow, Say(b"250-half\r\n"), Hold())) as server,
        client(adapter, server.port, how) as one,
    ):
        one.connect()
        assert one.noop().code == 250
        assert asked == [Waiting(SMTPCommand.CUSTOM, "NOOP", 0.4)]
        asked.clear()
        with pytest.raises(ReplyTimeout) as caught:
            one.help()
        assert caught.value.seconds == pytest.approx(0.6)
        assert [waiting.seconds for waiting in asked] == [0.4, pytest.approx(0.6)]
        assert one.closed is not None
        assert one.closed.who == "client"


# -- how it stands, how it ended -----------------------------------------------------------------


def test_how_it_stands(adapter: str) -> None:
    with (
        ScriptedServer((*OPENING, Answer())) as server,
        client(adapter, server.port, OPTIONS) as one,
    ):
        assert (one.is_connected, one.is_ready, one.is_busy) == (False, False, False)
        assert one.state.name == "NONE"
        one.connect()
        assert (one.is_connected, one.is_ready, one.is_busy) == (True, True, False)
        one.mail(SENDER)
        assert (one.is_connected, one.is_ready) == (True, False)
        assert one.state.name == "MAIL"
        one.quit()
    assert repr(Client("mx", 25, Options(password="hunter2"))) == "<Client mx:25 SMTP_NONE>"


ENDS: list[tuple[str, Script, Closed]] = [
    (
        "the server leaves",
        (Line(b"NOOP"), Close()),
        Closed(
            "server",
            "SMTP_CUSTOM",
            "NOOP",
            "the server closed the connection without 421, and unasked",
        ),
    ),
    (
        "421",
        (Line(b"NOOP"), Say(b"421 bye\r\n"), Answer()),
        Closed("server", "SMTP_CUSTOM", "NOOP", "the server refused the session, or said 421"),
    ),
    (
        "nonsense",
        (Line(b"NOOP"), Say(b"what?\r\n"), Hold()),
        Closed("client", "SMTP_CUSTOM", "NOOP", "closed, since the session could not go on"),
    ),
    ("QUIT", (Answer(),), Closed("client", "SMTP_QUIT", "QUIT", "closed by QUIT")),
]


@pytest.mark.parametrize(("script", "closed"), [end[1:] for end in ENDS], ids=[e[0] for e in ENDS])
def test_how_it_ended(adapter: str, script: Script, closed: Closed) -> None:
    with (
        ScriptedServer((*OPENING, *script), (*OPENING, Answer())) as server,
        client(adapter, server.port, OPTIONS) as one,
    ):
        one.connect()
        raised: list[ConnectionLost | MalformedReply] = []
        try:
            one.noop()
        except (ConnectionLost, MalformedReply) as error:
            raised.append(error)
        for lost in raised:
            assert (lost.state, lost.command) == (closed.state, closed.command)
        if one.is_connected:
            one.quit()
        one.close()
        assert one.closed == closed
        with pytest.raises(NotConnected) as caught:
            one.rset()
        assert (caught.value.who, caught.value.state) == (closed.who, closed.state)
        assert closed.why in str(caught.value)
        one.connect()
        assert one.closed is None
        one.quit()


def test_a_refused_connection_says_where_it_stands(adapter: str) -> None:
    script = (Say(b"554 no\r\n"), *answers((b"QUIT", b"221 bye\r\n")), Hold())
    with ScriptedServer(script) as server, client(adapter, server.port, OPTIONS) as one:
        with pytest.raises(Rejected) as caught:
            one.connect()
        assert caught.value.state == "SMTP_NONE"
        assert one.closed is not None


# -- again ---------------------------------------------------------------------------------------


def test_connecting_again_with_pauses(adapter: str) -> None:
    busy: Script = (Say(b"421 busy\r\n"), Hold())
    how = Options(timeout=1.0, reconnect=Backoff(attempts=3, first=0.05, factor=2.0))
    began = time.monotonic()
    with (
        ScriptedServer(busy, (Close(),), (*OPENING, Answer())) as server,
        client(adapter, server.port, how) as one,
    ):
        one.connect()
        assert time.monotonic() - began >= 0.15
        one.quit()


def test_not_again_where_it_does_not_help(adapter: str) -> None:
    refusing: Script = (Say(b"554 no\r\n"), *answers((b"QUIT", b"221 bye\r\n")), Hold())
    how = Options(timeout=1.0, reconnect=Backoff(attempts=9, first=60.0))
    with (
        ScriptedServer(refusing) as server,
        client(adapter, server.port, how) as one,
        pytest.raises(Rejected),
    ):
        one.connect()
    assert len(server.taken) == 1


def test_the_last_error_is_raised(adapter: str) -> None:
    how = Options(timeout=1.0, reconnect=Backoff(attempts=2, first=0.01))
    with (
        ScriptedServer((Close(),), (Close(),)) as server,
        client(adapter, server.port, how) as one,
        pytest.raises(ConnectionLost),
    ):
        one.connect()
    assert len(server.taken) == 2


def test_pauses() -> None:
    assert list(Backoff(5, 1.0, 3.0, 10.0).pauses()) == [1.0, 3.0, 9.0, 10.0]
    assert list(Backoff(attempts=1).pauses()) == []
    assert may_help(Rejected(None, 421, "421 x"))
    assert not may_help(Rejected(None, 521, "521 x"))
    assert not may_help(InvalidCommand("x", "5321"))


def test_a_new_connection_after_mailmax(adapter: str) -> None:
    limited = (*GREETING, *ehlo("LIMITS MAILMAX=2"), Answer())
    with ScriptedServer(limited, limited) as server, client(adapter, server.port, OPTIONS) as one:
        one.connect()
        for _ in range(3):
            assert one.send_message(b"x", SENDER, RECIPIENTS[:1]).all_accepted
        one.quit()
    counts = [taken.octets.count(b"MAIL FROM") for taken in server.taken]
    assert counts == [2, 1]
    assert all(taken.octets.endswith(b"QUIT\r\n") for taken in server.taken)


def test_requiretls_over_real_tls(adapter: str, tls: Tls) -> None:
    secure = (Line(b"STARTTLS"), Say(b"220 go\r\n"), Handshake(tls.good), *ehlo("REQUIRETLS"))
    how = Options(timeout=2.0, security="starttls", tls=tls.trusting)
    wishes = Extensions(require_tls=True)
    with (
        ScriptedServer((*GREETING, *ehlo("STARTTLS"), *secure, Answer())) as server,
        client(adapter, server.port, how) as one,
    ):
        one.connect()
        assert one.send_message(b"x", SENDER, RECIPIENTS[:1], extensions=wishes).all_accepted
        one.quit()
    assert b"> SIZE" not in server.taken[0].secret
    assert b"> REQUIRETLS\r\n" in server.taken[0].secret
