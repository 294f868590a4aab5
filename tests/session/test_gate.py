"""The gate by example: what it lets through, what it refuses, and what it says about both."""

import pytest

from fsm_smtp.command import SMTPCommand
from fsm_smtp.errors import (
    CommandRefused,
    ConnectionLost,
    MalformedReply,
    ReplyTimeout,
    UnexpectedReply,
)
from fsm_smtp.machine import shared_machine
from fsm_smtp.session import Event, Session
from fsm_smtp.table import load_table
from fsm_smtp.vocabulary import Vocabulary
from fsm_smtp.wire import Reply, commands, parse_command, parse_sasl_line

EHLO = commands.ehlo("client.example.test")
MAIL = commands.mail("me@example.test")
RCPT = commands.rcpt("you@example.test")
DATA = commands.data()
QUIT = commands.quit_()
OFFERS = b"250-mx.example.test\r\n250-STARTTLS\r\n250-CHUNKING\r\n250 AUTH PLAIN LOGIN\r\n"


def answer(session: Session, octets: bytes) -> Reply:
    """The one reply that *octets* are."""
    session.receive(octets)
    reply = session.next_reply()
    assert reply is not None
    assert session.next_reply() is None
    return reply


def greeted(offers: bytes = OFFERS, *, tls: bool = False) -> Session:
    """A session that is ready for mail."""
    session = Session()
    session.connect(tls=tls)
    answer(session, b"220 mx.example.test\r\n")
    session.send(EHLO)
    answer(session, offers)
    return session


def in_content() -> Session:
    """A session whose content is open."""
    session = greeted()
    for command, reply in ((MAIL, b"250 ok\r\n"), (RCPT, b"250 ok\r\n"), (DATA, b"354 go\r\n")):
        session.send(command)
        answer(session, reply)
    return session


# -- a session, from the first octet to the last -------------------------------------------------


def test_a_whole_session() -> None:
    told: list[Event] = []
    session = Session(observer=told.append)
    assert session.configuration.state == "SMTP_NONE"
    assert session.legal == ("connect", "connect_tls")
    assert session.last_command is None

    session.connect()
    assert session.wait_for() == (300.0, "5321 §4.5.3.2")
    answer(session, b"220 mx.example.test\r\n")
    assert session.send(EHLO) == b"EHLO client.example.test\r\n"
    answer(session, OFFERS)
    assert session.configuration.state == "SMTP_CONNECTED"
    assert session.offers["AUTH"] == ("PLAIN", "LOGIN")
    assert session.send(MAIL) == b"MAIL FROM:<me@example.test>\r\n"
    answer(session, b"250 ok\r\n")
    session.send(RCPT)
    answer(session, b"251 will forward\r\n")
    session.send(DATA)
    assert session.wait_for()[0] == 120.0
    answer(session, b"354 go\r\n")
    assert session.send_content(b"one\n") == b"one\r\n"
    assert session.send_content(b".two") == b"..two"
    assert session.end_content() == b"\r\n.\r\n"
    assert session.wait_for()[0] == 600.0
    assert session.last_command == "."
    answer(session, b"250 taken\r\n")
    assert session.configuration.state == "SMTP_SEND_MESSAGE"
    session.send(QUIT)
    answer(session, b"221 bye\r\n")
    assert session.eof() is None
    assert session.configuration.state == "SMTP_NONE"

    assert [event.who for event in told] == list("-SCSCSCSCSCCSCS-")
    assert [event.text for event in told if event.who == "C"] == [
        "EHLO client.example.test",
        "MAIL FROM:<me@example.test>",
        "RCPT TO:<you@example.test>",
        "DATA",
        "(content)",
        ".",
        "QUIT",
    ]


def test_chunks() -> None:
    session = greeted()
    for command in (commands.mail("", {"BODY": "BINARYMIME"}), RCPT):
        session.send(command)
        answer(session, b"250 ok\r\n")
    with pytest.raises(CommandRefused, match="only BDAT can carry"):
        session.send(DATA)
    assert session.send_chunk(b"\0\r\n.\r\n", last=False) == b"BDAT 6\r\n\0\r\n.\r\n"
    answer(session, b"250 ok\r\n")
    assert session.send_chunk(b"", last=True) == b"BDAT 0 LAST\r\n"
    answer(session, b"250 taken\r\n")
    assert session.state is SMTPCommand.SEND_MESSAGE


