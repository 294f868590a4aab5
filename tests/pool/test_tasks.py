"""Many tasks and one pool: in line, in time, and nothing left behind by who is cancelled."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from fsm_smtp.pool import AsyncClientPool, Limits, PoolClosed, PoolTimeout
from tests.pool.driver import HELLO, OPTIONS, RECIPIENTS, SENDER
from tests.pool.server import HonestServer, honest
from tests.pool.waiting import until_then

Scene = Callable[[HonestServer, AsyncClientPool], Awaitable[None]]


def play(scene: Scene, size: int = 1, greeting: bytes = b"220 mx.example.test\r\n") -> HonestServer:
    """Run *scene* on a pool, which ends empty and with nothing open."""
    with honest(greeting=greeting) as server:

        async def main() -> None:
            async with AsyncClientPool(size, "127.0.0.1", server.port, OPTIONS) as pool:
                await scene(server, pool)
            assert (pool.usage.lent, pool.usage.idle, pool.usage.waiting) == (0, 0, 0)
            await until_then(lambda: not server.open())

        asyncio.run(main())
    return server


async def cancel(task: "asyncio.Task[object]") -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_in_the_order_in_which_they_came() -> None:
    served: list[int] = []

    async def scene(server: HonestServer, pool: AsyncClientPool) -> None:
        async def borrow(number: int) -> None:
            async with pool.connection():
                served.append(number)

        async with asyncio.TaskGroup() as tasks, pool.connection():
            for number in range(12):
                tasks.create_task(borrow(number))
            await until_then(lambda: pool.usage.waiting == 12)
        assert len(server.links) == 1

    play(scene)
    assert served == list(range(12))


def test_who_waits_too_long_leaves_the_line() -> None:
    async def scene(_: HonestServer, pool: AsyncClientPool) -> None:
        async with pool.connection():
            with pytest.raises(PoolTimeout, match=r"within 0\.05 s"):
                await pool.acquire(wait=0.05)
            assert pool.usage.waiting == 0

    play(scene)


def test_closing_wakes_all_who_wait() -> None:
    async def scene(_: HonestServer, pool: AsyncClientPool) -> None:
        async with pool.connection():
            waiting = [asyncio.create_task(pool.acquire()) for _ in range(3)]
            await until_then(lambda: pool.usage.waiting == 3)
            await pool.close()
            for each in waiting:
                with pytest.raises(PoolClosed, match="by close"):
                    await each

    play(scene)


def test_cancelled_in_line() -> None:
    async def scene(_: HonestServer, pool: AsyncClientPool) -> None:
        async with pool.connection():
            waiting = asyncio.create_task(pool.acquire())
            await until_then(lambda: pool.usage.waiting == 1)
            await cancel(waiting)
            assert pool.usage.waiting == 0
        async with pool.connection():
            pass

    play(scene)


@pytest.mark.parametrize("wait", [None, 5.0])
def test_cancelled_just_when_a_connection_came(wait: float | None) -> None:
    async def scene(server: HonestServer, pool: AsyncClientPool) -> None:
        client = await pool.acquire()
        waiting = asyncio.create_task(pool.acquire(wait=wait))
        await until_then(lambda: pool.usage.waiting == 1)
        await pool.release(client)
        assert pool.usage.lent == 1  # it is the other's, who does not know it yet
        await cancel(waiting)
        assert (pool.usage.lent, pool.usage.idle) == (0, 1)
        async with pool.connection() as again:
            assert again is client
        assert len(server.links) == 1

    play(scene)


@pytest.mark.parametrize("greeting", [b"", b"220-slow\r\n"])
def test_cancelled_while_connecting(greeting: bytes) -> None:
    async def scene(server: HonestServer, pool: AsyncClientPool) -> None:
        opening = asyncio.create_task(pool.acquire())
        await until_then(lambda: len(server.links) == 1)
        assert pool.usage.lent == 1
        await cancel(opening)
        assert pool.usage.lent == 0

    play(scene, greeting=greeting)


def test_cancelled_while_proving() -> None:
    async def scene(server: HonestServer, pool: AsyncClientPool) -> None:
        async with pool.connection():
            pass
        server.links[0].quirks["RSET"] = b"250-slow\r\n"
        proving = asyncio.create_task(pool.acquire())
        await until_then(lambda: "RSET" in server.links[0].lines)
        await cancel(proving)
        assert pool.usage.lent == 0
        async with pool.connection() as client:
            assert (await client.send_message(HELLO, SENDER, RECIPIENTS)).all_accepted

    assert len(play(scene).links) == 2


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "."])
def test_cancelled_in_the_middle_of_a_message(verb: str) -> None:
    """The connection is of no use to the next one, who would read another's replies."""

    async def scene(server: HonestServer, pool: AsyncClientPool) -> None:
        server.quirks[verb] = b"250-slow\r\n"
        sending = asyncio.create_task(pool.send_message(HELLO, SENDER, RECIPIENTS))
        await until_then(lambda: bool(server.links) and verb not in server.links[0].quirks)
        await cancel(sending)
        assert (pool.usage.lent, pool.usage.idle) == (0, 0)
        server.quirks.clear()
        assert (await pool.send_message(HELLO, SENDER, RECIPIENTS)).all_accepted

    server = play(scene)
    assert len(server.delivered) == (2 if verb == "." else 1)


def test_cancelled_while_saying_goodbye() -> None:
    async def scene(server: HonestServer, pool: AsyncClientPool) -> None:
        server.quirks["QUIT"] = b"221-slow\r\n"
        pool._pool.limits = Limits(messages=1)
        client = await pool.acquire()
        await client.send_message(HELLO, SENDER, RECIPIENTS)
        giving_back = asyncio.create_task(pool.release(client))
        await until_then(lambda: "QUIT" in server.links[0].lines)
        await cancel(giving_back)
        assert pool.usage.lent == 0

    play(scene)


def test_closing_that_is_cancelled_closes_all_the_same() -> None:
    async def scene(server: HonestServer, pool: AsyncClientPool) -> None:
        server.quirks["QUIT"] = b"221-slow\r\n"
        clients = [await pool.acquire() for _ in range(3)]
        for client in clients:
            await pool.release(client)
        closing = asyncio.create_task(pool.close())
        await until_then(lambda: any("QUIT" in link.lines for link in server.links))
        await cancel(closing)
        await until_then(lambda: not server.open())

    play(scene, size=3)


def test_many_tasks() -> None:
    async def scene(server: HonestServer, pool: AsyncClientPool) -> None:
        async def send(number: int) -> bool:
            to = [f"to{number}@example.test"]
            return (await pool.send_message(HELLO, SENDER, to)).all_accepted

        assert all(await asyncio.gather(*map(send, range(50))))
        assert server.most_open <= 4

    assert len(play(scene, size=4).delivered) == 50
