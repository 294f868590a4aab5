"""The guard inside aiosmtplib: a drop-in class, and clients made elsewhere."""

import asyncio
import pickle
import ssl
from collections.abc import Awaitable, Callable

import aiosmtplib
import pytest

from fsm_smtp import CommandRefused
from fsm_smtp.guard import GuardError, GuardOptions, guard
from fsm_smtp.guard import aiosmtplib as guarded
from fsm_smtp.testing.scripted import (
    DELIVERY,
    GOODBYE,
    GREETING,
    OPENING,
    Answer,
    Line,
    Say,
    Script,
    ScriptedServer,
    ehlo,
)
from tests.guard.talk import Found
from tests.servers.base import RECIPIENTS, SENDER
from tests.servers.fixtures import ServerPark

MAIL = b"Subject: hi\r\n\r\n.hello\r\n"


def client(
    port: int, cls: type[aiosmtplib.SMTP] = guarded.SMTP, host: str = "127.0.0.1"
) -> aiosmtplib.SMTP:
    """A client that is not connected yet."""
    name = "client.example.test"
    return cls(hostname=host, port=port, local_hostname=name, timeout=10, start_tls=False)


def talk(
    script: Script,
    what: Callable[[aiosmtplib.SMTP], Awaitable[None]],
    cls: type[aiosmtplib.SMTP] = guarded.SMTP,
) -> bytes:
    """Connect to a server with this script, and do *what*; gives what the server was sent."""

    async def main(port: int) -> None:
        smtp = client(port, cls)
        await smtp.connect()
        try:
            await what(smtp)
        finally:
            smtp.close()

    with ScriptedServer(script) as server:
        asyncio.run(main(server.port))
    return server.taken[0].octets


async def _send(smtp: aiosmtplib.SMTP) -> None:
    await smtp.sendmail("a@example.org", ["b@example.test"], MAIL)
    await smtp.quit()


def test_a_drop_in_sends_what_aiosmtplib_sends() -> None:
    script = (*DELIVERY, *GOODBYE)
    assert talk(script, _send) == talk(script, _send, aiosmtplib.SMTP)


def test_an_illegal_command_writes_nothing() -> None:
    async def what(smtp: aiosmtplib.SMTP) -> None:
        await smtp.ehlo()
        with pytest.raises(aiosmtplib.SMTPException) as caught:
            await smtp.rcpt("b@example.test")
        assert isinstance(caught.value, CommandRefused)
        assert caught.value.message.startswith("'RCPT TO:<b@example.test>' is not legal")
        assert vars(pickle.loads(pickle.dumps(caught.value))) == vars(caught.value)
        with pytest.raises(ValueError, match="control"):
            await smtp.execute_command(b"NOOP\0")
        await smtp.quit()

    octets = talk((*OPENING, *GOODBYE), what)
    assert octets == b"EHLO client.example.test\r\nQUIT\r\n"


def test_a_server_that_lies_loses_its_client() -> None:
    async def what(smtp: aiosmtplib.SMTP) -> None:
        with pytest.raises(aiosmtplib.SMTPServerDisconnected) as caught:
            await smtp.sendmail("a@example.org", ["b@example.test"], MAIL)
        assert isinstance(caught.value, GuardError)
        assert caught.value.rfc == "5321 §4.2.1"
        assert not smtp.is_connected

    talk((*OPENING, Line(b"MAIL"), Say(b"354 go ahead\r\n"), Answer()), what)


def test_one_reply_too_many_is_noticed() -> None:
    async def what(smtp: aiosmtplib.SMTP) -> None:
        await smtp.ehlo()
        assert (await smtp.noop()).code == 250
        with pytest.raises(aiosmtplib.SMTPException, match="every command is answered once"):
            await smtp.noop()

    script = (*OPENING, Line(b"NOOP"), Say(b"250 ok\r\n250 and once more\r\n"), Answer())
    talk(script, what)


def test_a_greeting_that_is_none_is_a_connect_error() -> None:
    async def main(port: int) -> None:
        with pytest.raises(aiosmtplib.SMTPConnectError) as caught:
            await client(port).connect()
        assert isinstance(caught.value, GuardError)

    with ScriptedServer((Say(b"250 hello\r\n"), Answer())) as server:
        asyncio.run(main(server.port))


def test_plaintext_behind_starttls_is_not_believed() -> None:
    async def what(smtp: aiosmtplib.SMTP) -> None:
        with pytest.raises(aiosmtplib.SMTPException, match="plaintext behind the 220"):
            await smtp.starttls(tls_context=ssl.create_default_context())
        assert not smtp.is_connected

    script = (*GREETING, *ehlo("STARTTLS"), Line(b"STARTTLS"), Say(b"220 go\r\n250 evil\r\n"))
    talk((*script, Answer()), what)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["drop-in", "made elsewhere"])
def test_starttls_with_a_real_server(servers: ServerPark, elsewhere: bool) -> None:
    server = servers.start("postfix")
    context = ssl.create_default_context(cafile=str(servers.authority))
    context.check_hostname = False  # the server is reached by its address
    found = Found()
    options = GuardOptions(on_finding=found.append, require_tls=True)

    class Watched(guarded.SMTP):
        guarding = options

    async def main() -> None:
        smtp = client(server.port, aiosmtplib.SMTP if elsewhere else Watched)
        await smtp.connect()
        await smtp.ehlo()
        if elsewhere:
            guard(smtp, options)
        with pytest.raises(CommandRefused, match="in clear"):
            await smtp.mail(SENDER)
        await smtp.starttls(tls_context=context)
        errors, _ = await smtp.sendmail(SENDER, [RECIPIENTS[0]], MAIL)
        assert errors == {}
        await smtp.quit()
        await asyncio.sleep(0.2)  # until TLS has said goodbye, and the socket is closed

    asyncio.run(main())
    assert [each.why for each in found] == ["the connection is in clear"]


def test_a_client_that_is_not_connected_yet() -> None:
    async def main(port: int) -> None:
        smtp = guard(client(port, aiosmtplib.SMTP))
        await smtp.connect()
        with pytest.raises(CommandRefused):
            await smtp.execute_command(b"DATA")
        await smtp.ehlo()
        await smtp.quit()

    with ScriptedServer((*OPENING, *GOODBYE)) as server:
        asyncio.run(main(server.port))


def test_a_client_that_has_said_helo() -> None:
    async def what(smtp: aiosmtplib.SMTP) -> None:
        await smtp.helo()
        guard(smtp)
        guard(smtp)  # once more changes nothing
        with pytest.raises(aiosmtplib.SMTPException, match="STARTTLS"):
            await smtp.execute_command(b"STARTTLS")
        await smtp.mail("a@example.org")

    script = (*GREETING, Line(b"HELO"), Say(b"250 mx\r\n"), Line(b"MAIL"), Say(b"250 ok\r\n"))
    talk(script, what, aiosmtplib.SMTP)