def test_an_empty_message() -> None:
    assert in_content().end_content() == b".\r\n"


def test_an_aborted_content_leaves_nothing_in_the_next_one() -> None:
    session = in_content()
    session.send_content(b"half a line\r")
    session.close()
    session.connect()
    answer(session, b"220 hi\r\n")
    session.send(EHLO)
    answer(session, OFFERS)
    for command, reply in ((MAIL, b"250 ok\r\n"), (RCPT, b"250 ok\r\n"), (DATA, b"354 go\r\n")):
        session.send(command)
        answer(session, reply)
    assert session.send_content(b".x") == b"..x"


# -- refusals ------------------------------------------------------------------------------------


def test_a_refusal_says_why_and_what_is_legal() -> None:
    session = greeted()
    with pytest.raises(CommandRefused) as caught:
        session.send(DATA)
    error = caught.value
    assert (error.state, error.trigger, error.command) == ("SMTP_CONNECTED", "send_data", "DATA")
    assert error.rfc == "5321 §3.3"
    assert "send_mail" in error.legal
    assert session.legal == error.legal
    assert session.send(MAIL)


@pytest.mark.parametrize("act", ["send_content", "end_content", "tls_up", "tls_failed", "timeout"])
def test_acts_that_are_not_due(act: str) -> None:
    session = greeted()
    before = session.configuration
    arguments = {"send_content": (b"x",), "timeout": (1.0,)}.get(act, ())
    with pytest.raises(CommandRefused):
        getattr(session, act)(*arguments)
    assert session.configuration is before


def test_no_command_inside_the_content() -> None:
    session = in_content()
    session.send_content(b"x\r\n")
    for command in (QUIT, commands.rset(), commands.noop(), parse_command(b"x\r\n")):
        with pytest.raises(CommandRefused):
            session.send(command)
    assert session.end_content() == b".\r\n"


def test_a_second_connect_keeps_what_has_arrived() -> None:
    session = Session()
    session.connect()
    session.receive(b"220 m")
    with pytest.raises(CommandRefused):
        session.connect()
    assert answer(session, b"x\r\n").text == "mx"


def test_a_trigger_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="did you mean send_data"):
        Session().may("send_dta")


# -- what servers do wrong -----------------------------------------------------------------------


def test_a_reply_that_is_not_allowed() -> None:
    session = greeted()
    session.send(MAIL)
    with pytest.raises(UnexpectedReply) as caught:
        answer(session, b"354 go\r\n")
    assert caught.value.command == "MAIL FROM:<me@example.test>"
    assert caught.value.state == "SMTP_MAIL"
    assert session.legal == ("close",)


def test_a_reply_that_nobody_asked_for() -> None:
    session = greeted()
    with pytest.raises(UnexpectedReply, match="answered once") as caught:
        answer(session, b"250 again\r\n")
    assert caught.value.command is None


def test_what_comes_after_the_end_is_only_told() -> None:
    told: list[Event] = []
    session = Session(observer=told.append)
    session.connect()
    session.receive(b"250 no greeting\r\n250 more\r\nrubbish\r\n")
    with pytest.raises(UnexpectedReply):
        session.next_reply()
    assert session.next_reply() is not None
    for _ in range(2):
        with pytest.raises(MalformedReply):
            session.next_reply()
    with pytest.raises(MalformedReply):
        session.receive(b"250 still\r\n")
    assert [event.row for event in told] == ["connect", "greeting-wrong"] + ["late"] * 4
    assert session.legal == ("close",)


def test_421_at_rest_leaves_quit() -> None:
    session = greeted()
    assert answer(session, b"421 going down\r\n").code == 421
    assert session.legal == ("send_quit", "close")
    assert session.eof() is None


def test_eof_between_commands() -> None:
    session = greeted()
    session.send(MAIL)
    lost = session.eof()
    assert isinstance(lost, ConnectionLost)
    assert (lost.who, lost.state, lost.command) == (
        "server",
        "SMTP_MAIL",
        "MAIL FROM:<me@example.test>",
    )


def test_a_timeout() -> None:
    told: list[Event] = []
    session = Session(observer=told.append)
    session.connect()
    error = session.timeout(2.5)
    assert isinstance(error, ReplyTimeout)
    assert (error.seconds, error.command) == (2.5, None)
    assert told[-1].text == "no reply within 2.5 s"
    assert session.legal == ("close",)


