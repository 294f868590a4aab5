"""Servers that lie to a client, in each state: plain clients, and guarded ones.

What a reply is worth in a state is worked out by the oracle, which reads the table by itself. What
plain clients make of it is what their documentation says of replies, or can be read in them.
"""

import asyncio
import smtplib
from dataclasses import dataclass

import aiosmtplib
import pytest

from fsm_smtp.guard import GuardError
from fsm_smtp.guard import smtplib as guarded_smtplib
from fsm_smtp.testing.scripted import (
    GREETING,
    Answer,
    Body,
    Close,
    Drip,
    Line,
    Say,
    Script,
    ScriptedServer,
)
from tests.guard.clients import BOTH, NAME, aiosmtplib_client
from tests.guard.oracle import Oracle
from tests.guard.talk import GO, OK

# -- each state, each reply ------------------------------------------------------------------------


@dataclass(frozen=True)
class Turn:
    """Something that a client says, and the right answer to it."""

    trigger: str
    octets: bytes
    answer: bytes


CONNECT = Turn("connect", b"", b"220 mx.example.test\r\n")
EHLO = Turn(
    "send_ehlo", b"EHLO x.example\r\n", b"250-mx\r\n250-STARTTLS\r\n250 AUTH LOGIN PLAIN\r\n"
)
HELO = Turn("send_helo", b"HELO x.example\r\n", OK)
AUTH = Turn("send_auth", b"AUTH LOGIN\r\n", b"334 VXNlcm5hbWU6\r\n")
RESPONSE = Turn("send_response", b"dXNlcg==\r\n", b"334 UGFzc3dvcmQ6\r\n")
MAIL = Turn("send_mail", b"MAIL FROM:<a@example.org>\r\n", OK)
RCPT = Turn("send_rcpt", b"RCPT TO:<b@example.test>\r\n", OK)
DATA = Turn("send_data", b"DATA\r\n", GO)
CONTENT = Turn("send_dot", b"hello\r\n.\r\n", OK)
OPEN = (CONNECT, EHLO)

#: What leads to the answer that is a lie; its right answer is not given.
STATES: dict[str, tuple[Turn, ...]] = {
    "greeting": (CONNECT,),
    "EHLO": OPEN,
    "HELO": (CONNECT, HELO),
    "STARTTLS": (*OPEN, Turn("send_starttls", b"STARTTLS\r\n", b"220 go\r\n")),
    "AUTH": (*OPEN, AUTH),
    "challenge": (*OPEN, AUTH, RESPONSE),
    "MAIL": (*OPEN, MAIL),
    "RCPT": (*OPEN, MAIL, RCPT),
    "second RCPT": (*OPEN, MAIL, RCPT, RCPT),
    "DATA": (*OPEN, MAIL, RCPT, DATA),
    "content": (*OPEN, MAIL, RCPT, DATA, CONTENT),
    "RSET": (*OPEN, MAIL, Turn("send_rset", b"RSET\r\n", OK)),
    "NOOP": (*OPEN, Turn("send_noop", b"NOOP\r\n", OK)),
    "VRFY": (*OPEN, Turn("send_vrfy", b"VRFY b\r\n", OK)),
    "QUIT": (*OPEN, Turn("send_quit", b"QUIT\r\n", b"221 bye\r\n")),
}

#: One reply, and what plain smtplib takes its code for: the table says whether it may come now.
REPLIES: dict[bytes, int] = {
    **{b"%d x\r\n" % code: code for code in (220, 235, 250, 221, 334, 354, 421, 450, 501, 550)},
    b"250\r\n": 250,  # a bare code
    b"250 caf\xc3\xa9\r\n": 250,  # 8-bit text
    b"250 ok\n": 250,  # a bare LF
    b"250-one\r\n250 two\r\n": 250,
}

#: What is no reply, and what plain smtplib takes its code for (-1: for none).
NONE: dict[bytes, int] = {
    b"2_5 ok\r\n": 25,
    b"+25 ok\r\n": 25,
    b" 25 ok\r\n": 25,
    b"000 ok\r\n": 0,
    b"150 ok\r\n": 150,
    b"650 ok\r\n": 650,
    b"999 ok\r\n": 999,
    b"2500 ok\r\n": 250,
    b"250-ok\r\n550 no\r\n": 550,
    b"250_ok\r\n": 250,
    b"250 o\0k\r\n": 250,
    b"250 o\rk\r\n": 250,
    b"250 " + b"x" * 5000 + b"\r\n": 250,
    b"ok\r\n": -1,
    b"\r\n": -1,
}


def _script(turns: tuple[Turn, ...], *lie: Say | Drip | Close) -> Script:
    steps: list[Line | Body | Say | Drip | Close | Answer] = []
    for turn in turns:
        if turn is CONTENT:
            steps.append(Body())
        elif turn is not CONNECT:
            steps.append(Line(turn.octets[:4]))
        steps.append(Say(turn.answer))
    return (*steps[:-1], *lie, Answer())


