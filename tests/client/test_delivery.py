"""Both clients deliver to real servers: in clear, over STARTTLS, authenticated; octet by octet."""

import asyncio
import ssl

import pytest

from fsm_smtp.client import AsyncClient, Client, Options, SendResult
from fsm_smtp.client.options import Security
from tests.servers import registry
from tests.servers.base import HOSTNAME, PASSWORD, RECIPIENTS, SENDER, UNKNOWN, USER, Server
from tests.servers.fixtures import ServerPark
from tests.servers.probe import arrived, message

EVERY = pytest.mark.parametrize("name", [n for n in registry.SERVERS if n != "smtp-sink"])
BOTH = pytest.mark.parametrize("adapter", ["sync", "asyncio"])
SECONDS = 15.0


def options(server: Server, security: Security = "none", *, auth: bool = False) -> Options:
    return Options(
        security=security,
        user=USER if auth or server.demands_auth else None,
        password=PASSWORD,
        clear_auth=True,
        ehlo_name="client.example.test",
        timeout=SECONDS,
        tls=ssl.create_default_context(cafile=str(server.certificate.authority)),
        server_name=HOSTNAME,
    )


def send(
    adapter: str, server: Server, how: Options, recipients: tuple[str, ...], content: bytes
) -> SendResult:
    if adapter == "sync":
        with Client(server.host, server.port, how) as client:
            return client.send_message(content, SENDER, recipients)

    async def sending() -> SendResult:
        async with AsyncClient(server.host, server.port, how) as client:
            return await client.send_message(content, SENDER, recipients)

    return asyncio.run(sending())


@EVERY
@BOTH
def test_in_clear(servers: ServerPark, name: str, adapter: str) -> None:
    server = servers.start(name)
    content = message()
    before = {each: len(server.messages(each)) for each in RECIPIENTS[:2]}
    result = send(adapter, server, options(server), RECIPIENTS[:2], content)
    assert result.all_accepted, result
    for recipient, count in before.items():
        arrived(server, recipient, content, count)


@EVERY
@BOTH
def test_over_starttls_with_a_verified_certificate(
    servers: ServerPark, name: str, adapter: str
) -> None:
    server = servers.start(name)
    if not server.offers.tls_works:
        pytest.skip(f"{name} completes no handshake")
    content = message()
    before = len(server.messages(RECIPIENTS[0]))
    result = send(adapter, server, options(server, "starttls"), RECIPIENTS[:1], content)
    assert result.all_accepted, result
    arrived(server, RECIPIENTS[0], content, before)


@EVERY
@BOTH
def test_authenticated(servers: ServerPark, name: str, adapter: str) -> None:
    server = servers.start(name)
    if not (server.offers.auth and server.offers.auth_works):
        pytest.skip(f"{name} authenticates nobody in clear")
    content = message()
    before = len(server.messages(RECIPIENTS[1]))
    result = send(adapter, server, options(server, auth=True), RECIPIENTS[1:2], content)
    assert result.all_accepted, result
    arrived(server, RECIPIENTS[1], content, before)


@EVERY
@BOTH
def test_a_refused_recipient_does_not_stop_the_others(
    servers: ServerPark, name: str, adapter: str
) -> None:
    server = servers.start(name)
    if not server.discerning:
        pytest.skip(f"{name} refuses nobody")
    content = message()
    before = len(server.messages(RECIPIENTS[0]))
    result = send(adapter, server, options(server), (UNKNOWN, RECIPIENTS[0]), content)
    refused, accepted = result.fates
    assert (refused.outcome, refused.permanent) == ("refused", True)
    assert accepted.outcome == "accepted"
    arrived(server, RECIPIENTS[0], content, before)


def test_one_session_enters_all_fifteen_states(servers: ServerPark) -> None:
    """Postfix is talked to in every way that has a state of its own."""
    from fsm_smtp import SMTPCommand
    from fsm_smtp.session import Event
    from fsm_smtp.wire import commands

    server = servers.start("postfix")
    events: list[Event] = []
    how = Options(
        user=USER, password=PASSWORD, clear_auth=True, timeout=SECONDS, observer=events.append
    )
    with Client(server.host, server.port, how) as client:  # NONE, BANNER, EHLO, AUTH, CONNECTED
        assert client.command(commands.helo("client.example.test")).code == 250  # HELO
        assert client.command(commands.noop()).code == 250  # CUSTOM
        # MAIL, RCPT, DATA, SEND_STREAM, DOT, SEND_MESSAGE
        result = client.send_message(message(), SENDER, RECIPIENTS[:1])
        assert result.all_accepted, result
        assert client.command(commands.rset()).code == 250  # RSET
    # QUIT, and NONE again
    entered = [event.after for event in events]
    assert {SMTPCommand.from_spec_name(name) for name in entered} == set(SMTPCommand)
    assert events[0].before == events[-1].after == "SMTP_NONE"
