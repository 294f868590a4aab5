"""QUIT behind the last message: a round trip less, and nothing lost by it."""

import asyncio
from collections.abc import Callable

import pytest

from fsm_smtp.client import AsyncClient, Client, Depth, Message, Options
from fsm_smtp.client.delivery import Reach
from fsm_smtp.client.result import SendResult
from tests.client.delivery.simulated import Faults, Link, Server, deliver, delivering, message
from tests.client.delivery.test_faults import agree
from tests.servers.base import RECIPIENTS, SENDER
from tests.servers.fixtures import ServerPark

DEPTHS: list[Depth] = ["lockstep", "group", "full", "window"]


@pytest.mark.parametrize(
    ("depth", "many", "trips"),
    [
        ("lockstep", False, 5),  # MAIL, RCPT, DATA, the end, QUIT
        ("group", False, 2),
        ("full", False, 2),
        ("window", False, 1),
        ("group", True, 6),
        ("full", True, 4),
        ("window", True, 1),
    ],
)
def test_it_saves_a_round_trip(depth: Depth, many: bool, trips: int) -> None:
    server = Server()
    link = Link(server)
    opening = len(link.waits)
    messages = [message(number) for number in range(3 if many else 1)]
    reach = Reach(behind_end=True)
    results = list(
        delivering(link, messages, depth, reach=reach, many=many, goodbye=True)
    )  # fmt: skip
    assert all(result.all_accepted for result in results)
    assert len(results) == len(messages)
    assert server.ended, "it has said QUIT"
    assert len(link.waits) - opening == trips


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("behind_end", ["fine", "refused", "swallowed"])
@pytest.mark.parametrize("many", [False, True])
def test_whatever_the_server_does_with_it(depth: Depth, behind_end: str, many: bool) -> None:
    messages = [message(number) for number in range(3 if many else 1)]
    server = Server(faults=(Faults(behind_end=behind_end),))
    results = deliver(server, messages, depth, many=many, goodbye=True)
    agree(messages, results, server.taken)
    assert all(result.all_accepted for result in results)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("end", [lambda at: Faults(cut=at), lambda at: Faults(shut=at)])
def test_an_end_at_every_point(depth: Depth, end: Callable[[int], Faults]) -> None:
    messages = [message(number, "a@a.test", "b@a.test") for number in range(2)]
    for point in range(1, 14):
        server = Server(faults=(end(point), Faults()))
        results = deliver(server, messages, depth, goodbye=True)
        agree(messages, results, server.taken)


def test_of_a_message_that_is_refused() -> None:
    server = Server(faults=(Faults(choose=lambda verb, _: 550 if verb == "RCPT" else 250),))
    for depth in DEPTHS:
        (result,) = deliver(server, [message(1)], depth, many=False, goodbye=True)
        assert result.recipients("refused")


def _sync(port: int, messages: list[Message], depth: Depth) -> tuple[list[SendResult], bool]:
    with Client("127.0.0.1", port, Options(depth=depth, ehlo_name="c.example.test")) as client:
        results = list(client.send_many(messages, quit=True))
        return results, client.is_connected


def _aio(port: int, messages: list[Message], depth: Depth) -> tuple[list[SendResult], bool]:
    async def sent() -> tuple[list[SendResult], bool]:
        options = Options(depth=depth, ehlo_name="c.example.test")
        async with AsyncClient("127.0.0.1", port, options) as client:
            results = [result async for result in client.send_many(messages, quit=True)]
            return results, client.is_connected

    return asyncio.run(sent())


@pytest.mark.parametrize("send", [_sync, _aio])
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", ["aiosmtpd", "postfix", "exim", "haraka"])
def test_real_servers(servers: ServerPark, name: str, depth: Depth, send: object) -> None:
    server = servers.start(name)
    content = b"Subject: goodbye\r\n\r\nhello\r\n"
    messages = [Message.of(content, SENDER, (RECIPIENTS[0],)) for _ in range(3)]
    assert callable(send)
    results, connected = send(server.port, messages, depth)
    assert [result.all_accepted for result in results] == [True] * 3
    assert not connected


@pytest.mark.parametrize("name", ["aiosmtpd", "postfix"])
def test_one_message(servers: ServerPark, name: str) -> None:
    server = servers.start(name)
    said: list[str] = []
    options = Options(ehlo_name="c.example.test", on_command=said.append)
    with Client("127.0.0.1", server.port, options) as client:
        result = client.send_message(b"Subject: x\r\n\r\n", SENDER, [RECIPIENTS[0]], quit=True)
        assert result.all_accepted
        assert not client.is_connected
        assert client.closed is not None
        assert (client.closed.who, client.closed.why) == ("client", "closed by QUIT")
    assert said[-1] == "QUIT"
    assert said.count("QUIT") == 1
