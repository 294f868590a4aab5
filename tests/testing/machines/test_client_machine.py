"""The machine for clients, examined: each mistake is found and shrunk, and nothing else is."""

import asyncio

import pytest

from fsm_smtp.client import AsyncClient, Client, Options
from fsm_smtp.errors import ProtocolError
from fsm_smtp.testing.machines.client import SMTPClientMachine
from fsm_smtp.testing.machines.failure import ClientViolation
from fsm_smtp.testing.machines.mail import Mail
from fsm_smtp.testing.server.certificate import client_context
from tests.testing.machines.faulty_client import (
    CLIENTS,
    Faithful,
    NotSent,
    Secured,
    machine_of,
    send_by,
)

#: One of each kind; `make exam` takes them all, with ten seeds each.
SAMPLE = (
    "keeps what was offered before TLS",
    "fails when a handshake does",
    "dots are not stuffed",
    "says DATA with no recipient",
    "goes on behind 421",
    "runs ahead without leave",
    "a space behind the colon",
    "takes every reply to the message for success",
    "fails when the connection is dropped",
)


def found(name: str, random_seed: int, examples: int = 200) -> ClientViolation:
    machine = machine_of(name)
    with pytest.raises(ClientViolation) as caught:
        machine.explore(examples=examples, random_seed=random_seed)
    return caught.value


@pytest.mark.parametrize("name", SAMPLE)
def test_a_mistake_is_found_and_shrunk(name: str) -> None:
    error = found(name, 1)
    assert len(error.orders) <= CLIENTS[name][1] + 1
    assert error.transcript[0] == "-: connected"
    assert str(error).startswith(("RFC", "'", "the ", "a ", "octets", "content", "sent"))


def via_client(host: str, port: int, mail: Mail) -> list[str]:
    with Client(host, port, Options(timeout=2.0)) as client:
        result = client.send_message(mail.content, mail.sender, mail.recipients)
    return [fate.recipient for fate in result.fates if fate.outcome == "accepted"]


def via_async_client(host: str, port: int, mail: Mail) -> list[str]:
    async def send() -> list[str]:
        async with AsyncClient(host, port, Options(timeout=2.0)) as client:
            result = await client.send_message(mail.content, mail.sender, mail.recipients)
        return [fate.recipient for fate in result.fates if fate.outcome == "accepted"]

    return asyncio.run(send())


@pytest.mark.parametrize("send", [via_client, via_async_client, send_by(Faithful)])
def test_a_client_without_fault_is_not_blamed(send: object) -> None:
    assert callable(send)
    machine = SMTPClientMachine(send, errors=(ProtocolError, NotSent))
    machine.explore(examples=60, random_seed=1)
    assert int(machine.lines()[0].split()[0]) >= 7


def via_secured_client(host: str, port: int, mail: Mail) -> list[str]:
    with Client(host, port, SECURED) as client:
        result = client.send_message(mail.content, mail.sender, mail.recipients)
    return [fate.recipient for fate in result.fates if fate.outcome == "accepted"]


SECURED = Options(
    security="opportunistic",
    user=SMTPClientMachine.user,
    password=SMTPClientMachine.password,
    clear_auth=True,
    tls=client_context(),
    timeout=2.0,
)


@pytest.mark.parametrize("send", [via_secured_client, send_by(Secured)])
def test_nor_one_that_secures_and_authenticates(send: object) -> None:
    assert callable(send)
    machine = SMTPClientMachine(send, errors=(ProtocolError, NotSent), tls=True, auth=True)
    machine.explore(examples=200, random_seed=1)
    asked = {place.asked for place, _ in machine.coverage.visited}
    assert asked >= {"send_starttls", "handshake", "send_auth", "send_response", "send_dot"}


def test_a_floor_is_demanded() -> None:
    machine = SMTPClientMachine(send_by(Faithful), errors=(NotSent,), floor=0.9)
    machine.explore(examples=300, random_seed=1)
    assert machine.coverage.share >= 0.9
    few = SMTPClientMachine(send_by(Faithful), errors=(NotSent,), floor=0.9)
    with pytest.raises(AssertionError, match=r"the floor is 90%(.|\n)*not met: "):
        few.explore(examples=10, random_seed=1)


def test_what_is_allowed_is_not_blamed() -> None:
    client, _ = CLIENTS["says no QUIT"]
    send = send_by(client)
    SMTPClientMachine(send, errors=(NotSent,), allowed=frozenset({"5321 §4.1.1.10"})).explore(
        examples=30, random_seed=1
    )
    with pytest.raises(ClientViolation, match="without QUIT"):
        SMTPClientMachine(send, errors=(NotSent,)).explore(examples=30, random_seed=1)


def test_a_client_that_hangs_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    monkeypatch.setattr("fsm_smtp.testing.machines.meeting.PATIENCE", 0.2)
    forever = threading.Event()

    def send(host: str, port: int, mail: Mail) -> None:
        forever.wait(5)

    with pytest.raises(ClientViolation, match="ends its work"):
        SMTPClientMachine(send).explore(examples=1, random_seed=1)
    forever.set()


class TestFaithful(SMTPClientMachine(send_by(Faithful), errors=(NotSent,)).TestCase):  # type: ignore[misc]
    """The class that a user writes."""

    examples = 10
    random_seed = 1
