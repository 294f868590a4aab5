"""Call by call beside the standard library's: the same replies, the same results and exceptions."""

import inspect
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsm_smtp.contrib import smtplib as ours
from fsm_smtp.testing import SMTPServer
from fsm_smtp.testing import strategies as smtp
from fsm_smtp.testing.scripted import (
    GREETING,
    OPENING,
    Answer,
    Handshake,
    Hold,
    Line,
    Say,
    ScriptedServer,
    ehlo,
    in_turn,
)

SENDER = "me@example.test"
TO = ["one@example.test", "two@example.test", "three@example.test"]
NAME = "client.example.test"
TIMEOUT = 3.0

Outcome = tuple[str, Any]


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(always=()) as made:
        yield made


def tried(call: Callable[[], Any]) -> Outcome:
    """What comes of a call; of a lost connection only that it was lost."""
    try:
        return "returned", call()
    except smtplib.SMTPServerDisconnected:
        return "SMTPServerDisconnected", ()
    except OSError as error:
        return type(error).__name__, error.args


def both(server: ScriptedServer, replies: list[bytes], calls: Callable[[Any], Any]) -> list[Any]:
    """What *calls*, a generator of outcomes, gives with each of both."""
    found: list[list[Outcome]] = []
    for module in (smtplib, ours):
        server.always = in_turn(*replies)
        outcomes: list[Outcome] = []
        smtp: Any = None

        def connected(module: Any = module) -> Any:
            return module.SMTP("127.0.0.1", server.port, NAME, TIMEOUT)

        kind, made = tried(connected)
        if kind == "returned":
            smtp = made
            outcomes.extend(calls(smtp))
            smtp.close()
        else:
            outcomes.append((kind, made))
        found.append(outcomes)
    return found


# -- replies -------------------------------------------------------------------------------------

TEXT = st.sampled_from([b"ok", b"2.1.0 fine", b"", b"no such user  ", b"5.7.1 \t not you"])


def reply(codes: st.SearchStrategy[int]) -> st.SearchStrategy[bytes]:
    """One reply of one line or more."""
    return smtp.replies(codes, TEXT)


MOSTLY = st.sampled_from([250] * 12 + [251, 252, 450, 451, 452, 500, 503, 550, 552, 554, 421])
ANSWER = st.one_of(*[reply(MOSTLY)] * 12, st.just(b""))
OPEN = st.one_of(*[st.just(b"354 go\r\n")] * 5, reply(st.sampled_from([354, 451, 503, 554, 421])))
OFFERS = st.sampled_from(
    [
        b"250 mx\r\n",
        b"250-mx\r\n250-SIZE 1000000\r\n250 8BITMIME\r\n",
        b"250-mx\r\n250-SIZE\r\n250-AUTH PLAIN LOGIN\r\n250-AUTH=LOGIN PLAIN\r\n250 DSN\r\n",
        b"500 what\r\n",
        b"554 no\r\n",
    ]
)


@st.composite
def sessions(draw: st.DrawFn) -> list[bytes]:
    """The replies of a server that keeps to the protocol, for one message and some of another.

    Which reply meets which command depends on the replies before it; so that a 354 comes where it
    may, the commands are followed here, as smtplib sends them.
    """
    replies = [draw(st.sampled_from([b"220 mx\r\n"] * 6 + [b"554 no\r\n", b"421 later\r\n", b""]))]
    replies.append(draw(OFFERS))
    if not replies[-1].startswith(b"2"):
        replies.append(draw(reply(st.sampled_from([250, 250, 550]))))
    for _ in range(2):
        replies.append(draw(ANSWER))
        if replies[-1][:3] != b"250":
            replies.append(b"250 reset\r\n")
            continue
        some = False
        for _ in TO:
            replies.append(draw(ANSWER))
            some = some or replies[-1][:3] in (b"250", b"251")
        if not some:
            replies.append(b"250 reset\r\n")
            continue
        replies.append(draw(OPEN))
        if replies[-1][:3] != b"354":
            break  # the transaction is open still: ours says RSET before the next, smtplib nothing
        replies.append(draw(ANSWER))
        if replies[-1][:3] != b"250":
            replies.append(b"250 reset\r\n")
    return replies


