"""What a borrower gets, and what becomes of what comes back."""

import asyncio
import pickle
import time

import pytest

from fsm_smtp.client import Client
from fsm_smtp.errors import ConnectionLost, Rejected
from fsm_smtp.pool import Limits, PoolClosed, PoolTimeout, Server
from fsm_smtp.testing import Deviation, SMTPServer
from fsm_smtp.wire import commands
from tests.pool.driver import HELLO, OPTIONS, RECIPIENTS, SENDER, AnyClient, AnyPool, pooled
from tests.pool.serving import last_commands, mails, offering, saying
from tests.waiting import until


def what(pool: AnyPool) -> list[tuple[str, str]]:
    return [(event.what, event.by) for event in pool.events]


def send(pool: AnyPool, client: AnyClient) -> None:
    assert pool.run(client.send_message(HELLO, SENDER, RECIPIENTS)).all_accepted


def test_the_same_connection_again_after_rset(adapter: str) -> None:
    with offering("SIZE") as server, pooled(adapter, 2, server.port) as pool:
        first = pool.acquire()
        send(pool, first)
        pool.release(first)
        assert (pool.usage.lent, pool.usage.idle) == (0, 1)
        second = pool.acquire()
        assert second is first
        assert server.sessions[0].commands[-1] == b"RSET"
        assert second.session.may("send_mail")
        send(pool, second)
        pool.release(second)
    assert last_commands(server) == [b"QUIT"]
    assert len(server.messages) == 2
    assert what(pool) == [("opened", "pool"), ("reused", "pool"), ("closed", "pool")]


def test_whatever_the_borrower_leaves_open_the_next_one_does_not_find(adapter: str) -> None:
    with offering() as server, pooled(adapter, 1, server.port) as pool:
        client = pool.acquire()
        pool.run(client.command(commands.mail(SENDER)))
        pool.run(client.command(commands.rcpt("stranger@example.test")))
        pool.release(client)
        again = pool.acquire()
        assert again is client
        send(pool, again)
        pool.release(again)
    (message,) = server.messages
    assert [one.path.decode() for one in message.recipients] == list(RECIPIENTS)


def in_the_middle_of_data(pool: AnyPool, client: AnyClient) -> None:
    pool.run(client.command(commands.mail(SENDER)))
    pool.run(client.command(commands.rcpt(RECIPIENTS[0])))
    pool.run(client.command(commands.data()))


def closed(_: AnyPool, client: AnyClient) -> None:
    client.close()


def after_quit(pool: AnyPool, client: AnyClient) -> None:
    pool.run(client.quit())


@pytest.mark.parametrize(
    ("left", "why"),
    [
        (in_the_middle_of_data, "in SMTP_DATA after 'DATA', where RSET is not legal"),
        (closed, "closed without QUIT, in SMTP_CONNECTED"),
        (after_quit, "closed by QUIT"),
    ],
)
def test_what_cannot_be_used_again_is_not(adapter: str, left: object, why: str) -> None:
    assert callable(left)
    with offering() as server, pooled(adapter, 1, server.port) as pool:
        client = pool.acquire()
        left(pool, client)
        pool.release(client)
        assert pool.usage.idle == 0
        again = pool.acquire()
        assert again is not client
        send(pool, again)
        pool.release(again)
    assert what(pool)[1] == ("closed", "borrower")
    assert why in pool.events[1].why
    assert len(server.messages) == 1


def test_a_connection_that_ended_while_it_was_lent(adapter: str) -> None:
    with offering() as server, pooled(adapter, 1, server.port) as pool:
        client = pool.acquire()
        server.open_connections[0].order("MAIL", drop=True)
        result = pool.run(client.send_message(HELLO, SENDER, RECIPIENTS))
        assert {fate.outcome for fate in result.fates} == {"refused"}
        pool.release(client)
    assert what(pool) == [("opened", "pool"), ("closed", "server")]
    assert "after 'MAIL FROM:<me@example.test>'" in pool.events[1].why


def test_a_session_that_is_another_than_before_is_ended(adapter: str) -> None:
    """After HELO the offers of EHLO are gone: the next borrower would miss them."""
    with offering("8BITMIME") as server, pooled(adapter, 1, server.port) as pool:
        client = pool.acquire()
        pool.run(client.command(commands.helo("client.example.test")))
        pool.release(client)
        again = pool.acquire()
        assert "8BITMIME" in again.offers
        pool.release(again)
    assert what(pool)[1] == ("closed", "borrower")
    assert server.sessions[0].commands[-2:] == [b"RSET", b"QUIT"]


# -- what servers do to connections at rest ------------------------------------------------------


