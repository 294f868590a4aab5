"""Many tasks and one pool: in line, in time, and nothing left behind by who is cancelled."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from fsm_smtp.pool import AsyncClientPool, Limits, PoolClosed, PoolTimeout
from fsm_smtp.testing import Deviation, SMTPServer
from tests.pool.driver import HELLO, OPTIONS, RECIPIENTS, SENDER
from tests.pool.serving import offering
from tests.waiting import until_then

Scene = Callable[[SMTPServer, AsyncClientPool], Awaitable[None]]


def play(scene: Scene, *orders: Deviation, size: int = 1) -> SMTPServer:
    """Run *scene* on a pool, which ends empty and with nothing open."""
    with offering(orders=orders) as server:

        async def main() -> None:
            async with AsyncClientPool(size, "127.0.0.1", server.port, OPTIONS) as pool:
                await scene(server, pool)
            assert (pool.usage.lent, pool.usage.idle, pool.usage.waiting) == (0, 0, 0)
            await until_then(lambda: not server.open_connections)

        asyncio.run(main())
    return server


async def cancel(task: "asyncio.Task[object]") -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_in_the_order_in_which_they_came() -> None:
    served: list[int] = []

    async def scene(server: SMTPServer, pool: AsyncClientPool) -> None:
        async def borrow(number: int) -> None:
            async with pool.connection():
                served.append(number)

        async with asyncio.TaskGroup() as tasks, pool.connection():
            for number in range(12):
                tasks.create_task(borrow(number))
            await until_then(lambda: pool.usage.waiting == 12)
        assert len(server.sessions) == 1

    play(scene)
    assert served == list(range(12))


def test_who_waits_too_long_leaves_the_line() -> None:
    async def scene(_: SMTPServer, pool: AsyncClientPool) -> None:
        async with pool.connection():
            with pytest.raises(PoolTimeout, match=r"within 0\.05 s"):
                await pool.acquire(wait=0.05)
            assert pool.usage.waiting == 0

    play(scene)


def test_closing_wakes_all_who_wait() -> None:
    async def scene(_: SMTPServer, pool: AsyncClientPool) -> None:
        async with pool.connection():
            waiting = [asyncio.create_task(pool.acquire()) for _ in range(3)]
            await until_then(lambda: pool.usage.waiting == 3)
            await pool.close()
            for each in waiting:
                with pytest.raises(PoolClosed, match="by close"):
                    await each

    play(scene)


def test_cancelled_in_line() -> None:
    async def scene(_: SMTPServer, pool: AsyncClientPool) -> None:
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
    async def scene(server: SMTPServer, pool: AsyncClientPool) -> None:
        client = await pool.acquire()
        waiting = asyncio.create_task(pool.acquire(wait=wait))
        await until_then(lambda: pool.usage.waiting == 1)
        await pool.release(client)
        assert pool.usage.lent == 1  # it is the other's, who does not know it yet
        await cancel(waiting)
        assert (pool.usage.lent, pool.usage.idle) == (0, 1)
        async with pool.connection() as again:
            assert again is client
        assert len(server.sessions) == 1

    play(scene)


@pytest.mark.parametrize(
    "greeting", [Deviation("GREETING", delay=60.0), Deviation("GREETING", reply="220-slow")]
)
def test_cancelled_while_connecting(greeting: Deviation) -> None:
    async def scene(server: SMTPServer, pool: AsyncClientPool) -> None:
        opening = asyncio.create_task(pool.acquire())
        await until_then(lambda: len(server.sessions) == 1)
        assert pool.usage.lent == 1
        await cancel(opening)
        assert pool.usage.lent == 0

    play(scene, greeting)


def test_cancelled_while_proving() -> None:
    async def scene(server: SMTPServer, pool: AsyncClientPool) -> None:
        async with pool.connection():
            pass
        server.order("RSET", reply="250-slow", times=1)
        proving = asyncio.create_task(pool.acquire())
        await until_then(lambda: b"RSET" in server.sessions[0].commands)
        await cancel(proving)
        assert pool.usage.lent == 0
        async with pool.connection() as client:
            assert (await client.send_message(HELLO, SENDER, RECIPIENTS)).all_accepted

    assert len(play(scene).sessions) == 2


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "."])
def test_cancelled_in_the_middle_of_a_message(verb: str) -> None:
    """The connection is of no use to the next one, who would read another's replies."""

    async def scene(server: SMTPServer, pool: AsyncClientPool) -> None:
        server.order(verb, reply="250-slow", lie=True, times=1)
        sending = asyncio.create_task(pool.send_message(HELLO, SENDER, RECIPIENTS))
        await until_then(lambda: any(b"250-slow\r\n" in one.replies for one in server.sessions))
        await cancel(sending)
        assert (pool.usage.lent, pool.usage.idle) == (0, 0)
        assert (await pool.send_message(HELLO, SENDER, RECIPIENTS)).all_accepted

    server = play(scene)
    assert len(server.messages) == (2 if verb == "." else 1)


def test_cancelled_while_saying_goodbye() -> None:
    async def scene(server: SMTPServer, pool: AsyncClientPool) -> None:
        server.order("QUIT", reply="221-slow")
        pool._pool.limits = Limits(messages=1)
        client = await pool.acquire()
        await client.send_message(HELLO, SENDER, RECIPIENTS)
        giving_back = asyncio.create_task(pool.release(client))
        await until_then(lambda: b"QUIT" in server.sessions[0].commands)
        await cancel(giving_back)
        assert pool.usage.lent == 0

    play(scene)


def test_closing_that_is_cancelled_closes_all_the_same() -> None:
    async def scene(server: SMTPServer, pool: AsyncClientPool) -> None:
        server.order("QUIT", reply="221-slow")
        clients = [await pool.acquire() for _ in range(3)]
        for client in clients:
            await pool.release(client)
        closing = asyncio.create_task(pool.close())
        await until_then(lambda: any(b"QUIT" in session.commands for session in server.sessions))
        await cancel(closing)
        await until_then(lambda: not server.open_connections)

    play(scene, size=3)


def test_many_tasks() -> None:
    async def scene(server: SMTPServer, pool: AsyncClientPool) -> None:
        async def send(number: int) -> bool:
            to = [f"to{number}@example.test"]
            return (await pool.send_message(HELLO, SENDER, to)).all_accepted

        assert all(await asyncio.gather(*map(send, range(50))))
        assert server.most_open <= 4

    assert len(play(scene, size=4).messages) == 50
