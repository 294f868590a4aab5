"""Many threads and one pool: in line, in time, and nothing lost."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from fsm_smtp.client import Client, SendResult
from fsm_smtp.errors import ProtocolError
from fsm_smtp.pool import ClientPool, Limits, PoolClosed, PoolTimeout
from tests.pool.driver import OPTIONS, SENDER
from tests.pool.mischief import content_of, judge, mischief, recipient_of
from tests.pool.serving import offering
from tests.waiting import until


def test_in_the_order_in_which_they_came() -> None:
    with offering() as server, ClientPool(1, "127.0.0.1", server.port, OPTIONS) as pool:
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
        assert len(server.sessions) == 1


def test_who_waits_too_long_leaves_the_line() -> None:
    with offering() as server, ClientPool(1, "127.0.0.1", server.port, OPTIONS) as pool:
        with pool.connection():
            began = time.monotonic()
            with pytest.raises(PoolTimeout, match=r"within 0\.1 s: of 1 connections 1 are lent"):
                pool.acquire(wait=0.1)
            assert time.monotonic() - began >= 0.1
            assert pool.usage.waiting == 0
        pool.release(pool.acquire(wait=5))


def test_closing_wakes_all_who_wait() -> None:
    with offering() as server:
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
        assert server.sessions[0].commands[-1] == b"QUIT"


def test_never_two_borrowers_of_one_connection() -> None:
    with offering() as server, ClientPool(3, "127.0.0.1", server.port, OPTIONS) as pool:
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


def test_each_message_has_one_fate_whatever_the_server_does() -> None:
    """Accepted means taken once, unknown once or not at all, refused not at all."""
    count = 240
    over = threading.Event()
    with (
        offering("SIZE") as server,
        ClientPool(3, "127.0.0.1", server.port, OPTIONS, limits=Limits(messages=9)) as pool,
        ThreadPoolExecutor(9) as threads,
    ):
        trouble = threads.submit(mischief, server, over, 5)

        def send(number: int) -> SendResult | None:
            try:
                return pool.send_message(content_of(number), SENDER, [recipient_of(number)])
            except ProtocolError:
                return None  # no connection could be made: nothing was sent

        results = list(threads.map(send, range(count)))
        over.set()
        trouble.result(10)
    outcomes = {
        number: result.fates[0].outcome if result is not None else "refused"
        for number, result in enumerate(results)
    }
    judge(server, outcomes)
    assert Counter(outcomes.values())["accepted"] > count / 2
