"""Pools and real servers: connections used again, and ended by the server meanwhile."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes

import pytest

from fsm_smtp.client import Options
from fsm_smtp.pool import AsyncClientPool, ClientPool, Limits, PoolEvent
from tests.servers.base import RECIPIENTS, SENDER, Server
from tests.servers.fixtures import ServerPark

COUNT = 24
OPTIONS = Options(timeout=20.0, ehlo_name="client.example.test")


@pytest.fixture(params=["postfix", "exim"])
def server(request: pytest.FixtureRequest, servers: ServerPark) -> Server:
    return servers.start(str(request.param))


def numbered(number: int, who: str) -> bytes:
    return b"Subject: %b %d\r\n\r\nhello\r\n" % (who.encode(), number)


def subjects(server: Server, before: int) -> list[str]:
    messages = server.wait_for_message(RECIPIENTS[0], before + COUNT)
    return sorted(str(message_from_bytes(each)["Subject"]) for each in messages[before:])


def test_threads(server: Server) -> None:
    before = len(server.messages(RECIPIENTS[0]))
    events: list[PoolEvent] = []
    limits = Limits(messages=5)
    with (
        ClientPool(
            3, server.host, server.port, OPTIONS, limits=limits, observer=events.append
        ) as pool,
        ThreadPoolExecutor(6) as threads,
    ):

        def send(number: int) -> bool:
            content = numbered(number, "thread")
            return pool.send_message(content, SENDER, RECIPIENTS[:1]).all_accepted

        assert all(threads.map(send, range(COUNT)))
    found = [event.what for event in events]
    assert found.count("opened") == found.count("closed") >= COUNT / 5
    assert found.count("opened") + found.count("reused") == COUNT
    assert subjects(server, before) == sorted(f"thread {number}" for number in range(COUNT))


def test_tasks(server: Server) -> None:
    before = len(server.messages(RECIPIENTS[0]))
    events: list[PoolEvent] = []

    async def main() -> None:
        async with AsyncClientPool(
            3, server.host, server.port, OPTIONS, observer=events.append
        ) as pool:

            async def send(number: int) -> bool:
                result = await pool.send_message(numbered(number, "task"), SENDER, RECIPIENTS[:1])
                return result.all_accepted

            assert all(await asyncio.gather(*map(send, range(COUNT))))

    asyncio.run(main())
    found = [event.what for event in events]
    assert 1 <= found.count("opened") <= 3
    assert found.count("reused") >= COUNT - 3
    assert subjects(server, before) == sorted(f"task {number}" for number in range(COUNT))
