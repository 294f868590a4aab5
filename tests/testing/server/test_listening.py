"""The model server as other tests use it: both ways to run it, and what it remembers."""

import asyncio
import smtplib
import socket
import time

from fsm_smtp.testing import SMTPServer
from fsm_smtp.testing.server.certificate import client_context, server_context
from fsm_smtp.testing.server.listening import model_server, model_server_in_thread
from fsm_smtp.testing.server.options import HOST, NAME, PASSWORD, USER, Options
from tests.waiting import until

CONTENT = b"Subject: x\r\n\r\n.dots\r\n..more\r\nend\r\n"


def test_a_message_of_smtplib_arrives_as_it_was_sent() -> None:
    with model_server_in_thread(Options(context=server_context())) as server:
        with smtplib.SMTP(HOST, server.port, timeout=5) as client:
            client.starttls(context=client_context())
            client.login(USER, PASSWORD)
            client.sendmail("a@b.test", ["rcpt@example.test", "rcpt2@example.test"], CONTENT)
        [message] = server.messages
        [session] = server.sessions
    assert message.content == CONTENT
    assert message.sender == b"a@b.test"
    assert [one.path for one in message.recipients] == [b"rcpt@example.test", b"rcpt2@example.test"]
    assert message.trace.endswith(b"with ESMTPSA\r\n")
    assert session.secured
    assert session.user == USER
    assert session.commands[0].startswith(b"ehlo")
    assert session.replies[0] == f"220 {NAME} ready\r\n".encode()
    assert not any(PASSWORD.encode() in line for line in session.commands)


def test_it_runs_in_the_event_loop_of_a_test() -> None:
    async def run() -> tuple[bytes, bytes]:
        async with model_server() as server:
            reader, writer = await asyncio.open_connection(HOST, server.port)
            greeting = await reader.readline()
            writer.write(b"QUIT\r\n")
            farewell = await reader.read()
            writer.close()
            await writer.wait_closed()
            return greeting, farewell

    greeting, farewell = asyncio.run(run())
    assert greeting.startswith(b"220 ")
    assert farewell == f"221 2.0.0 {NAME} goodbye\r\n".encode()


def test_it_says_421_when_it_ends_and_ends_at_once() -> None:
    with model_server_in_thread() as server:
        client = socket.create_connection((HOST, server.port), timeout=5)
        assert client.recv(1000).startswith(b"220 ")
        began = time.monotonic()
    assert time.monotonic() - began < 1
    assert client.recv(1000).startswith(b"421 ")
    assert client.recv(1000) == b""
    client.close()
    assert server.sessions[0].ended


def test_patience_ends_too() -> None:
    with (
        model_server_in_thread(Options(patience=0.05)) as server,
        socket.create_connection((HOST, server.port), timeout=5) as client,
    ):
        client.recv(1000)
        assert client.recv(1000).startswith(b"421 4.4.2")
        assert client.recv(1000) == b""


def test_a_connection_that_breaks_off_delivers_nothing() -> None:
    with model_server_in_thread() as server:
        with socket.create_connection((HOST, server.port), timeout=5) as client:
            client.sendall(
                b"EHLO a.test\r\nMAIL FROM:<>\r\nRCPT TO:<postmaster>\r\nDATA\r\nSubject: x\r\n"
            )
            while b"354" not in client.recv(1000):
                pass
        deadline = time.monotonic() + 5
        while not server.sessions[0].ended and time.monotonic() < deadline:
            time.sleep(0.001)
        assert server.sessions[0].ended
        assert server.messages == []


def test_a_late_reply_does_not_keep_a_connection_open() -> None:
    with SMTPServer() as server:
        server.order("NOOP", delay=60.0)
        client = socket.create_connection(server.address, timeout=5)
        client.recv(1000)
        client.sendall(b"NOOP\r\nQUIT\r\n")
        until(lambda: server.sessions[0].ended)
    assert client.recv(1000) == b""
    client.close()
