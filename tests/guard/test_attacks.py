"""What clients get wrong when they are lied to or misused: plain, and under the guard.

Each attack is tried on the plain client first, which shows the behaviour (all of it is documented
or long known) or is immune to it; then on the guarded one, which ends safely.
"""

import asyncio
import contextlib
import smtplib
import socket
import ssl

import aiosmtplib
import pytest

from fsm_smtp.guard import GuardError, GuardOptions
from fsm_smtp.guard import aiosmtplib as guarded_aiosmtplib
from fsm_smtp.guard import smtplib as guarded_smtplib
from fsm_smtp.guard.sockets import GuardedSocket
from fsm_smtp.testing.scripted import (
    DELIVERY,
    ENVELOPE,
    GOODBYE,
    GREETING,
    OPENING,
    Answer,
    Body,
    Close,
    Line,
    Say,
    Script,
    ScriptedServer,
    answers,
    ehlo,
)

NAME = "client.example.test"


def _plain(port: int) -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", port, NAME, 10)


def _guarded(port: int) -> smtplib.SMTP:
    return guarded_smtplib.SMTP("127.0.0.1", port, NAME, 10)


# -- the end of data -------------------------------------------------------------------------------

SMUGGLED = b"hello\r.\r\nMAIL FROM:<evil@example.org>\r\nRCPT TO:<b@example.test>\r\n"


def test_smuggling_by_bare_cr_in_smtplib() -> None:
    """smtplib sends octets as they are; a dot behind a bare CR is no line of its own to it."""
    with ScriptedServer((*DELIVERY, *GOODBYE)) as server, _plain(server.port) as smtp:
        smtp.sendmail("a@example.org", "b@example.test", SMUGGLED)
    assert b"\r.\r\nMAIL FROM:<evil" in server.taken[0].octets
    with ScriptedServer((*OPENING, *ENVELOPE)) as server:
        smtp = _guarded(server.port)
        with pytest.raises(ValueError, match="bare CR"):
            smtp.sendmail("a@example.org", "b@example.test", SMUGGLED)
        smtp.close()
    assert server.taken[0].octets.upper().endswith(b"DATA\r\n")


def test_smuggling_in_aiosmtplib_which_is_immune() -> None:
    async def send(cls: type[aiosmtplib.SMTP], port: int) -> None:
        async with cls(hostname="127.0.0.1", port=port, local_hostname=NAME, start_tls=False) as s:
            await s.sendmail("a@example.org", ["b@example.test"], SMUGGLED)

    wires: list[bytes] = []
    for cls in (aiosmtplib.SMTP, guarded_aiosmtplib.SMTP):
        with ScriptedServer((*DELIVERY, *GOODBYE)) as server:
            asyncio.run(send(cls, server.port))
        wires.append(server.taken[0].octets)
    assert wires[0] == wires[1]
    assert b"\r\n..\r\nMAIL FROM:<evil" in wires[0]


# -- injection -------------------------------------------------------------------------------------


@pytest.mark.parametrize("evil", ["\0", "\t", "\x0b", "\x1b", "\x7f"])
def test_control_octets_in_addresses(evil: str) -> None:
    with ScriptedServer((*OPENING, *answers((b"MAIL", b"250 ok\r\n")), *GOODBYE)) as server:
        with _plain(server.port) as smtp:
            smtp.ehlo()
            smtp.mail(f"<a{evil}b@example.org>")
    assert evil.encode() in server.taken[0].octets
    with ScriptedServer((*OPENING, *GOODBYE)) as server:
        with _guarded(server.port) as smtp:
            smtp.ehlo()
            with pytest.raises(ValueError, match="control octet"):
                smtp.mail(f"<a{evil}b@example.org>")
    assert evil.encode() not in server.taken[0].octets


@pytest.mark.parametrize("make", [_plain, _guarded])
def test_line_ends_in_commands_to_which_both_are_immune(make: type) -> None:
    with ScriptedServer((*OPENING, *GOODBYE)) as server:
        with make(server.port) as smtp:
            smtp.ehlo()
            for evil in ("\r\nDATA", "\nDATA", "\r"):
                with pytest.raises(ValueError, match="prohibited newline"):
                    smtp.mail("a@example.org", [f"SIZE=1{evil}"])
            with pytest.raises(UnicodeEncodeError):  # what an 8-bit cast turns into CR LF
                smtp.mail("<a\u010d\u010aDATA@example.org>")
    assert b"DATA" not in server.taken[0].octets