def _told(turns: tuple[Turn, ...], port: int, *, guarded: bool) -> tuple[int, bytes]:
    """Go through *turns* with smtplib; gives its last answer, and leaves without QUIT.

    Raises:
        smtplib.SMTPException: the answer is none, and the client has left already.
    """
    cls = guarded_smtplib.SMTP if guarded else smtplib.SMTP
    smtp = cls(local_hostname=NAME, timeout=10)
    try:
        answer = smtp.connect("127.0.0.1", port)
        for turn in turns[1:]:
            smtp.send(turn.octets)
            answer = smtp.getreply()
    except smtplib.SMTPException:
        assert smtp.sock is None
        raise
    finally:
        smtp.close()
    return answer


def _after(turns: tuple[Turn, ...]) -> Oracle:
    """The table when the last of *turns* awaits its answer."""
    oracle = Oracle()
    for number, turn in enumerate(turns):
        if turn is CONTENT:
            oracle.happens("send_content")
        oracle.happens(turn.trigger)
        if number < len(turns) - 1:
            lines = turn.answer.decode().splitlines()
            oracle.answered(int(turn.answer[:3]), "\n".join(line[4:] for line in lines))
    return oracle


def _heard(turns: tuple[Turn, ...]) -> bytes:
    return b"".join(turn.octets for turn in turns)


@pytest.mark.parametrize("state", STATES)
def test_a_reply_that_is_not_the_one_for_this_state(state: str) -> None:
    """Plain smtplib gives its caller what has come; the guard knows what may come."""
    turns = STATES[state]
    oracle = _after(turns)
    wrong = {lie: oracle.breaks(code) for lie, code in REPLIES.items()}
    assert set(wrong.values()) == {True, False}
    for lie, code in REPLIES.items():
        with ScriptedServer(*[_script(turns, Say(lie))] * 2) as server:
            plain = _told(turns, server.port, guarded=False)
            assert plain[0] == code
            if wrong[lie]:
                with pytest.raises(GuardError) as caught:
                    _told(turns, server.port, guarded=True)
                assert isinstance(caught.value, smtplib.SMTPResponseException)
                assert caught.value.smtp_code == code
            else:
                assert _told(turns, server.port, guarded=True) == plain
        assert server.taken[1].octets == _heard(turns)


@pytest.mark.parametrize("state", STATES)
def test_what_is_no_reply(state: str) -> None:
    turns = STATES[state]
    for lie, code in NONE.items():
        with ScriptedServer(*[_script(turns, Say(lie))] * 2) as server:
            assert _told(turns, server.port, guarded=False)[0] == code
            with pytest.raises(GuardError) as caught:
                _told(turns, server.port, guarded=True)
            assert isinstance(caught.value, smtplib.SMTPResponseException)
        assert server.taken[1].octets == _heard(turns)


@pytest.mark.parametrize("state", STATES)
def test_one_octet_at_a_time_changes_nothing(state: str) -> None:
    """Every point where a reply can be cut at once; CR and LF come in different segments."""
    turns = STATES[state]
    right, wrong = turns[-1].answer, b"2x" + turns[-1].answer[2:]
    scripts = [_script(turns, Drip(right, 0)), _script(turns, Say(right))]
    with ScriptedServer(*scripts, _script(turns, Drip(wrong, 0))) as server:
        assert _told(turns, server.port, guarded=True) == _told(turns, server.port, guarded=True)
        with pytest.raises(GuardError):
            _told(turns, server.port, guarded=True)


@BOTH
@pytest.mark.parametrize("reset", [False, True], ids=["EOF", "RST"])
@pytest.mark.parametrize("state", STATES)
def test_the_connection_breaks_to_which_smtplib_is_immune(
    state: str, reset: bool, guarded: bool
) -> None:
    turns = STATES[state]
    with ScriptedServer(_script(turns, Close(reset))) as server:
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            _told(turns, server.port, guarded=guarded)
    assert server.taken[0].octets == _heard(turns)


@pytest.mark.parametrize("lie", NONE)
def test_what_is_no_reply_to_aiosmtplib(lie: bytes) -> None:
    """It takes the first three octets for the code, and what is behind them for text."""

    async def noop(port: int, *, guarded: bool) -> int:
        smtp = aiosmtplib_client(port, guarded=guarded)
        await smtp.connect()
        try:
            return (await smtp.execute_command(b"NOOP")).code
        except aiosmtplib.SMTPResponseException as error:
            return error.code
        finally:
            smtp.close()

    script = (*GREETING, Line(b"NOOP"), Say(lie), Answer())
    with ScriptedServer(script, script) as server:
        assert asyncio.run(noop(server.port, guarded=False)) == NONE[lie]
        with pytest.raises(GuardError) as caught:
            asyncio.run(noop(server.port, guarded=True))
        assert isinstance(caught.value, aiosmtplib.SMTPServerDisconnected)
    assert server.taken[1].octets == b"NOOP\r\n"
