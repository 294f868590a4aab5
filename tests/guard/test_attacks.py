"""What clients get wrong when they are lied to or misused: plain, and under the guard.

Each attack is tried on the plain client first, which shows the behaviour (all of it is documented
or long known) or is immune to it; then on the guarded one, which ends safely.
"""

import asyncio
import contextlib
import re
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
    Hold,
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

#: An end of data that some server has honoured, and what plain smtplib makes of it: its dots are
#: stuffed behind an LF, and nowhere else.
ENDS: dict[bytes, bytes] = {
    b"\n.\n": b"\n..\n",
    b"\n.\r\n": b"\n..\r\n",
    b"\r\n.\n": b"\r\n..\n",
    b"\r.\r": b"\r.\r",
    b"\r.\r\n": b"\r.\r\n",
    b"\r.\n": b"\r.\n",
    b"\r\n.\r": b"\r\n..\r",
    b"\n.\r": b"\n..\r",
    b"\r\r\n.\r\r\n": b"\r\r\n..\r\r\n",
    b"\r\n.\r\r\n": b"\r\n..\r\r\n",
    b"\r\n\0.\r\n": b"\r\n\0.\r\n",
    b"\r\0\n.\r\n": b"\r\0\n..\r\n",
    b"\r\n.\0\r\n": b"\r\n..\0\r\n",
    b"\r\n.\r\0\n": b"\r\n..\r\0\n",
}
#: Those that smtplib makes harmless: nothing but CRLF ends a line, and no NUL is beside a dot.
HARMLESS = {b"\r\n.\0\r\n"}
EVIL = b"MAIL FROM:<evil@example.org>\r\nRCPT TO:<b@example.test>\r\n"


@pytest.mark.parametrize("end", ENDS)
def test_smuggling_in_smtplib(end: bytes) -> None:
    """smtplib sends octets as they are, bare CR and LF too."""
    message = b"hello" + end + EVIL
    with ScriptedServer((*DELIVERY, *GOODBYE)) as server, _plain(server.port) as smtp:
        smtp.sendmail("a@example.org", "b@example.test", message)
    wire = server.taken[0].octets
    assert b"hello" + ENDS[end] + EVIL in wire
    if end in HARMLESS:
        with ScriptedServer((*DELIVERY, *GOODBYE)) as server, _guarded(server.port) as smtp:
            smtp.sendmail("a@example.org", "b@example.test", message)
        assert server.taken[0].octets == wire
        return
    with ScriptedServer((*OPENING, *ENVELOPE, Hold())) as server:
        with pytest.raises(ValueError, match=r"bare [CL]|read as the end of data"):
            with _guarded(server.port) as smtp:  # leaves at once: the server waits for content
                smtp.sendmail("a@example.org", "b@example.test", message)
    assert server.taken[0].octets.upper().endswith(b"DATA\r\n")


@pytest.mark.parametrize("end", ENDS)
def test_smuggling_in_aiosmtplib(end: bytes) -> None:
    """It makes CRLF of every CR and LF: only a NUL in front of the dot comes through."""

    async def send(cls: type[aiosmtplib.SMTP], port: int) -> None:
        async with cls(hostname="127.0.0.1", port=port, local_hostname=NAME, start_tls=False) as s:
            await s.sendmail("a@example.org", ["b@example.test"], b"hello" + end + EVIL)

    with ScriptedServer((*DELIVERY, *GOODBYE)) as server:
        asyncio.run(send(aiosmtplib.SMTP, server.port))
    wire = server.taken[0].octets
    content = wire[wire.index(b"hello") :]
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", content)
    immune = b"\r\n\0.\r\n" not in content
    assert immune == (end != b"\r\n\0.\r\n")
    with ScriptedServer(
        (*DELIVERY, *GOODBYE) if immune else (*OPENING, *ENVELOPE, Hold())
    ) as server:
        if immune:
            asyncio.run(send(guarded_aiosmtplib.SMTP, server.port))
            assert server.taken[0].octets == wire
        else:
            with pytest.raises(ValueError, match="read as the end of data"):
                asyncio.run(send(guarded_aiosmtplib.SMTP, server.port))


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