def test_untidy_and_unlisted_replies_are_noted() -> None:
    told: list[Event] = []
    session = Session(observer=told.append)
    session.connect()
    answer(session, b"220\r\n")
    session.send(EHLO)
    answer(session, b"250 mx\r\n")
    session.send(MAIL)
    answer(session, b"259 caf\xe9\r\n")
    notes = [event.notes for event in told if event.who == "S"]
    assert notes == [("bare-code",), (), ("259 is not listed for this command", "8bit-text")]


# -- STARTTLS ------------------------------------------------------------------------------------


def before_handshake(told: list[Event] | None = None) -> Session:
    session = greeted() if told is None else Session(observer=told.append)
    if told is not None:
        session.connect()
        answer(session, b"220 hi\r\n")
        session.send(EHLO)
        answer(session, OFFERS)
    session.send(commands.starttls())
    return session


def test_nothing_learned_in_clear_survives_tls() -> None:
    session = before_handshake()
    answer(session, b"220 go\r\n")
    assert session.legal == ("close",)
    session.tls_up()
    assert session.state is SMTPCommand.BANNER
    assert not session.offers
    session.send(EHLO)
    answer(session, b"250-mx\r\n250 STARTTLS\r\n")
    assert "STARTTLS" in session.offers
    with pytest.raises(CommandRefused):
        session.send(commands.starttls())


@pytest.mark.parametrize("late", [b"2", b"250 injected\r\n", b"\0", b"221 bye\r\n421 x\r\n"])
def test_plaintext_behind_the_220(late: bytes) -> None:
    for in_one_segment in (True, False):
        told: list[Event] = []
        session = before_handshake(told)
        octets = b"220 go\r\n"
        if in_one_segment:
            octets += late
        else:
            answer(session, octets)
            octets = late
        with pytest.raises(UnexpectedReply, match="before the handshake"):
            answer(session, octets)
        assert [event.row for event in told][-2:] == ["starttls-ready", "tls-plaintext"]
        assert session.legal == ("close",)


@pytest.mark.parametrize("late", [b"250 ok\r\n", b"250 o", b"\x16\x03\x01"])
def test_plaintext_behind_the_220_when_asked_for_an_answer(late: bytes) -> None:
    """Also where what came would be a whole reply, the quick way lets nothing pass."""
    session = before_handshake()
    assert session.answer(b"220 go\r\n") == Reply(220, (b"go",))
    with pytest.raises(UnexpectedReply, match="before the handshake"):
        session.answer(late)
    assert session.legal == ("close",)


@pytest.mark.parametrize("first", [b"", b"250-a\r\n", b"2", b"250 o"])
@pytest.mark.parametrize(
    "second", [b"250 ok\r\n", b"250 ok\r\n421 bye\r\n", b"250 ok", b"no\r\n", b"354 go\r\n", b"2\0"]
)
def test_an_answer_is_what_receiving_and_asking_give(first: bytes, second: bytes) -> None:
    outcomes: list[object] = []
    for quick in (True, False):
        told: list[Event] = []
        session = Session(observer=told.append)
        session.connect()
        answer(session, b"220 hi\r\n")
        session.send(commands.noop())
        replies: list[object] = []
        try:
            for octets in (first, second):
                if quick:
                    replies.append(session.answer(octets))
                else:
                    session.receive(octets)
                    replies.append(session.next_reply())
        except (MalformedReply, UnexpectedReply) as error:
            replies.append(str(error))
        outcomes.append((replies, session.unread, session.configuration, told))
    assert outcomes[0] == outcomes[1]


def test_no_octets_are_no_plaintext() -> None:
    session = before_handshake()
    answer(session, b"220 go\r\n")
    session.receive(b"")
    session.tls_up()


def test_a_failed_handshake_leaves_closing() -> None:
    session = before_handshake()
    answer(session, b"220 go\r\n")
    session.tls_failed()
    assert session.legal == ("close",)


def test_an_offer_of_starttls_under_tls_is_noted() -> None:
    told: list[Event] = []
    session = Session(observer=told.append)
    session.connect(tls=True)
    answer(session, b"220 hi\r\n")
    session.send(EHLO)
    answer(session, b"250-mx\r\n250 STARTTLS\r\n")
    assert told[-1].notes == ("STARTTLS must not be offered under TLS; it is not believed",)


# -- everything that is learned is forgotten -----------------------------------------------------


