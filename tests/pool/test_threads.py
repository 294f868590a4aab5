"""Many threads and one pool: in line, in time, and nothing lost."""

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from fsm_smtp.client import Client, SendResult
from fsm_smtp.errors import ProtocolError
from fsm_smtp.pool import ClientPool, Limits, PoolClosed, PoolTimeout
from tests.pool.driver import OPTIONS, SENDER
from tests.pool.server import HonestServer, honest
from tests.pool.waiting import until


def test_in_the_order_in_which_they_came() -> None:
    with honest() as server, ClientPool(1, "127.0.0.1", server.port, OPTIONS) as pool:
        served: list[int] = []

        def borrow(number: int) -> None:
            with pool.connection():
                served.append(number)

        first = pool.acquire()
        threads = [threading.Thread(target=borrow, args=(number,)) for number in range(12)]
        started: list[threading.Thread] = []
        for thread in threads:
            thread.start()
            started.append(thread)
            until(lambda: pool.usage.waiting == len(started))
        pool.release(first)
        for thread in threads:
            thread.join(10)
        assert served == list(range(12))
        assert len(server.links) == 1


def test_who_waits_too_long_leaves_the_line() -> None:
    with honest() as server, ClientPool(1, "127.0.0.1", server.port, OPTIONS) as pool:
        with pool.connection():
            began = time.monotonic()
            with pytest.raises(PoolTimeout, match=r"within 0\.1 s: of 1 connections 1 are lent"):
                pool.acquire(wait=0.1)
            assert time.monotonic() - began >= 0.1
            assert pool.usage.waiting == 0
        pool.release(pool.acquire(wait=5))


def test_closing_wakes_all_who_wait() -> None:
    with honest() as server:
        pool = ClientPool(1, "127.0.0.1", server.port, OPTIONS)
        first = pool.acquire()
        with ThreadPoolExecutor(4) as threads:
            waiting = [threads.submit(pool.acquire) for _ in range(4)]
            until(lambda: pool.usage.waiting == 4)
            pool.close()
            for each in waiting:
                with pytest.raises(PoolClosed, match="by close"):
                    each.result(5)
        pool.release(first)
        assert server.links[0].lines[-1] == "QUIT"


def test_never_two_borrowers_of_one_connection() -> None:
    with honest() as server, ClientPool(3, "127.0.0.1", server.port, OPTIONS) as pool:
        held: Counter[Client] = Counter()
        lock = threading.Lock()

        def borrow(_: int) -> None:
            with pool.connection() as client:
                with lock:
                    held[client] += 1
                    assert held[client] == 1
                time.sleep(0.001)
                with lock:
                    held[client] -= 1

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(borrow, range(60)))
        assert server.most_open <= 3


def mischief(server: HonestServer, over: threading.Event, seed: int) -> None:
    """Now and then, do something to a connection that is open."""
    chance = random.Random(seed)
    while not over.wait(0.004):
        links = server.open()
        if not links:
            continue
        link = chance.choice(links)
        match chance.randrange(6):
            case 0:
                link.end()
            case 1:
                link.quirks["RSET"] = b"421 4.3.2 closing\r\n"
            case 2:
                link.quirks["MAIL"] = b"421 4.3.2 closing\r\n"
            case 3:
                link.quirks["."] = b""
            case 4:
                link.quirks["DATA"] = b"451 4.3.0 later\r\n"
            case _:
                link.quirks["RCPT"] = b""


def test_each_message_has_one_fate_whatever_the_server_does() -> None:
    """Accepted means taken once, unknown once or not at all, refused not at all."""
    count = 240
    over = threading.Event()
    with (
        honest("SIZE") as server,
        ClientPool(3, "127.0.0.1", server.port, OPTIONS, limits=Limits(messages=9)) as pool,
        ThreadPoolExecutor(9) as threads,
    ):
        trouble = threads.submit(mischief, server, over, 5)

        def send(number: int) -> SendResult | None:
            try:
                recipients = [f"to{number}@example.test"]
                return pool.send_message(b"number %d\r\n" % number, SENDER, recipients)
            except ProtocolError:
                return None  # no connection could be made: nothing was sent

        results = list(threads.map(send, range(count)))
        over.set()
        trouble.result(10)
        taken = Counter(message.recipients[0] for message in server.delivered)
    outcomes = Counter(result.fates[0].outcome if result else "none" for result in results)
    for number, result in enumerate(results):
        times = taken[f"to{number}@example.test"]
        outcome = result.fates[0].outcome if result is not None else "refused"
        assert times in {"accepted": (1,), "refused": (0,), "unknown": (0, 1)}[outcome]
    assert outcomes["accepted"] > count / 2
    for message in server.delivered:
        assert message.content == b"number %d\r\n" % int(
            message.recipients[0][2:].partition("@")[0]
        )
