"""Replies too many, too few, too slow, without end, and 421: plain clients, and guarded ones."""

import asyncio
import contextlib
import smtplib
import time

import aiosmtplib
import pytest

from fsm_smtp.guard import Guard, GuardedCommand, GuardedReply, GuardError, GuardOptions
from fsm_smtp.testing.scripted import (
    DELIVERY,
    ENVELOPE,
    GREETING,
    OPENING,
    Answer,
    Body,
    Drip,
    Hold,
    Line,
    Pause,
    Say,
    Script,
    ScriptedServer,
    answers,
    ehlo,
)
from tests.guard.clients import BOTH, aiosmtplib_client, smtplib_client
from tests.guard.talk import OFFERS, OK, Found

#: Seconds that a client waits where it has to wait for its timeout.
SHORT = 0.1


# -- too many, too few -----------------------------------------------------------------------------


def test_one_reply_too_many_shifts_every_answer_after_it() -> None:
    script: Script = (
        *OPENING,
        *answers((b"MAIL", b"250 ok\r\n250 also for the recipient\r\n"), (b"RCPT", b"550 no\r\n")),
        Answer(),
    )
    with ScriptedServer(script, script) as server:
        smtp = smtplib_client(server.port, guarded=False)
        smtp.ehlo()
        smtp.mail("a@example.org")
        assert smtp.rcpt("b@example.test") == (250, b"also for the recipient")
        smtp.close()
        smtp = smtplib_client(server.port, guarded=True)
        smtp.ehlo()
        assert smtp.mail("a@example.org")[0] == 250
        with pytest.raises(GuardError, match="every command is answered once"):
            smtp.rcpt("b@example.test")
        assert smtp.sock is None
    assert b"RCPT" not in server.taken[1].octets.upper()


def test_a_second_greeting_is_no_answer_to_ehlo() -> None:
    script = (Say(b"220 mx\r\n220 mx\r\n"), *ehlo("SIZE"), Answer())
    with ScriptedServer(script, script) as server:
        smtp = smtplib_client(server.port, guarded=False)
        assert smtp.ehlo() == (220, b"mx")
        smtp.close()
        smtp = smtplib_client(server.port, guarded=True)
        with pytest.raises(GuardError, match="every command is answered once"):
            smtp.ehlo()
        assert smtp.sock is None
    assert server.taken[1].octets == b""


def test_a_reply_between_two_commands_of_aiosmtplib_which_drops_it() -> None:
    """It goes on; the guard ends the session, since server and client are no longer at one."""

    async def talk(port: int, *, guarded: bool) -> int:
        smtp = aiosmtplib_client(port, guarded=guarded)
        await smtp.connect()
        try:
            await smtp.execute_command(b"NOOP")
            await asyncio.sleep(0.2)
            return (await smtp.execute_command(b"VRFY", b"b")).code
        finally:
            smtp.close()

    noop = (*answers((b"NOOP", b"250 ok\r\n")), Pause(0.05), Say(b"250 and also\r\n"))
    script = (*GREETING, *noop, *answers((b"VRFY", b"252 who knows\r\n")), Answer())
    with ScriptedServer(script, script) as server:
        assert asyncio.run(talk(server.port, guarded=False)) == 252
        with pytest.raises(GuardError, match="every command is answered once"):
            asyncio.run(talk(server.port, guarded=True))
    assert server.taken[1].octets == b"NOOP\r\n"


def test_250_for_354_opens_no_content() -> None:
    script = (*OPENING, *ENVELOPE[:-1], Say(b"250 ok\r\n"), Answer())
    for guarded in (False, True):  # the plain one gives up too
        with ScriptedServer(script) as server:
            smtp = smtplib_client(server.port, guarded=guarded)
            with pytest.raises(smtplib.SMTPResponseException):
                smtp.sendmail("a@example.org", "b@example.test", b"secret\r\n")
            smtp.close()
        assert b"secret" not in server.taken[0].octets


#: A server that says nothing more, in each place.
SILENT: dict[str, Script] = {
    "the greeting": (Hold(),),
    "half a greeting": (Say(b"220 mx"), Hold()),
    "EHLO": (*GREETING, Hold()),
    "half of EHLO": (*GREETING, Line(b"EHLO"), Say(b"250-mx\r\n"), Hold()),
    "RCPT": (*OPENING, *answers((b"MAIL", b"250 ok\r\n")), Hold()),
    "content": (*OPENING, *ENVELOPE, Hold()),
}


