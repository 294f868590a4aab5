"""One connection of a model server in the hands of a test: what it says unasked, ends, is told."""

import asyncio

import pytest

from fsm_smtp.testing import SMTPServer
from fsm_smtp.testing.server.listening import model_server
from fsm_smtp.testing.server.options import HOST
from tests.testing.dialogue import Dialogue
from tests.waiting import until


def test_it_speaks_unasked_and_ends() -> None:
    with SMTPServer() as server, Dialogue(server.port) as client:
        [connection] = server.open_connections
        connection.say(b"421 4.4.2 idle for too long\r\n")
        connection.end()
        assert client.reply() == "421 4.4.2 idle for too long"
        assert client.reply() == ""
        assert not connection.is_open
        assert server.open_connections == []
        connection.say(b"nobody hears this\r\n")
        connection.end()
        server.wait()
    assert server.sessions[0].replies[1:] == [b"421 4.4.2 idle for too long\r\n"]


def test_an_end_waits_for_nothing() -> None:
    with SMTPServer() as server, Dialogue(server.port) as client:
        server.order("NOOP", delay=60.0)
        client.write(b"NOOP\r\n")
        until(lambda: server.sessions[0].commands == [b"NOOP"])
        server.connections[0].end()
        assert client.reply() == ""


def test_an_order_for_one_connection_comes_first_and_is_its_own() -> None:
    with SMTPServer() as server, Dialogue(server.port) as one, Dialogue(server.port) as two:
        server.order("NOOP", reply="451 4.3.0 everybody")
        server.connections[0].order("NOOP", reply="450 4.2.1 you", times=1)
        for client in (one, two, one):
            client.write(b"NOOP\r\n")
        assert [one.reply(), one.reply()] == ["450 4.2.1 you", "451 4.3.0 everybody"]
        assert two.reply() == "451 4.3.0 everybody"
        assert server.most_open == 2
        assert [each.peer for each in server.connections] == [one.address, two.address]


def test_a_reply_and_then_the_end() -> None:
    with SMTPServer() as server, Dialogue(server.port) as client:
        server.order("RSET", reply="421 4.3.2 closing", drop=True)
        client.write(b"RSET\r\nNOOP\r\n")
        assert client.reply() == "421 4.3.2 closing"
        assert client.reply() == ""


def test_in_the_event_loop_of_a_test() -> None:
    async def run() -> bytes:
        async with model_server() as server:
            reader, writer = await asyncio.open_connection(HOST, server.port)
            await reader.readline()
            [connection] = server.connections
            with pytest.raises(TypeError, match="takes no orders"):
                connection.order("NOOP", drop=True)
            connection.say(b"250 unasked\r\n")
            connection.end()
            heard = await reader.read()
            writer.close()
            await writer.wait_closed()
            return heard

    assert asyncio.run(run()) == b"250 unasked\r\n"