@pytest.mark.parametrize("end", ["close", "eof"])
@pytest.mark.parametrize(
    "field", ["state", "configuration", "offers", "last_command", "pending", "wait_for", "pairing"]
)
def test_reconnecting_forgets(end: str, field: str) -> None:
    session = greeted()
    session.send(MAIL)
    session.receive(b"250-half a reply\r\n")
    assert session.next_reply() is None
    getattr(session, end)()
    session.connect()
    fresh = Session()
    fresh.connect()
    if field == "pending":
        assert answer(session, b"220 hi\r\n").lines == (b"hi",)
    elif field == "wait_for":
        assert session.wait_for() == fresh.wait_for()
    elif field == "pairing":
        with pytest.raises(UnexpectedReply) as caught:
            answer(session, b"250 late\r\n")
        assert caught.value.command is None
    else:
        assert getattr(session, field) == getattr(fresh, field)


@pytest.mark.parametrize("variable", list(shared_machine().table.variables))
def test_reconnecting_forgets_each_variable(variable: str) -> None:
    session = in_content()
    session.send_content(b"x")
    session.close()
    assert session.configuration[variable] == Session().configuration[variable]


def test_after_helo_nothing_is_offered() -> None:
    session = greeted()
    session.send(commands.helo("client.example.test"))
    answer(session, b"250 mx\r\n")
    assert not session.offers


def test_a_refused_ehlo_changes_no_offers() -> None:
    session = greeted()
    session.send(EHLO)
    answer(session, b"500 what?\r\n")
    assert "AUTH" in session.offers


# -- credentials ---------------------------------------------------------------------------------


def test_credentials_are_redacted() -> None:
    told: list[Event] = []
    session = Session(observer=told.append)
    session.connect(tls=True)
    answer(session, b"220 hi\r\n")
    session.send(EHLO)
    answer(session, OFFERS)
    session.send(commands.auth("PLAIN", b"\0user\0secret"))
    answer(session, b"334 \r\n")
    with pytest.raises(CommandRefused) as caught:
        session.send(commands.auth("PLAIN", b"\0user\0secret"))
    assert caught.value.command == "AUTH PLAIN [redacted]"
    session.send(commands.sasl_response(b"secret"))
    assert session.last_command == "[redacted]"
    lost = session.eof()
    assert lost is not None
    assert lost.command == "[redacted]"
    assert [event.text for event in told if event.who == "C"][-2:] == [
        "AUTH PLAIN [redacted]",
        "[redacted]",
    ]


# -- the words of the wire -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "trigger"),
    [
        (b"MAIL FROM:<a@b.test>", "send_mail"),
        (b"mail from:<a@b.test> body=binarymime SIZE=1", "send_mail_binary"),
        (b"MAIL FROM:<a@b.test> BODY=8BITMIME", "send_mail"),
        (b'MAIL FROM:<"x BODY=BINARYMIME y"@b.test>', "send_mail"),
        (b"BDAT 5", "send_bdat"),
        (b"BDAT 5 last", "send_bdat_last"),
        (b"BDAT LAST 5", "send_bdat"),
        (b"XCLIENT ADDR=1", "send_custom"),
        (b"* x", "send_custom"),
        (b"QUIT now", "send_quit"),
    ],
)
def test_which_trigger_a_line_is(line: bytes, trigger: str) -> None:
    assert Vocabulary(load_table()).command(parse_command(line + b"\r\n")) == trigger


@pytest.mark.parametrize(
    ("line", "trigger"),
    [(b"*", "send_cancel"), (b"", "send_response"), (b"c2VjcmV0", "send_response")],
)
def test_which_trigger_a_sasl_line_is(line: bytes, trigger: str) -> None:
    assert Vocabulary(load_table()).command(parse_sasl_line(line + b"\r\n")) == trigger


def test_which_trigger_a_reply_and_an_offer_are() -> None:
    words = Vocabulary(load_table())
    assert [words.reply(code) for code in (200, 220, 221, 354, 359, 421, 559)] == [
        "reply_2yz",
        "reply_220",
        "reply_2yz",
        "reply_354",
        "reply_3yz",
        "reply_421",
        "reply_5yz",
    ]
    assert words.offer("STARTTLS") == "offer_starttls"
    assert words.offer("SIZE") is None
    assert words.is_listed(251, "send_rcpt")
    assert not words.is_listed(251, "send_mail")
    assert words.is_listed(299, "close")