def test_control_octets_in_the_clients_own_name() -> None:
    with ScriptedServer((*GREETING, Line(b"EHLO"), Say(b"250 mx\r\n"), *GOODBYE)) as server:
        with smtplib.SMTP("127.0.0.1", server.port, "a\0b", 10) as smtp:
            smtp.ehlo()
    with ScriptedServer((*GREETING, *GOODBYE)) as server:
        with guarded_smtplib.SMTP("127.0.0.1", server.port, "a\0b", 10) as smtp:
            with pytest.raises(ValueError, match="control octet 00"):
                smtp.ehlo()
    assert server.taken[0].octets == b"QUIT\r\n"


# -- STARTTLS --------------------------------------------------------------------------------------

BEHIND: Script = (
    *GREETING,
    *ehlo("STARTTLS"),
    Line(b"STARTTLS"),
    Say(b"220 go\r\n250-mx.example.test\r\n250 AUTH PLAIN\r\n"),
    Body(16),
    Close(),
)


def test_replies_buffered_before_tls() -> None:
    """Plain clients throw the octets away and go on; the guard takes them for what they are."""
    with ScriptedServer(BEHIND) as server:
        smtp = _plain(server.port)
        with contextlib.suppress(OSError):  # nobody answers the handshake
            smtp.starttls(context=ssl.create_default_context())
        smtp.close()
    assert server.taken[0].octets.upper().partition(b"STARTTLS\r\n")[2].startswith(b"\x16")
    with ScriptedServer(BEHIND) as server:
        smtp = _guarded(server.port)
        with pytest.raises(GuardError, match="plaintext behind the 220"):
            smtp.starttls(context=ssl.create_default_context())
    assert server.taken[0].octets.upper().endswith(b"STARTTLS\r\n")


STRIPPED: dict[str, Script] = {
    "not offered": ehlo("SIZE"),
    "a mangled keyword": ehlo("XXXXXXXX"),
    "454": (*ehlo("STARTTLS"), *answers((b"STARTTLS", b"454 not now\r\n"))),
    "5yz": (*ehlo("STARTTLS"), *answers((b"STARTTLS", b"502 never\r\n"))),
    "only HELO": answers((b"EHLO", b"502 what?\r\n"), (b"HELO", b"250 mx\r\n")),
}


@pytest.mark.parametrize("way", STRIPPED)
def test_a_session_that_goes_on_in_clear(way: str) -> None:
    """A program that wants TLS, does not look whether it got it, and sends."""

    def program(smtp: smtplib.SMTP) -> None:
        with contextlib.suppress(smtplib.SMTPException):
            smtp.starttls(context=ssl.create_default_context())
        smtp.sendmail("a@example.org", "b@example.test", b"secret\r\n")

    class Strict(guarded_smtplib.SMTP):
        guarding = GuardOptions(require_tls=True)

    with ScriptedServer((*GREETING, *STRIPPED[way], *DELIVERY[len(OPENING) :])) as server:
        smtp = _plain(server.port)
        program(smtp)
        smtp.close()
    assert b"secret" in server.taken[0].octets
    with ScriptedServer((*GREETING, *STRIPPED[way], Answer())) as server:
        smtp = Strict("127.0.0.1", server.port, NAME, 10)
        with pytest.raises(GuardError, match="the connection is in clear"):
            program(smtp)
        smtp.close()
    assert b"MAIL" not in server.taken[0].octets.upper()


# -- replies that lie ------------------------------------------------------------------------------

#: What a server answers to MAIL, and what smtplib makes of it.
LIES: dict[bytes, int] = {
    b"354 go ahead\r\n": 354,
    b"334 AAAA\r\n": 334,
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
    b"ok\r\n": -1,
}


@pytest.mark.parametrize("lie", LIES)
def test_a_reply_that_lies(lie: bytes) -> None:
    script = (*OPENING, Line(b"MAIL"), Say(lie), Answer())
    with ScriptedServer(script) as server:
        smtp = _plain(server.port)
        smtp.ehlo()
        assert smtp.mail("a@example.org")[0] == LIES[lie]
        smtp.close()
    with ScriptedServer(script) as server:
        smtp = _guarded(server.port)
        smtp.ehlo()
        with pytest.raises(GuardError) as caught:
            smtp.mail("a@example.org")
        assert isinstance(caught.value, smtplib.SMTPResponseException)
        assert smtp.sock is None