@BOTH
@pytest.mark.parametrize("place", SILENT)
def test_silence_to_which_both_are_immune(place: str, guarded: bool) -> None:
    """One reply too few is silence too. Nothing is written before the greeting."""

    async def send(port: int) -> None:
        smtp = aiosmtplib_client(port, guarded=guarded, timeout=SHORT)
        try:
            await smtp.connect()
            await smtp.sendmail("a@example.org", ["b@example.test"], b"hello\r\n")
        finally:
            smtp.close()

    with ScriptedServer(SILENT[place], SILENT[place]) as server:
        began = time.monotonic()
        with pytest.raises((smtplib.SMTPServerDisconnected, TimeoutError)):
            smtp = smtplib_client(server.port, guarded=guarded, timeout=SHORT)
            smtp.sendmail("a@example.org", "b@example.test", b"hello\r\n")
        with pytest.raises(aiosmtplib.SMTPTimeoutError):
            asyncio.run(send(server.port))
        assert time.monotonic() - began < 10 * SHORT
    for taken in server.taken:
        assert (taken.octets == b"") is place.endswith("greeting")


# -- without end -----------------------------------------------------------------------------------

#: Octets that come one by one, each before the client's timeout.
PATIENT, PAUSE = 0.2, 0.03
FINITE = Drip(b"250 " + b"x" * 11 + b"\r\n", PAUSE)
DRIPPING = Drip(b"250-" + b"x" * 100, PAUSE)


def test_one_octet_at_a_time_as_long_as_the_server_likes() -> None:
    """smtplib's timeout is the socket's: it begins anew with each octet. The guard's is for all."""
    with ScriptedServer(
        *((*GREETING, Line(b"NOOP"), drip) for drip in (FINITE, DRIPPING))
    ) as server:
        smtp = smtplib_client(server.port, guarded=False, timeout=PATIENT)
        began = time.monotonic()
        assert smtp.noop() == (250, b"x" * 11)
        assert time.monotonic() - began > 2 * PATIENT
        smtp.close()
        smtp = smtplib_client(server.port, guarded=True, timeout=PATIENT)
        began = time.monotonic()
        with pytest.raises(smtplib.SMTPServerDisconnected, match="in time"):
            smtp.noop()
        assert time.monotonic() - began < 10 * PATIENT < 100 * PAUSE
        assert smtp.sock is None
    assert server.taken[1].octets == b"noop\r\n"


@BOTH
def test_one_octet_at_a_time_to_which_aiosmtplib_is_immune(guarded: bool) -> None:
    async def noop(port: int) -> None:
        smtp = aiosmtplib_client(port, guarded=guarded, timeout=PATIENT)
        await smtp.connect()
        try:
            await smtp.execute_command(b"NOOP")
        finally:
            smtp.close()

    with ScriptedServer((*GREETING, Line(b"NOOP"), DRIPPING)) as server:
        began = time.monotonic()
        with pytest.raises(aiosmtplib.SMTPReadTimeoutError):
            asyncio.run(noop(server.port))
        assert time.monotonic() - began < 10 * PATIENT


