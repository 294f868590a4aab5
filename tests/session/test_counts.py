"""What the gate counts: replies for each recipient (LMTP), and what the server takes (LIMITS)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_smtp.command import SMTPCommand
from fsm_smtp.errors import CommandRefused, ConnectionLost, LimitReached, UnexpectedReply
from fsm_smtp.machine import shared_machine
from fsm_smtp.session import Event, Session
from fsm_smtp.wire import Reply, commands

LHLO = commands.lhlo("client.example.test")
MAIL = commands.mail("me@example.test")


def rcpt(name: str) -> bytes:
    return f"{name}@example.test".encode()


def say(session: Session, octets: bytes) -> Reply:
    reply = session.answer(octets)
    assert reply is not None
    return reply


def local(told: list[Event] | None = None, *recipients: bytes, offers: bytes = b"") -> Session:
    """An LMTP session whose transaction has these answers to its recipients."""
    observer = None if told is None else told.append
    session = Session(shared_machine(("lmtp",)), observer=observer)
    session.connect()
    say(session, b"220 mx LMTP\r\n")
    session.send(LHLO)
    say(session, b"250-mx\r\n" + offers + b"250 PIPELINING\r\n")
    session.send(MAIL)
    say(session, b"250 ok\r\n")
    for number, answer in enumerate(recipients):
        session.send(commands.rcpt(rcpt(f"r{number}")))
        say(session, answer)
    return session


def ending(session: Session) -> None:
    session.send(commands.data())
    say(session, b"354 go\r\n")
    session.send_content(b"hello\r\n")
    session.end_content()


OK, NO, LATER = b"250 ok\r\n", b"550 no\r\n", b"452 later\r\n"


# -- LMTP ----------------------------------------------------------------------------------------


def test_ehlo_and_helo_do_not_exist() -> None:
    session = Session(shared_machine(("lmtp",)))
    session.connect()
    say(session, b"220 mx\r\n")
    for command in (commands.ehlo("c.test"), commands.helo("c.test")):
        with pytest.raises(CommandRefused):
            session.send(command)
    session.send(LHLO)


def test_one_reply_for_each_accepted_recipient() -> None:
    told: list[Event] = []
    session = local(told, OK, NO, OK, OK)
    ending(session)
    assert session.replies_due == 3
    for answer, state in ((LATER, "SMTP_DOT"), (OK, "SMTP_DOT"), (NO, "SMTP_SEND_MESSAGE")):
        say(session, answer)
        assert session.configuration.state == state
    assert session.replies_due == 0
    assert [event.text for event in told[-3:]] == ["452 later", "250 ok", "550 no"]
    assert [event.row for event in told[-3:]] == ["", "", "dot-accepted"]


def test_all_at_once() -> None:
    session = local(None, OK, OK)
    ending(session)
    session.receive(b"250 ok\r\n452 later\r\n")
    assert [str(session.next_reply()), str(session.next_reply())] == ["250 ok", "452 later"]
    assert session.next_reply() is None
    assert session.state is SMTPCommand.SEND_MESSAGE


def test_nobody_has_it() -> None:
    session = local(None, OK, OK)
    ending(session)
    say(session, LATER)
    say(session, NO)
    assert session.state is SMTPCommand.CONNECTED


def test_the_last_chunk_and_no_other() -> None:
    session = local(None, OK, OK, offers=b"250-CHUNKING\r\n")
    session.send_chunk(b"one", last=False)
    assert session.replies_due == 1
    say(session, OK)
    session.send_chunk(b"two", last=True)
    assert session.replies_due == 2
    say(session, OK)
    say(session, NO)
    assert session.state is SMTPCommand.SEND_MESSAGE


def test_the_next_message_counts_anew() -> None:
    session = local(None, OK, OK)
    ending(session)
    say(session, OK)
    say(session, OK)
    session.send(MAIL)
    say(session, OK)
    session.send(commands.rcpt("a@example.test"))
    say(session, OK)
    ending(session)
    assert session.replies_due == 1


def test_no_content_for_nobody() -> None:
    session = local(None, NO, NO)
    with pytest.raises(CommandRefused):
        session.send(commands.data())


def test_one_reply_too_many() -> None:
    session = local(None, OK)
    ending(session)
    say(session, OK)
    with pytest.raises(UnexpectedReply):
        say(session, OK)


def test_421_among_them_ends_them() -> None:
    session = local(None, OK, OK, OK)
    ending(session)
    say(session, OK)
    assert say(session, b"421 bye\r\n").code == 421
    assert session.replies_due == 0
    assert session.legal == ("send_quit", "close")


def test_354_among_them_is_a_violation() -> None:
    session = local(None, OK, OK)
    ending(session)
    with pytest.raises(UnexpectedReply):
        say(session, b"354 go\r\n")
    assert session.legal == ("close",)


def test_the_end_among_them() -> None:
    session = local(None, OK, OK)
    ending(session)
    say(session, OK)
    assert type(session.eof()) is ConnectionLost


@given(
    st.lists(st.sampled_from([OK, NO, LATER]), min_size=1, max_size=8),
    st.lists(st.sampled_from([OK, NO, LATER, b"251 ok\r\n"]), min_size=8, max_size=8),
)
def test_as_many_as_were_accepted(recipients: list[bytes], answers: list[bytes]) -> None:
    session = local(None, *recipients)
    accepted = recipients.count(OK)
    if not accepted:
        assert not session.may("send_data")
        return
    ending(session)
    given_out = answers[:accepted]
    session.receive(b"".join(given_out))
    taken = []
    while (reply := session.next_reply()) is not None:
        taken.append(reply.raw)
    assert taken == given_out
    accepted_any = any(answer.startswith(b"2") for answer in given_out)
    after = SMTPCommand.SEND_MESSAGE if accepted_any else SMTPCommand.CONNECTED
    assert session.state is after


# -- LIMITS --------------------------------------------------------------------------------------


def limited(limits: bytes) -> Session:
    session = Session()
    session.connect()
    say(session, b"220 mx\r\n")
    session.send(commands.ehlo("client.example.test"))
    say(session, b"250-mx\r\n250 LIMITS " + limits + b"\r\n")
    return session


def tried(session: Session, *recipients: str) -> None:
    session.send(MAIL)
    say(session, OK)
    for recipient in recipients:
        session.send(commands.rcpt(recipient))
        say(session, OK)


def test_too_many_recipients() -> None:
    session = limited(b"RCPTMAX=2")
    tried(session, "a@x.test", "b@x.test")
    before = session.configuration
    with pytest.raises(LimitReached) as caught:
        session.send(commands.rcpt("c@x.test"))
    assert (caught.value.limit, caught.value.most) == ("RCPTMAX", 2)
    assert caught.value.state == "SMTP_RCPT"
    assert session.configuration is before
    session.send(commands.rset())
    say(session, OK)
    tried(session, "a@x.test", "b@x.test")


def test_too_many_domains() -> None:
    session = limited(b"RCPTDOMAINMAX=1 RCPTMAX=9")
    tried(session, "a@x.test", "b@X.test")
    with pytest.raises(LimitReached, match="RCPTDOMAINMAX=1"):
        session.send(commands.rcpt("c@y.test"))


def test_too_many_transactions() -> None:
    session = limited(b"MAILMAX=2")
    assert session.mails_left == 2
    for _ in range(2):
        tried(session)
        session.send(commands.rset())
        say(session, OK)
    assert session.mails_left == 0
    with pytest.raises(LimitReached, match="MAILMAX=2"):
        session.send(MAIL)
    # A new EHLO does not give more; a new connection does.
    session.send(commands.ehlo("client.example.test"))
    say(session, b"250-mx\r\n250 LIMITS MAILMAX=2\r\n")
    assert session.mails_left == 0
    session.send(commands.ehlo("client.example.test"))
    say(session, b"250 mx\r\n")
    assert session.mails_left is None
    session.close()
    session.connect()
    assert session.mails_left is None


def test_what_is_not_legal_is_not_counted() -> None:
    session = limited(b"MAILMAX=1")
    tried(session)
    with pytest.raises(CommandRefused):
        session.send(MAIL)
    assert session.mails_left == 0


@pytest.mark.parametrize("limits", [b"RCPTMAX=0", b"RCPTMAX", b"RCPTMAX=x", b"RCPTMAX=1000000"])
def test_what_is_no_limit(limits: bytes) -> None:
    session = limited(limits)
    assert session.offers.limits == {}
    tried(session, *(f"r{number}@x.test" for number in range(3)))