def stale_421(server: SMTPServer) -> None:
    connection = server.open_connections[0]
    connection.say(b"421 4.4.2 idle for too long\r\n")
    connection.end()


def stale_421_and_no_end(server: SMTPServer) -> None:
    server.open_connections[0].say(b"421 4.3.2 closing soon\r\n")


def end(server: SMTPServer) -> None:
    server.open_connections[0].end()


def babble(server: SMTPServer) -> None:
    server.open_connections[0].say(b"250 what I always wanted to say\r\n")


def refuse_rset(server: SMTPServer) -> None:
    server.order("RSET", reply="451 4.3.0 not now")


def end_on_rset(server: SMTPServer) -> None:
    server.order("RSET", drop=True)


def say_421_to_rset(server: SMTPServer) -> None:
    server.order("RSET", reply="421 4.3.2 going down", drop=True)


WRONGS = {
    stale_421: "421 4.4.2 idle for too long",
    stale_421_and_no_end: "421 4.3.2 closing soon",
    end: "unasked",
    babble: "250 what I always wanted to say",
    refuse_rset: "'RSET': 451 4.3.0 not now",
    end_on_rset: "'RSET'",
    say_421_to_rset: "421 4.3.2 going down",
}


@pytest.mark.parametrize("wrong", WRONGS)
def test_a_connection_that_does_not_prove_itself_is_replaced(adapter: str, wrong: object) -> None:
    assert callable(wrong)
    with offering() as server, pooled(adapter, 1, server.port) as pool:
        client = pool.acquire()
        pool.release(client)
        wrong(server)
        again = pool.acquire()
        assert again is not client
        send(pool, again)
        pool.release(again)
    assert what(pool)[:3] == [("opened", "pool"), ("closed", "server"), ("opened", "pool")]
    assert WRONGS[wrong] in pool.events[1].why
    assert len(server.messages) == 1


@pytest.mark.parametrize("wrong", [stale_421, stale_421_and_no_end])
def test_a_stale_421_is_no_answer_to_anything_of_ours(adapter: str, wrong: object) -> None:
    assert callable(wrong)
    with offering() as server, pooled(adapter, 1, server.port) as pool:
        pool.release(pool.acquire())
        wrong(server)
        pool.release(pool.acquire())
        assert b"RSET" not in server.sessions[0].commands


def test_a_server_that_is_silent_costs_no_more_than_the_proof(adapter: str) -> None:
    limits = Limits(proof=0.2)
    with offering() as server, pooled(adapter, 1, server.port, limits=limits) as pool:
        pool.release(pool.acquire())
        server.order("RSET", reply="250-wait")
        began = time.monotonic()
        pool.release(pool.acquire())
        assert time.monotonic() - began < OPTIONS.seconds
    assert "no reply to 'RSET' within 0.2 s" in pool.events[1].why


# -- limits --------------------------------------------------------------------------------------


def test_messages_over_one_connection(adapter: str) -> None:
    limits = Limits(messages=2)
    with offering() as server, pooled(adapter, 1, server.port, limits=limits) as pool:
        for _ in range(5):
            client = pool.acquire()
            send(pool, client)
            pool.release(client)
    assert mails(server) == [2, 2, 1]
    assert last_commands(server) == [b"QUIT"] * 3


@pytest.mark.parametrize(
    ("offer", "expected"),
    [
        ("LIMITS MAILMAX=2", [2, 1]),
        ("LIMITS RCPTMAX=100 MAILMAX=1", [1, 1, 1]),
        ("LIMITS MAILMAX=007", [3]),
        ("LIMITS MAILMAX=many", [3]),
        ("LIMITS MAILMAX", [3]),
        ("LIMITS MAILMAX=1000000", [3]),
    ],
)
def test_the_servers_own_limit(adapter: str, offer: str, expected: list[int]) -> None:
    """RFC 9422 §4.1; a value against its grammar counts for nothing (§3.7)."""
    with offering(orders=[saying(offer)]) as server, pooled(adapter, 1, server.port) as pool:
        for _ in range(3):
            client = pool.acquire()
            send(pool, client)
            pool.release(client)
    assert mails(server) == expected


def test_age(adapter: str) -> None:
    now = [0.0]
    with (
        offering() as server,
        pooled(
            adapter, 1, server.port, limits=Limits(age=60, idle=900), clock=lambda: now[0]
        ) as pool,
    ):
        pool.release(pool.acquire())
        now[0] = 59
        client = pool.acquire()
        now[0] = 61
        pool.release(client)  # too old when it comes back
        client = pool.acquire()
        pool.release(client)
        now[0] = 122  # too old when it is wanted
        pool.release(pool.acquire(wait=5.0))
    assert last_commands(server) == [b"QUIT"] * 3
    assert len(server.sessions) == 3