#: Replies of which the end is not to be seen: lines that go on, and a line that does.
ENDLESS: dict[str, Say] = {
    "lines": Say(b"250-more\r\n" * 100, times=5_000),
    "empty lines": Say(b"250-\r\n" * 100, times=5_000),
    "a line": Say(b"250 " + b"x" * 1000, times=5_000),
    "a line of 1 MB": Say(b"250 " + b"x" * 1_000_000 + b"\r\n"),
    "no code at all": Say(b"x" * 1000, times=5_000),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_replies_without_end(kind: str) -> None:
    with ScriptedServer((*GREETING, Line(b"NOOP"), ENDLESS[kind], Hold())) as server:
        smtp = smtplib_client(server.port, guarded=True)
        with pytest.raises(smtplib.SMTPResponseException):
            smtp.noop()
        assert smtp.sock is None


def test_what_plain_smtplib_makes_of_long_replies() -> None:
    """A line has a limit there, of 8192 octets; how many lines a reply has is up to the server."""
    lines = Say(b"250-more\r\n" * 100, times=100)
    script = (
        *GREETING,
        Line(b"NOOP"),
        lines,
        Say(b"250 end\r\n"),
        Line(b"NOOP"),
        ENDLESS["a line"],
    )
    with ScriptedServer(script) as server:
        smtp = smtplib_client(server.port, guarded=False)
        code, text = smtp.noop()
        assert (code, text.count(b"\n")) == (250, 10_000)
        with pytest.raises(smtplib.SMTPResponseException, match="too long"):
            smtp.noop()


@BOTH
@pytest.mark.parametrize("kind", ENDLESS)
def test_replies_without_end_to_which_aiosmtplib_is_immune(kind: str, guarded: bool) -> None:
    async def noop(port: int) -> None:
        smtp = aiosmtplib_client(port, guarded=guarded)
        await smtp.connect()
        try:
            await smtp.execute_command(b"NOOP")
        finally:
            smtp.close()

    with ScriptedServer((*GREETING, Line(b"NOOP"), ENDLESS[kind], Hold())) as server:
        with pytest.raises(GuardError if guarded else aiosmtplib.SMTPResponseException):
            asyncio.run(noop(server.port))


# -- 421 -------------------------------------------------------------------------------------------

LATE = b"421 4.3.2 going down\r\n"
#: Commands that 421 answers in a transaction, and what goes before.
CUT: dict[str, Script] = {
    "MAIL": (*OPENING, Line(b"MAIL"), Say(LATE)),
    "RCPT": (*OPENING, *ENVELOPE[:3], Say(LATE)),
    "DATA": (*OPENING, *ENVELOPE[:5], Say(LATE)),
    "content": (*OPENING, *ENVELOPE, Body(), Say(LATE)),
}


@BOTH
@pytest.mark.parametrize("place", CUT)
def test_421_in_a_transaction_to_which_both_are_immune(place: str, guarded: bool) -> None:
    """Both give up, and say nothing more of their own."""

    async def send(port: int) -> None:
        smtp = aiosmtplib_client(port, guarded=guarded)
        await smtp.connect()
        try:
            await smtp.sendmail("a@example.org", ["b@example.test"], b"hello\r\n")
        finally:
            smtp.close()

    with ScriptedServer((*CUT[place], Answer()), (*CUT[place], Answer())) as server:
        smtp = smtplib_client(server.port, guarded=guarded)
        with pytest.raises(smtplib.SMTPException) as caught:
            smtp.sendmail("a@example.org", "b@example.test", b"hello\r\n")
        assert not isinstance(caught.value, GuardError)  # 421 may come at any time
        smtp.close()
        with pytest.raises(aiosmtplib.SMTPException):
            asyncio.run(send(server.port))
    after = {"MAIL": b"MAIL", "RCPT": b"RCPT", "DATA": b"DATA", "content": b"."}
    assert server.taken[0].octets.upper().splitlines()[-1].startswith(after[place])


def test_421_and_a_program_that_goes_on() -> None:
    script = (*OPENING, Line(b"MAIL"), Say(LATE), Answer())
    with ScriptedServer(script, script) as server:
        smtp = smtplib_client(server.port, guarded=False)
        smtp.ehlo()
        assert smtp.mail("a@example.org")[0] == 421
        assert smtp.rcpt("b@example.test")[0] == 250
        smtp.close()
        with smtplib_client(server.port, guarded=True) as smtp:
            smtp.ehlo()
            assert smtp.mail("a@example.org")[0] == 421
            with pytest.raises(smtplib.SMTPServerDisconnected) as caught:
                smtp.rcpt("b@example.test")
            assert isinstance(caught.value, GuardError)
            assert "send_quit" in caught.value.legal
    assert b"RCPT" not in server.taken[1].octets.upper()


GROUP = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n"


@pytest.mark.parametrize("good", [0, 1, 2])
def test_421_in_the_middle_of_a_command_group(good: int) -> None:
    """Where a client runs ahead: what follows 421 in the group is not answered any more."""
    found = Found()
    guard = Guard(GuardOptions(on_finding=found.append))
    guard.connected()
    for octets, answer in ((b"", b"220 mx\r\n"), (b"EHLO x.example\r\n", OFFERS)):
        guard.sending(octets)
        guard.received(answer)
    assert guard.sending(GROUP) == GROUP
    assert [each.code for each in guard.received(OK * good + LATE)] == [250] * good + [421]
    for octets in (b"hello\r\n.\r\n", b"MAIL FROM:<a@example.org>\r\n"):
        with pytest.raises(GuardedCommand):
            guard.sending(octets)
    guard.eof()
    assert not [each for each in found if each.culprit == "server" and each.violation]


# -- a reply with nothing outstanding --------------------------------------------------------------


@pytest.mark.parametrize("stray", [b"250 ok\r\n", b"550 no\r\n", b"2", b"220 mx\r\n"])
def test_a_reply_that_nobody_asked_for(stray: bytes) -> None:
    script = (*DELIVERY[:-1], Say(b"250 taken\r\n" + stray), Answer())
    with ScriptedServer(script) as server:
        smtp = smtplib_client(server.port, guarded=True)
        assert smtp.sendmail("a@example.org", "b@example.test", b"hello\r\n") == {}
        with pytest.raises(GuardError) as caught:
            smtp.sendmail("a@example.org", "b@example.test", b"hello\r\n")
        assert isinstance(caught.value, GuardedReply)
        assert smtp.sock is None
    assert server.taken[0].octets.upper().count(b"MAIL") == 1


@BOTH
def test_421_that_nobody_asked_for_is_legal(guarded: bool) -> None:
    with ScriptedServer((*DELIVERY[:-1], Say(b"250 taken\r\n" + LATE), Answer())) as server:
        smtp = smtplib_client(server.port, guarded=guarded)
        smtp.sendmail("a@example.org", "b@example.test", b"hello\r\n")
        if guarded:
            with pytest.raises(smtplib.SMTPServerDisconnected) as caught:
                smtp.mail("a@example.org")
            assert isinstance(caught.value, GuardedCommand)
        else:
            assert smtp.mail("a@example.org")[0] == 421
        with contextlib.suppress(smtplib.SMTPException):
            smtp.quit()
    assert (b"MAIL" in server.taken[0].octets.upper().partition(b"\r\n.\r\n")[2]) is not guarded
