"""Extensions against real servers: what a server offers is used, and it agrees with us on it."""

import ssl
from typing import Any

import pytest

from fsm_smtp.client import Client, Extensions, Options, Recipient, SendResult
from fsm_smtp.errors import NotOffered
from tests.servers import registry
from tests.servers.base import HOSTNAME, PASSWORD, RECIPIENTS, SENDER, USER, Server
from tests.servers.fixtures import ServerPark
from tests.servers.probe import arrived, message

EVERY = pytest.mark.parametrize("name", [n for n in registry.SERVERS if n != "smtp-sink"])


def options(server: Server, **given: Any) -> Options:
    return Options(
        user=USER if server.demands_auth else None,
        password=PASSWORD,
        clear_auth=True,
        ehlo_name="client.example.test",
        timeout=15.0,
        tls=ssl.create_default_context(cafile=str(server.certificate.authority)),
        server_name=HOSTNAME,
        **given,
    )


def tried(
    client: Client, content: bytes, recipient: str | Recipient, wishes: Extensions, keyword: str
) -> SendResult | None:
    """Send with these wishes; refused before MAIL, and the session unharmed, where not offered."""
    if keyword in client.offers:
        return client.send_message(content, SENDER, [recipient], extensions=wishes)
    with pytest.raises(NotOffered) as caught:
        client.send_message(content, SENDER, [recipient], extensions=wishes)
    assert caught.value.keyword in (keyword, "CHUNKING")
    assert client.is_ready
    return None


@EVERY
def test_chunks(servers: ServerPark, name: str) -> None:
    """By BDAT, and again on the same connection by DATA."""
    server = servers.start(name)
    content = message()
    before = len(server.messages(RECIPIENTS[0]))
    with Client(server.host, server.port, options(server)) as client:
        wishes = Extensions(chunking=True)
        result = tried(client, content, RECIPIENTS[0], wishes, "CHUNKING")
        if result is not None:
            assert result.all_accepted, result
            arrived(server, RECIPIENTS[0], content, before)
        assert client.send_message(content, SENDER, RECIPIENTS[1]).all_accepted


@EVERY
def test_single_chunks(servers: ServerPark, name: str) -> None:
    server = servers.start(name)
    content = message()
    before = len(server.messages(RECIPIENTS[0]))
    with Client(server.host, server.port, options(server)) as client:
        if "CHUNKING" not in client.offers:
            return
        assert client.mail(SENDER).code == 250
        assert client.rcpt(RECIPIENTS[0]).code == 250
        half = len(content) // 2
        assert client.bdat(content[:half]).code == 250
        assert client.bdat(content[half:], last=True).code == 250
        assert client.is_ready
    arrived(server, RECIPIENTS[0], content, before)


@EVERY
def test_reports(servers: ServerPark, name: str) -> None:
    server = servers.start(name)
    recipient = Recipient(RECIPIENTS[0], notify=["FAILURE", "DELAY"], orcpt="old+x@example.test")
    wishes = Extensions(ret="HDRS", envid="order 8+15")
    with Client(server.host, server.port, options(server)) as client:
        result = tried(client, message(), recipient, wishes, "DSN")
        assert result is None or result.all_accepted, result


@EVERY
def test_addresses_in_utf8(servers: ServerPark, name: str) -> None:
    """Whether there is such a mailbox is another question: what counts is that MAIL is taken."""
    server = servers.start(name)
    with Client(server.host, server.port, options(server)) as client:
        wishes = Extensions(smtputf8=True)
        result = tried(client, message(), RECIPIENTS[0], wishes, "SMTPUTF8")
        assert result is None or result.all_accepted, result


@EVERY
def test_single_commands(servers: ServerPark, name: str) -> None:
    """Whatever is answered, the session goes on, and a message can be sent at its end."""
    server = servers.start(name)
    with Client(server.host, server.port, options(server)) as client:
        assert client.noop().code == 250
        assert client.help().code // 100 in (2, 5)
        assert client.vrfy(RECIPIENTS[0]).code // 100 in (2, 5)
        assert client.expn("staff").code // 100 in (2, 5)
        assert client.etrn("example.test").code // 100 in (2, 4, 5)
        assert client.rset().code == 250
        assert client.mail(SENDER).code == 250
        assert client.rcpt(RECIPIENTS[0]).code == 250
        assert client.data().code == 354
        client.stream(message())
        assert client.dot().code == 250
        assert client.is_ready