@pytest.mark.parametrize("lie", [b"250 o\0k\r\n", b"250 o\rk\r\n", b"250_ok\r\n", b"650 x\r\n"])
def test_a_reply_that_lies_to_aiosmtplib(lie: bytes) -> None:
    async def mail(cls: type[aiosmtplib.SMTP], port: int) -> aiosmtplib.SMTPResponse:
        smtp = cls(hostname="127.0.0.1", port=port, local_hostname=NAME, start_tls=False)
        await smtp.connect()
        try:
            await smtp.ehlo()
            return await smtp.execute_command(b"MAIL", b"FROM:<a@example.org>")
        finally:
            smtp.close()

    script = (*OPENING, Line(b"MAIL"), Say(lie), Answer())
    with ScriptedServer(script) as server:
        assert asyncio.run(mail(aiosmtplib.SMTP, server.port)).code == int(lie[:3])
    with ScriptedServer(script) as server, pytest.raises(GuardError) as caught:
        asyncio.run(mail(guarded_aiosmtplib.SMTP, server.port))
    assert isinstance(caught.value, aiosmtplib.SMTPException)


def test_one_reply_too_many_shifts_every_answer_after_it() -> None:
    script: Script = (
        *OPENING,
        *answers((b"MAIL", b"250 ok\r\n250 also for the recipient\r\n"), (b"RCPT", b"550 no\r\n")),
        Answer(),
    )
    with ScriptedServer(script) as server:
        smtp = _plain(server.port)
        smtp.ehlo()
        smtp.mail("a@example.org")
        assert smtp.rcpt("b@example.test") == (250, b"also for the recipient")
        smtp.close()
    with ScriptedServer(script) as server:
        smtp = _guarded(server.port)
        smtp.ehlo()
        assert smtp.mail("a@example.org")[0] == 250
        with pytest.raises(GuardError, match="every command is answered once"):
            smtp.rcpt("b@example.test")
        assert smtp.sock is None
    assert b"RCPT" not in server.taken[0].octets.upper()


def test_replies_without_end() -> None:
    script = (*OPENING, Line(b"NOOP"), Say(b"250-more\r\n", times=20_000), Answer())
    with ScriptedServer(script) as server:
        smtp = _guarded(server.port)
        smtp.ehlo()
        with pytest.raises(GuardError, match="a reply of more than"):
            smtp.noop()
        assert smtp.sock is None


def test_250_for_354_opens_no_content() -> None:
    script = (*OPENING, *ENVELOPE[:-1], Say(b"250 ok\r\n"), Answer())
    for make in (_plain, _guarded):  # both end; the plain one goes on with RSET
        with ScriptedServer(script) as server:
            smtp = make(server.port)
            with pytest.raises(smtplib.SMTPResponseException):
                smtp.sendmail("a@example.org", "b@example.test", b"secret\r\n")
            smtp.close()
        assert b"secret" not in server.taken[0].octets


# -- before the greeting ---------------------------------------------------------------------------


def test_nothing_is_written_before_the_greeting() -> None:
    with ScriptedServer((*GREETING, *GOODBYE)) as server:
        plain = socket.create_connection(("127.0.0.1", server.port), 10)
        with GuardedSocket(plain) as sock:
            for first in (b"EHLO x\r\n", b"GET / HTTP/1.1\r\n", b"\x16\x03\x01\x02\x00"):
                with pytest.raises(GuardError):
                    sock.sendall(first)
            assert sock.recv(100).startswith(b"220 ")
            sock.sendall(b"QUIT\r\n")
            assert sock.recv(100).startswith(b"221 ")
    assert server.taken[0].octets == b"QUIT\r\n"


# -- LMTP ------------------------------------------------------------------------------------------


def test_the_replies_of_lmtp_are_all_awaited() -> None:
    """smtplib reads one reply for all recipients (CPython issue 76984); the next is then not the
    answer to the next command."""
    lhlo = (Line(b"LHLO"), Say(b"250 mx\r\n"))
    envelope = answers((b"MAIL", b"250 ok\r\n"), (b"RCPT", b"250 ok\r\n"), (b"RCPT", b"250 ok\r\n"))
    end = (*answers((b"DATA", b"354 go\r\n")), Body(), Say(b"250 for b\r\n"))
    late = (*answers((b"MAIL", b"550 no for c\r\n250 ok\r\n")),)
    to = ["b@example.test", "c@example.test"]
    with ScriptedServer((*GREETING, *lhlo, *envelope, *end, *late, Answer())) as server:
        lmtp = smtplib.LMTP("127.0.0.1", server.port, NAME, timeout=10)
        lmtp.sendmail("a@example.org", to, b"one\r\n")
        assert lmtp.mail("a@example.org") == (550, b"no for c")
        lmtp.close()
    with ScriptedServer((*GREETING, *lhlo, *envelope, *end, Answer())) as server:
        lmtp = guarded_smtplib.LMTP("127.0.0.1", server.port, NAME, timeout=10)
        assert lmtp.sendmail("a@example.org", to, b"one\r\n") == {}
        with pytest.raises(GuardError, match="a reply is awaited"):
            lmtp.mail("a@example.org")
        lmtp.close()