@pytest.mark.parametrize("evil", ["\0", "\t", "\x1b", "\x7f"])
@pytest.mark.parametrize("parameter", ["SIZE=1{}", "ENVID=a{}b", "AUTH=<a{}@example.org>"])
def test_control_octets_in_parameters(parameter: str, evil: str) -> None:
    offers = (*GREETING, *ehlo("SIZE", "DSN", "AUTH PLAIN"))
    options = [parameter.format(evil)]
    with ScriptedServer((*offers, *answers((b"MAIL", b"250 ok\r\n")), *GOODBYE)) as server:
        with _plain(server.port) as smtp:
            smtp.ehlo()
            assert smtp.mail("a@example.org", options)[0] == 250
    assert evil.encode() in server.taken[0].octets
    with ScriptedServer((*offers, *GOODBYE)) as server:
        with _guarded(server.port) as smtp:
            smtp.ehlo()
            with pytest.raises(ValueError, match="control octet"):
                smtp.mail("a@example.org", options)
    assert evil.encode() not in server.taken[0].octets


@pytest.mark.parametrize("evil", ["\0", "\t", "\x1b", "\x7f"])
def test_control_octets_in_a_recipient_and_in_an_initial_response(evil: str) -> None:
    offers = (*GREETING, *ehlo("DSN", "AUTH PLAIN"))
    lines: tuple[str, ...] = (
        f"RCPT TO:<b@example.test> ORCPT=rfc822;b{evil}",
        f"AUTH PLAIN A{evil}A=",
    )
    lines += (f"NOOP {evil}", f"VRFY {evil}")
    heard = answers(*((line[:4].encode(), b"550 no\r\n") for line in lines))
    mail = answers((b"MAIL", b"250 ok\r\n"))
    with ScriptedServer((*offers, *mail, *heard, *GOODBYE)) as server:
        with _plain(server.port) as smtp:
            smtp.ehlo()
            smtp.mail("a@example.org")
            assert [smtp.docmd(line)[0] for line in lines] == [550] * len(lines)
    assert server.taken[0].octets.count(evil.encode()) == len(lines)
    with ScriptedServer((*offers, *mail, *GOODBYE)) as server:
        with _guarded(server.port) as smtp:
            smtp.ehlo()
            smtp.mail("a@example.org")
            for line in lines:
                with pytest.raises(ValueError, match="control octet"):
                    smtp.docmd(line)
    assert evil.encode() not in server.taken[0].octets


@pytest.mark.parametrize("octet", [*range(0x20), 0x7F])
def test_control_octets_to_which_aiosmtplib_is_immune(octet: int) -> None:
    async def main(cls: type[aiosmtplib.SMTP], port: int) -> None:
        smtp = cls(hostname="127.0.0.1", port=port, local_hostname=NAME, start_tls=False)
        await smtp.connect()
        for line in (b"MAIL FROM:<a%c@x>", b"AUTH PLAIN A%c=", b"EHLO a%cb", b"NOOP %c"):
            with pytest.raises(ValueError, match="prohibited control") as caught:
                await smtp.execute_command(line % octet)
            assert not isinstance(caught.value, GuardError)  # aiosmtplib's own comes first
        await smtp.quit()

    for cls in (aiosmtplib.SMTP, guarded_aiosmtplib.SMTP):
        with ScriptedServer((*GREETING, *GOODBYE)) as server:
            asyncio.run(main(cls, server.port))
        assert server.taken[0].octets == b"QUIT\r\n"


@pytest.mark.parametrize("make", [_plain, _guarded])
def test_line_ends_in_commands_to_which_both_are_immune(make: type) -> None:
    with ScriptedServer((*OPENING, *GOODBYE)) as server:
        with make(server.port) as smtp:
            smtp.ehlo()
            for evil in ("\r\nDATA", "\nDATA", "\r"):
                for line in ("MAIL FROM:<a@x> SIZE=1", "AUTH PLAIN A", "EHLO x", "NOOP "):
                    with pytest.raises(ValueError, match="prohibited newline"):
                        smtp.docmd(line + evil)
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


def _offered(keyword: str) -> Script:
    return ehlo(keyword, "AUTH PLAIN")


