"""`send_many` and groups in both clients, over sockets."""

import asyncio
from collections.abc import Iterator

import pytest

from fsm_smtp.client import AsyncClient, Client, Depth, Message, Options, SendResult
from fsm_smtp.errors import ConnectionLost, NotConnected, Rejected
from fsm_smtp.testing.scripted import (
    GREETING,
    Answer,
    Close,
    Line,
    Say,
    Script,
    ScriptedServer,
    ehlo,
)
from tests.client.driver import ADAPTERS

OPENING = (*GREETING, *ehlo("PIPELINING", "CHUNKING"))
OPTIONS = Options(timeout=4.0, ehlo_name="client.example.test")


def messages(count: int) -> Iterator[Message]:
    for number in range(count):
        yield Message.of(b"Subject: %d\r\n\r\nhello\r\n" % number, f"s{number}@a.test", "r@a.test")


def send(adapter: str, port: int, count: int, depth: Depth | None = None) -> list[SendResult]:
    """All results of one client's `send_many`."""
    if adapter == "sync":
        with Client("127.0.0.1", port, OPTIONS) as client:
            return list(client.send_many(messages(count), depth=depth))

    async def sending() -> list[SendResult]:
        async with AsyncClient("127.0.0.1", port, OPTIONS) as client:
            return [each async for each in client.send_many(messages(count), depth=depth)]

    return asyncio.run(sending())


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("depth", ["lockstep", "group", "full", None])
def test_many_messages(adapter: str, depth: Depth | None) -> None:
    with ScriptedServer((*OPENING, Answer())) as server:
        results = send(adapter, server.port, 40, depth)
    assert [result.sender for result in results] == [f"s{number}@a.test" for number in range(40)]
    assert all(result.all_accepted for result in results)
    assert server.taken[0].octets.count(b"Subject: ") == 40


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_connection_that_ends_is_made_anew(adapter: str) -> None:
    """After the end of data of the first message: its fate alone is unknown."""
    group = (Line(b"MAIL"), Line(b"RCPT"), Line(b"DATA"))
    replies = Say(b"250 ok\r\n250 ok\r\n354 go\r\n")
    cut: Script = (*OPENING, *group, replies, Line(b"Subject"), Close())
    with ScriptedServer(cut, (*OPENING, Answer())) as server:
        results = send(adapter, server.port, 3, "group")
    outcomes = [fate.outcome for result in results for fate in result.fates]
    assert outcomes == ["unknown", "accepted", "accepted"]
    assert type(results[0].error) is ConnectionLost


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_no_other_connection_can_be_made(adapter: str) -> None:
    refuses = (Say(b"554 go away\r\n"), Line(b"QUIT"), Say(b"221 bye\r\n"))
    with (
        ScriptedServer((*OPENING, Line(b"MAIL"), Close()), refuses) as server,
        pytest.raises(Rejected),
    ):
        send(adapter, server.port, 3)


@pytest.mark.parametrize("depth", ["full", "group"])
def test_who_stops_listening_leaves_nothing_behind(depth: Depth) -> None:
    with (
        ScriptedServer((*OPENING, Answer())) as server,
        Client(port=server.port, options=OPTIONS) as one,
    ):
        results = one.send_many(messages(10), depth=depth)
        assert next(results).all_accepted
        results.close()
        assert one.is_connected == (depth == "group")
    assert b"Subject: 4" not in server.taken[0].octets


def test_a_client_that_is_not_connected() -> None:
    with pytest.raises(NotConnected):
        next(Client().send_many(messages(1)))


def test_send_message_goes_as_a_group() -> None:
    with (
        ScriptedServer((*OPENING, Answer())) as server,
        Client(port=server.port, options=OPTIONS) as one,
    ):
        result = one.send_message(b"hello\r\n", "s@a.test", ["r@a.test"])
        assert result.all_accepted
    lines = server.taken[0].octets.split(b"\r\n")[1:4]
    assert [line[:4] for line in lines] == [b"MAIL", b"RCPT", b"DATA"]
