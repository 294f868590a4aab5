"""Many messages over several connections: each has one result, and nothing is lost."""

import asyncio
import random
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from fsm_smtp.client import Backoff, Message, Options, SendResult
from fsm_smtp.errors import ConnectionLost
from fsm_smtp.pool import AsyncClientPool, ClientPool, Limits
from fsm_smtp.testing import SMTPServer
from tests.pool.driver import OPTIONS, SENDER
from tests.pool.mischief import content_of, judge, mischief, recipient_of
from tests.pool.serving import arrived, mails, offering

Results = list[tuple[int, SendResult]]
OFFERS = ("SIZE", "PIPELINING")


def messages(count: int) -> Iterator[Message]:
    for number in range(count):
        yield Message(content_of(number), SENDER, (recipient_of(number),))


def send(
    adapter: str,
    port: int,
    given: Iterable[Message],
    *,
    size: int = 3,
    limits: Limits | None = None,
    most: int | None = None,
    options: Options = OPTIONS,
) -> Results:
    """The results, or the first *most* of them."""
    if adapter == "sync":
        with ClientPool(size, "127.0.0.1", port, options, limits=limits) as pool:
            found: Results = []
            for result in (several := pool.send_many(given)):
                found.append(result)
                if len(found) == most:
                    several.close()
            return found

    async def main() -> Results:
        found: Results = []
        async with AsyncClientPool(size, "127.0.0.1", port, options, limits=limits) as pool:
            several = pool.send_many(given)
            async for result in several:
                found.append(result)
                if len(found) == most:
                    await several.aclose()
        assert (pool.usage.lent, pool.usage.idle) == (0, 0)
        return found

    return asyncio.run(main())


def test_each_message_once(adapter: str) -> None:
    with offering(*OFFERS) as server:
        results = send(adapter, server.port, messages(60), limits=Limits(messages=7))
        assert sorted(number for number, _ in results) == list(range(60))
        for number, result in results:
            assert result.all_accepted
            assert result.fates[0].recipient == recipient_of(number)
        assert len(server.messages) == 60
        assert max(mails(server)) <= 7


def test_no_more_connections_than_messages_need(adapter: str) -> None:
    with offering(*OFFERS) as server:
        assert len(send(adapter, server.port, messages(1), size=8)) == 1
        assert send(adapter, server.port, messages(0), size=8) == []
        assert len(server.messages) == 1


def test_who_stops_listening(adapter: str) -> None:
    """What was taken arrives; what was not is not asked for."""
    taken: list[int] = []

    def counted() -> Iterator[Message]:
        for number, message in enumerate(messages(1000)):
            taken.append(number)
            yield message

    with offering(*OFFERS) as server:
        assert len(send(adapter, server.port, counted(), most=5)) == 5
        assert len(taken) < 60
        asked = {recipient_of(number) for number in taken}
        found = arrived(server)
        assert set(found.values()) == {1}
        # One that was looked at, to see whether there is more, may have been left.
        assert set(found) <= asked
        assert len(found) >= len(asked) - 1


def test_nobody_there(adapter: str) -> None:
    with pytest.raises(ConnectionLost, match="no connection"):
        send(adapter, 1, messages(3))


def test_messages_that_cannot_be_made(adapter: str) -> None:
    def broken() -> Iterator[Message]:
        yield from messages(3)
        raise ZeroDivisionError

    with offering(*OFFERS) as server, pytest.raises(ZeroDivisionError):
        send(adapter, server.port, broken())


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_server_does(adapter: str, seed: int) -> None:
    over = threading.Event()
    patient = replace(OPTIONS, reconnect=Backoff(attempts=8, first=0.001))
    with offering(*OFFERS) as server:
        trouble = threading.Thread(target=mischief, args=(server, over, seed))
        trouble.start()
        try:
            limits = Limits(messages=20)
            results = send(adapter, server.port, messages(150), limits=limits, options=patient)
        finally:
            over.set()
            trouble.join(10)
        assert sorted(number for number, _ in results) == list(range(150))
        judge(server, {number: result.fates[0].outcome for number, result in results})


def test_cancelled() -> None:
    async def main(server: SMTPServer) -> None:
        async with AsyncClientPool(3, "127.0.0.1", server.port, OPTIONS) as pool:

            async def listen() -> None:
                async for _ in pool.send_many(messages(100_000)):
                    if random.random() < 0.05:
                        await asyncio.sleep(0)

            listening = asyncio.create_task(listen())
            await asyncio.sleep(0.2)
            listening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await listening
            await asyncio.sleep(0.05)
            assert pool.usage.lent == 0

    with offering(*OFFERS) as server:
        asyncio.run(main(server))