#: What becomes of STARTTLS, up to the command after it.
STRIPPED: dict[str, Script] = {
    "not offered": _offered("SIZE"),
    "a mangled keyword": _offered("XXXXXXXX"),
    "454": (*_offered("STARTTLS"), *answers((b"STARTTLS", b"454 not now\r\n"))),
    "5yz": (*_offered("STARTTLS"), *answers((b"STARTTLS", b"502 never\r\n"))),
    "3yz": (*_offered("STARTTLS"), *answers((b"STARTTLS", b"354 go on\r\n"))),
    "only HELO": answers((b"EHLO", b"502 what?\r\n"), (b"HELO", b"250 mx\r\n")),
    "EOF": (*_offered("STARTTLS"), Line(b"STARTTLS"), Close()),
}
#: What gives up by itself: there is no connection, or no AUTH, to go on with.
IMMUNE = {("EOF", "mail"), ("EOF", "login"), ("only HELO", "login")}
#: What the server hears then, if the client goes on in clear.
CLEAR: dict[str, Script] = {
    "mail": DELIVERY[len(OPENING) :],
    "login": answers((b"AUTH", b"235 in\r\n")),
}
WAYS = pytest.mark.parametrize("way", STRIPPED)
WHAT = pytest.mark.parametrize("what", CLEAR)


def _in_clear(taken: bytes) -> bool:
    """Whether a password or mail has gone out."""
    return b"AUTH" in taken.upper() or b"MAIL" in taken.upper()


@WHAT
@WAYS
def test_a_session_that_goes_on_in_clear(way: str, what: str) -> None:
    """A program that wants TLS, does not look whether it got it, and sends."""

    def program(smtp: smtplib.SMTP) -> None:
        with contextlib.suppress(smtplib.SMTPException):
            smtp.starttls(context=ssl.create_default_context())
        if what == "login":
            smtp.login("user", "secret")
        else:
            smtp.sendmail("a@example.org", "b@example.test", b"secret\r\n")

    class Strict(guarded_smtplib.SMTP):
        guarding = GuardOptions(require_tls=True)

    immune = (way, what) in IMMUNE
    with ScriptedServer((*GREETING, *STRIPPED[way], *CLEAR[what])) as server:
        smtp = _plain(server.port)
        with pytest.raises(smtplib.SMTPException) if immune else contextlib.nullcontext():
            program(smtp)
        smtp.close()
    assert _in_clear(server.taken[0].octets) is not immune
    with ScriptedServer((*GREETING, *STRIPPED[way], Answer())) as server:
        smtp = Strict("127.0.0.1", server.port, NAME, 10)
        with pytest.raises(smtplib.SMTPException) as caught:
            program(smtp)
        ended = smtp.sock is None
        smtp.close()
    # 3yz breaks the protocol, so that the connection was closed then and there
    assert immune or ended or "the connection is in clear" in str(caught.value)
    assert not _in_clear(server.taken[0].octets)


@WHAT
@WAYS
def test_a_session_that_goes_on_in_clear_in_aiosmtplib(way: str, what: str) -> None:
    """The same program; without TLS, login is refused by aiosmtplib only where AUTH is missing."""

    async def program(cls: type[aiosmtplib.SMTP], port: int) -> None:
        smtp = cls(hostname="127.0.0.1", port=port, local_hostname=NAME, start_tls=False)
        await smtp.connect()
        try:
            with contextlib.suppress(aiosmtplib.SMTPException):
                await smtp.starttls(tls_context=ssl.create_default_context())
            if what == "login":
                await smtp.login("user", "secret")
            else:
                await smtp.sendmail("a@example.org", ["b@example.test"], b"secret\r\n")
        finally:
            smtp.close()

    class Strict(guarded_aiosmtplib.SMTP):
        guarding = GuardOptions(require_tls=True)

    immune = (way, what) in IMMUNE
    with ScriptedServer((*GREETING, *STRIPPED[way], *CLEAR[what])) as server:
        with pytest.raises(aiosmtplib.SMTPException) if immune else contextlib.nullcontext():
            asyncio.run(program(aiosmtplib.SMTP, server.port))
    assert _in_clear(server.taken[0].octets) is not immune
    with ScriptedServer((*GREETING, *STRIPPED[way], Answer())) as server:
        with pytest.raises(aiosmtplib.SMTPException) as caught:
            asyncio.run(program(Strict, server.port))
    ended = isinstance(caught.value, aiosmtplib.SMTPServerDisconnected)
    assert immune or ended or "the connection is in clear" in str(caught.value)
    assert not _in_clear(server.taken[0].octets)


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