def sendings(smtp: Any) -> list[Outcome]:
    return [tried(lambda: smtp.sendmail(SENDER, TO, b"hello\r\n")) for _ in range(2)]


@settings(max_examples=150)
@given(replies=sessions())
def test_sendmail(server: ScriptedServer, replies: list[bytes]) -> None:
    theirs, own = both(server, replies, sendings)
    if own[0][0] == "SMTPHeloError":
        # smtplib goes on with MAIL the next time. Ours is not let to (RFC 5321 §4.1.4).
        assert own.pop()[0] in ("SMTPException", "SMTPServerDisconnected")
        theirs.pop()
    assert own == theirs


CODES = st.integers(200, 559).filter(lambda code: code // 10 % 10 < 6)
FINAL = CODES.filter(lambda code: code // 100 != 3)


@settings(max_examples=100)
@given(
    lawful=st.integers(0, 3),
    mail=reply(CODES),
    rcpts=st.tuples(reply(FINAL), reply(FINAL)),
    data=reply(CODES),
    dot=reply(CODES),
)
def test_one_message_to_a_server_that_says_anything(
    server: ScriptedServer,
    lawful: int,
    mail: bytes,
    rcpts: tuple[bytes, bytes],
    data: bytes,
    dot: bytes,
) -> None:
    """A reply that may not come there ends our session; what is raised is the same."""
    replies = [mail, *rcpts, data, dot, b"250 reset\r\n"]
    good = [b"250 ok\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"]
    kept = (0, 1, 3, 4)[lawful]
    begin = [b"220 mx\r\n", b"250 mx\r\n", *good[:kept], *replies[kept:]]
    theirs, own = both(
        server, begin, lambda smtp: [tried(lambda: smtp.sendmail(SENDER, TO[:2], b"hello\r\n"))]
    )
    assert own == theirs


def test_nothing_follows_a_reply_that_may_not_come(server: ScriptedServer) -> None:
    """smtplib takes a 354 to RCPT for a refusal and goes on; what was meant, nobody knows."""
    server.always = in_turn(
        b"220 mx\r\n", b"250 mx\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 ok\r\n"
    )
    smtp = ours.SMTP("127.0.0.1", server.port, NAME, TIMEOUT)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        smtp.sendmail(SENDER, TO, "hello")
    smtp.close()
    assert [line[:4] for line in server.taken[-1].lines] == [b"EHLO", b"MAIL", b"RCPT"]


# -- other calls ---------------------------------------------------------------------------------


def test_every_method_that_smtplib_documents_is_there() -> None:
    """With parameters of the same names in the same places, as far as they are not out of use."""
    names = "connect ehlo ehlo_or_helo_if_needed has_extn verify vrfy login starttls sendmail"
    names += " send_message quit helo help noop rset mail rcpt data docmd expn close set_debuglevel"
    for name in names.split():
        theirs = inspect.signature(getattr(smtplib.SMTP, name)).parameters
        own = inspect.signature(getattr(ours.SMTP, name)).parameters
        assert [each for each in theirs if each not in ("keyfile", "certfile")] == list(own), name
    assert set(ours.__all__) <= {*dir(smtplib)}


def calls(smtp: Any) -> list[Outcome]:
    return [
        tried(smtp.ehlo),
        ("features", (smtp.esmtp_features, smtp.does_esmtp, smtp.ehlo_resp)),
        tried(lambda: smtp.has_extn("Size")),
        tried(smtp.noop),
        tried(lambda: smtp.verify("Somebody <one@example.test>")),
        tried(lambda: smtp.expn("list")),
        tried(lambda: smtp.help("mail")),
        tried(lambda: smtp.docmd("XYZZY", "plugh")),
        tried(lambda: smtp.mail(SENDER, ["size=10"])),
        tried(lambda: smtp.rcpt("Two <two@example.test>")),
        tried(lambda: smtp.data("hello\n.dot\r\n")),
        tried(smtp.helo),
        tried(smtp.rset),
        tried(smtp.quit),
        tried(smtp.noop),
    ]


def test_every_command_by_itself(server: ScriptedServer) -> None:
    replies = [
        b"220 mx\r\n",
        b"250-mx\r\n250-SIZE 1000\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n",
        *(b"250 noop\r\n", b"252 perhaps\r\n", b"550 no list\r\n", b"214-help\r\n214 yourself\r\n"),
        *(b"502 what\r\n", b"250 mail\r\n", b"251 will forward\r\n", b"354 go\r\n", b"250 dot\r\n"),
        *(b"250 helo\r\n", b"250 rset\r\n", b"221 bye\r\n"),
    ]
    theirs, own = both(server, replies, calls)
    assert own == theirs


def test_what_is_sent_is_the_same() -> None:
    """But for upper case, and BODY, which RFC 6152 §3 asks for."""
    message = EmailMessage()
    message["From"], message["To"], message["Bcc"] = SENDER, ", ".join(TO[:2]), TO[2]
    message["Subject"] = "hello"
    message.set_content("hello\n.dot\n")
    with SMTPServer(extensions=frozenset({"SIZE", "8BITMIME"})) as server:
        server.order("RCPT", recipient="no@example.test", reply="550 5.1.1 no such user")
        for module in (smtplib, ours):
            with module.SMTP("127.0.0.1", server.port, NAME, TIMEOUT) as smtp:
                assert smtp.send_message(message) == {}
                assert smtp.sendmail(SENDER, [*TO[:1], "no@example.test"], "a\nb\rc\r\n") == {
                    "no@example.test": (550, b"5.1.1 no such user")
                }
        one, two = ([line.upper() for line in each.commands] for each in server.sessions)
        assert one == two
        first, second, third, fourth = (
            (message.sender, message.recipients, message.content) for message in server.messages
        )
        assert (first, second) == (third, fourth)
        _, recipients, content = first
        assert b"Bcc" not in content
        assert [one.path.decode() for one in recipients] == TO


def test_a_mailbox_without_a_domain(server: ScriptedServer) -> None:
    """Against the grammar (RFC 5321 §4.1.2), and what local tools do."""
    server.always = (*OPENING, Answer())
    with ours.SMTP("127.0.0.1", server.port, NAME, TIMEOUT) as smtp:
        assert smtp.sendmail("root", ["cron", *TO[:1]], "hello") == {}
        assert smtp.sock is not None
    assert server.taken[-1].lines[1:3] == [b"MAIL FROM:<root> SIZE=5", b"RCPT TO:<cron>"]
    assert smtp.sock is None


def test_as_a_context_manager(server: ScriptedServer) -> None:
    for module in (smtplib, ours):
        server.always = in_turn(b"220 mx\r\n", b"554 never\r\n")
        with (
            pytest.raises(smtplib.SMTPResponseException) as raised,
            module.SMTP("127.0.0.1", server.port, NAME, TIMEOUT),
        ):
            pass
        assert raised.value.args == (554, b"never")
        server.always = in_turn(b"220 mx\r\n")
        with module.SMTP("127.0.0.1", server.port, NAME, TIMEOUT):
            pass


def test_nobody_there() -> None:
    for module in (smtplib, ours):
        with pytest.raises(ConnectionRefusedError):
            module.SMTP("127.0.0.1", 1, NAME, TIMEOUT)
        with pytest.raises(OSError, match="nonnumeric port"):
            module.SMTP("127.0.0.1:smtp")
        with pytest.raises(ValueError, match="timeout=0"):
            module.SMTP("127.0.0.1", 1, NAME, 0)
        smtp = module.SMTP(local_hostname=NAME)
        with pytest.raises(smtplib.SMTPServerDisconnected, match=r"please run connect\(\) first"):
            smtp.sendmail(SENDER, TO, "hello")


def test_host_and_port_in_one(server: ScriptedServer) -> None:
    server.always = in_turn(b"220 mx\r\n", b"221 bye\r\n")
    smtp = ours.SMTP(f"127.0.0.1:{server.port}", local_hostname=NAME, timeout=TIMEOUT)
    assert smtp.quit() == (221, b"bye")


def test_a_reply_that_does_not_come(server: ScriptedServer) -> None:
    for module in (smtplib, ours):
        server.always = in_turn(b"220 mx\r\n", b"250-slow\r\n")
        smtp = module.SMTP("127.0.0.1", server.port, NAME, 0.1)
        with pytest.raises(smtplib.SMTPServerDisconnected) as raised:
            smtp.sendmail(SENDER, TO, "hello")
        assert raised.value.args == ("Connection unexpectedly closed: timed out",)
        smtp.close()


# -- extensions ----------------------------------------------------------------------------------

AUTH = b"250-mx\r\n250 AUTH PLAIN\r\n"


@pytest.mark.parametrize(
    ("replies", "outcome"),
    [
        ([AUTH, b"235 2.7.0 welcome\r\n"], ("returned", (235, b"2.7.0 welcome"))),
        ([AUTH, b"535 5.7.8 no\r\n"], ("SMTPAuthenticationError", (535, b"5.7.8 no"))),
        (
            [b"250 mx\r\n"],
            ("SMTPNotSupportedError", ("SMTP AUTH extension not supported by server.",)),
        ),
        (
            [b"250-mx\r\n250 AUTH GSSAPI\r\n"],
            ("SMTPException", ("No suitable authentication method found.",)),
        ),
        ([b"500 what\r\n", b"550 no\r\n"], ("SMTPHeloError", (550, b"no"))),
    ],
)
def test_login(server: ScriptedServer, replies: list[bytes], outcome: Outcome) -> None:
    theirs, own = both(
        server, [b"220 mx\r\n", *replies], lambda smtp: [tried(lambda: smtp.login("me", "secret"))]
    )
    assert own == theirs == [outcome]


@pytest.mark.parametrize(
    ("replies", "outcome"),
    [
        (
            [b"250 mx\r\n"],
            ("SMTPNotSupportedError", ("STARTTLS extension not supported by server.",)),
        ),
        (
            [b"250-mx\r\n250 STARTTLS\r\n", b"454 4.7.0 not now\r\n"],
            ("SMTPResponseException", (454, b"4.7.0 not now")),
        ),
    ],
)
def test_starttls_refused(server: ScriptedServer, replies: list[bytes], outcome: Outcome) -> None:
    theirs, own = both(server, [b"220 mx\r\n", *replies], lambda smtp: [tried(smtp.starttls)])
    assert own == theirs == [outcome]


def test_smtputf8(server: ScriptedServer) -> None:
    message = EmailMessage()
    message["From"], message["To"] = "j\u00f6rg@example.test", TO[0]
    message.set_content("hello")
    offers = b"250-mx\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
    replies = [b"220 mx\r\n", offers, *[b"250 ok\r\n"] * 2, b"354 go\r\n", b"250 ok\r\n"]
    theirs, own = both(server, replies, lambda smtp: [tried(lambda: smtp.send_message(message))])
    assert own == theirs == [("returned", {})]
    assert (
        server.taken[-1].lines[1]
        == "MAIL FROM:<j\u00f6rg@example.test> SMTPUTF8 BODY=8BITMIME".encode()
    )
    theirs, own = both(
        server,
        [b"220 mx\r\n", b"250 mx\r\n"],
        lambda smtp: [
            tried(lambda: smtp.send_message(message)),
            tried(lambda: smtp.sendmail(SENDER, TO, "x", ["SMTPUTF8"])),
        ],
    )
    assert own == theirs
    assert [kind for kind, _ in own] == ["SMTPNotSupportedError"] * 2


def test_the_example_of_the_docs(capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "smtplib.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    with SMTPServer() as server:
        exec(compile(example.replace("2525", str(server.port)), "docs/smtplib.md", "exec"), {})
    assert capsys.readouterr().out == "{}\n"
    assert len(server.messages) == 1


# -- what is different ---------------------------------------------------------------------------


def test_eight_bits_are_not_sent_where_they_are_not_offered(server: ScriptedServer) -> None:
    server.always = in_turn(b"220 mx\r\n", b"250 mx\r\n")
    smtp = ours.SMTP("127.0.0.1", server.port, NAME, TIMEOUT)
    with pytest.raises(smtplib.SMTPNotSupportedError, match="8BITMIME not supported"):
        smtp.sendmail(SENDER, TO, "gr\u00fc\u00dfe".encode())
    smtp.close()


def test_what_is_no_reply_is_not_taken_for_one(server: ScriptedServer) -> None:
    server.always = in_turn(b"220 mx\r\n", b"hello there\r\n")
    smtp = ours.SMTP("127.0.0.1", server.port, NAME, TIMEOUT)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        smtp.ehlo()


def test_what_is_not_legal_is_not_sent(server: ScriptedServer) -> None:
    server.always = in_turn(b"220 mx\r\n", b"250 mx\r\n", b"221 bye\r\n")
    smtp = ours.SMTP("127.0.0.1", server.port, NAME, TIMEOUT)
    smtp.ehlo()
    with pytest.raises(smtplib.SMTPException, match=r"'DATA' .* is not legal in SMTP_CONNECTED"):
        smtp.docmd("DATA")
    with pytest.raises(ValueError, match="RFC"):
        smtp.docmd("NOOP\r\nMAIL FROM:<me@example.test>")
    smtp.quit()
    assert server.taken[-1].lines[1:] == [b"quit"]


def test_certificates_are_verified(tls: Any) -> None:
    """The standard library verifies nothing unless it is told to."""

    script = (*GREETING, *ehlo("STARTTLS"), Line(b"STARTTLS"), Say(b"220 go\r\n"))
    bad = (*script, Handshake(tls.bad["unknown authority"]), Hold())
    good = (*script, Handshake(tls.good), *ehlo("8BITMIME"), Answer())
    with ScriptedServer(bad, good) as server:
        smtp = ours.SMTP("127.0.0.1", server.port, NAME, TIMEOUT)
        with pytest.raises(ssl.SSLCertVerificationError):
            smtp.starttls()
        with ours.SMTP("127.0.0.1", server.port, NAME, TIMEOUT) as smtp:
            assert smtp.starttls(context=tls.trusting) == (220, b"go")
            assert (smtp.does_esmtp, smtp.esmtp_features) == (False, {})
            assert smtp.sendmail(SENDER, TO, "hello") == {}


def test_tls_from_the_first_octet(tls: Any) -> None:

    good = (Handshake(tls.good), *GREETING, *ehlo("8BITMIME"), Answer())
    bad = (Handshake(tls.bad["wrong name"]), Hold())
    with ScriptedServer(good, bad) as server:
        with ours.SMTP_SSL(
            "127.0.0.1", server.port, NAME, timeout=TIMEOUT, context=tls.trusting
        ) as smtp:
            assert smtp.sendmail(SENDER, TO, "hello") == {}
        with pytest.raises(ssl.SSLCertVerificationError):
            ours.SMTP_SSL("127.0.0.1", server.port, NAME, timeout=TIMEOUT, context=tls.trusting)


def test_debugging_shows_no_secret(
    server: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.always = in_turn(b"220 mx\r\n", AUTH, b"235 welcome\r\n", b"221 bye\r\n")
    smtp = ours.SMTP("127.0.0.1", server.port, NAME, TIMEOUT)
    smtp.set_debuglevel(1)
    smtp.login("me", "secret")
    smtp.quit()
    shown = capsys.readouterr().err
    assert "S: 235 welcome" in shown
    assert "AUTH PLAIN" in shown
    assert "AG1lAHNlY3JldA==" not in shown