def test_an_idle_connection_ends_before_the_server_ends_it(adapter: str) -> None:
    with (
        offering() as server,
        pooled(adapter, 3, server.port, limits=Limits(idle=0.05)) as pool,
    ):
        clients = [pool.acquire() for _ in range(3)]
        for client in clients:
            pool.release(client)
        pool.run(asyncio.sleep(0.3))  # whose loop runs only when it is asked to
        until(lambda: not server.open_connections)
        assert set(last_commands(server)) == {b"QUIT"}
        assert pool.usage.idle == pool.usage.lent == 0
        assert [event.why for event in pool.events[-3:]] == ["it was idle for too long"] * 3
        pool.release(pool.acquire())


def test_connections_to_one_server(adapter: str) -> None:
    limits = Limits(connections=1)
    with (
        offering() as one,
        offering() as two,
        pooled(adapter, 3, one.port, limits=limits) as pool,
    ):
        first = pool.acquire()
        with pytest.raises(PoolTimeout, match=f"no connection to 127.0.0.1:{one.port} .* 1 wait"):
            pool.acquire()
        other = pool.acquire(Server("127.0.0.1", two.port, OPTIONS))
        assert (len(one.sessions), len(two.sessions)) == (1, 1)
        pool.release(first)
        assert pool.acquire() is first
        pool.release(first)
        pool.release(other)


def test_a_place_is_made_for_another_server(adapter: str) -> None:
    with offering() as one, offering() as two, pooled(adapter, 2, one.port) as pool:
        clients = [pool.acquire(), pool.acquire()]
        for client in clients:
            pool.release(client)
        other = pool.acquire(Server("127.0.0.1", two.port, OPTIONS))
        # The one that was idle for the longest time had to go.
        assert one.sessions[0].commands[-1] == b"QUIT"
        assert one.connections[1].is_open
        pool.release(other)
        assert pool.acquire() is clients[1]
        pool.release(clients[1])


# -- errors --------------------------------------------------------------------------------------


def test_who_cannot_be_reached_costs_no_place(adapter: str) -> None:
    with pooled(adapter, 1, 1) as pool:
        for _ in range(2):
            with pytest.raises(ConnectionLost, match=r"no connection to 127\.0\.0\.1:1"):
                pool.acquire()
        assert pool.usage.lent == 0
    assert what(pool) == [("failed", "network")] * 2


def test_a_server_that_refuses_costs_no_place(adapter: str) -> None:
    with (
        offering(orders=[Deviation("GREETING", reply="554 5.7.1 not you")]) as server,
        pooled(adapter, 1, server.port) as pool,
    ):
        for _ in range(2):
            with pytest.raises(Rejected, match=r"554 5\.7\.1 not you"):
                pool.acquire()
        assert pool.usage.lent == 0
    assert what(pool) == [("failed", "server")] * 2


def test_what_is_not_lent_cannot_be_given_back(adapter: str) -> None:
    with offering() as server, pooled(adapter, 1, server.port) as pool:
        client = pool.acquire()
        pool.release(client)
        for stranger in (client, Client("127.0.0.1", server.port)):
            with pytest.raises(ValueError, match="not lent by this pool"):
                pool.release(stranger)


def test_a_closed_pool_says_who_closed_it(adapter: str) -> None:
    with offering() as server, pooled(adapter, 2, server.port) as pool:
        kept = pool.acquire()
        pool.release(pool.acquire())
        pool.close()
        pool.close()
        with pytest.raises(PoolClosed, match=r"closed, by close\(\) in (thread Main|task )"):
            pool.acquire()
        send(pool, kept)  # who has one may use it to the end
        pool.release(kept)
    assert last_commands(server) == [b"QUIT"] * 2
    assert (pool.usage.lent, pool.usage.idle) == (0, 0)


def test_limits_are_above_zero() -> None:
    for name in ("connections", "messages", "age", "idle", "proof"):
        with pytest.raises(ValueError, match=f"{name} is 0"):
            Limits(**{name: 0})
    with pytest.raises(ValueError, match="a pool of 0 connections"), pooled("sync", 0, 25):
        pass


@pytest.mark.parametrize(
    "error", [PoolTimeout("mx:25", 1.5, "all lent"), PoolClosed("by close() in thread T")]
)
def test_errors_pickle(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_one_line_sends(adapter: str) -> None:
    with offering() as server, pooled(adapter, 1, server.port) as pool:
        inner = pool.pool  # type: ignore[attr-defined]
        for _ in range(2):
            assert pool.run(inner.send_message(HELLO, SENDER, RECIPIENTS)).all_accepted
    assert len(server.sessions) == 1
    assert len(server.messages) == 2
