"""The guard around a socket, and around asyncio's streams."""

import asyncio
import socket
import ssl

import pytest

from fsm_smtp import CommandRefused, InvalidCommand, UnexpectedReply
from fsm_smtp.guard import GuardError, GuardOptions
from fsm_smtp.guard.sockets import GuardedSocket
from fsm_smtp.guard.streams import GuardedStream
from fsm_smtp.testing.scripted import (
    DELIVERY,
    GOODBYE,
    GREETING,
    OPENING,
    Answer,
    Body,
    Close,
    Line,
    Say,
    ScriptedServer,
    ehlo,
)
from tests.guard.talk import Found
from tests.servers.base import RECIPIENTS, SENDER
from tests.servers.fixtures import ServerPark

EHLO = b"EHLO client.example.test\r\n"
MESSAGE = (
    f"MAIL FROM:<{SENDER}>\r\n".encode(),
    f"RCPT TO:<{RECIPIENTS[0]}>\r\n".encode(),
    b"DATA\r\n",
    b"Subject: hi\r\n\r\nhello\r\n.\r\n",
    b"QUIT\r\n",
)


def _connect(port: int, options: GuardOptions | None = None) -> GuardedSocket:
    plain = socket.create_connection(("127.0.0.1", port), 10)
    return GuardedSocket(plain, options or GuardOptions())


def _reply(sock: GuardedSocket) -> bytes:
    """The next reply, read octet by octet, as a simple client does."""
    lines = b""
    while True:
        line = b""
        while not line.endswith(b"\n"):
            line += sock.recv(1)
        lines += line
        if line[3:4] == b" ":
            return lines


def test_a_session_over_a_guarded_socket() -> None:
    with ScriptedServer((*DELIVERY, *GOODBYE)) as server, _connect(server.port) as sock:
        _reply(sock)
        for line in (EHLO, *MESSAGE):
            assert sock.send(line[:3]) == 3
            sock.sendall(line[3:])
            assert _reply(sock)[:1] in b"23"
    assert server.taken[0].octets == b"".join((EHLO, *MESSAGE))


def test_nothing_of_an_illegal_line_is_written() -> None:
    with ScriptedServer((*OPENING, *GOODBYE)) as server, _connect(server.port) as sock:
        _reply(sock)
        sock.sendall(EHLO)
        _reply(sock)
        sock.sendall(b"DA")
        with pytest.raises(CommandRefused):
            sock.sendall(b"TA\r\n")
        sock.sendall(b"QUIT\r\n")  # a new line: the refused one is gone, its beginning too
        _reply(sock)
    assert server.taken[0].octets == EHLO + b"QUIT\r\n"


def test_a_file_of_a_guarded_socket_reads_what_was_judged() -> None:
    script = (*GREETING, Line(b"EHLO"), Say(b"250 mx\r\n250 unasked\r\n"), Answer())
    with ScriptedServer(script) as server, _connect(server.port) as sock:
        with sock.makefile("rb") as file:
            assert file.readline() == b"220 mx.example.test\r\n"
            sock.sendall(EHLO)
            assert file.readline() == b"250 mx\r\n"
            with pytest.raises(UnexpectedReply):
                sock.sendall(b"NOOP\r\n")
        with pytest.raises(ValueError, match="reading octets only"):
            sock.makefile("wb")


def test_tls_over_a_guarded_socket(servers: ServerPark) -> None:
    server = servers.start("postfix")
    context = ssl.create_default_context(cafile=str(servers.authority))
    context.check_hostname = False  # the server is reached by its address
    found = Found()
    with _connect(server.port, GuardOptions(on_finding=found.append)) as sock:
        _reply(sock)
        with pytest.raises(CommandRefused):
            sock.start_tls(context)
        sock.sendall(EHLO)
        _reply(sock)
        sock.sendall(b"STARTTLS\r\n")
        _reply(sock)
        sock.start_tls(context)
        for line in (EHLO, *MESSAGE):
            sock.sendall(line)
            assert _reply(sock)[:1] in b"23"
    assert [each.trigger for each in found] == ["tls_up"]


def test_a_failed_handshake_leaves_nothing_but_closing() -> None:
    script = (*GREETING, *ehlo("STARTTLS"), Line(b"STARTTLS"), Say(b"220 go\r\n"), Body(20))
    with (
        ScriptedServer((*script, Say(b"no handshake\r\n"), Close())) as server,
        _connect(server.port) as sock,
    ):
        _reply(sock)
        sock.sendall(EHLO)
        _reply(sock)
        sock.sendall(b"STARTTLS\r\n")
        _reply(sock)
        with pytest.raises(OSError, match=r"."):
            sock.start_tls(ssl.create_default_context(), "mx.example.test")
        with pytest.raises(CommandRefused) as caught:
            sock.sendall(EHLO)
        assert caught.value.legal == ("close",)


async def _stream_reply(stream: GuardedStream) -> bytes:
    line = await stream.reader.readline()
    while line[3:4] == b"-":
        line = await stream.reader.readline()
    return line


def test_a_session_over_a_guarded_stream(servers: ServerPark) -> None:
    server = servers.start("postfix")
    context = ssl.create_default_context(cafile=str(servers.authority))
    context.check_hostname = False

    async def main() -> None:
        stream = await GuardedStream.connect(server.host, server.port)
        await _stream_reply(stream)
        stream.writer.write(EHLO)
        await _stream_reply(stream)
        with pytest.raises(InvalidCommand):
            stream.writer.write(b"MAIL FROM:<a\0@example.org>\r\n")
        with pytest.raises(CommandRefused):
            stream.writer.writelines([b"DA", b"TA\r\n"])
        stream.writer.write(b"STARTTLS\r\n")
        await _stream_reply(stream)
        await stream.start_tls(context)
        for line in (EHLO, *MESSAGE):
            stream.writer.write(line)
            await stream.writer.drain()
            assert (await _stream_reply(stream))[:1] in b"23"
        await stream.close()

    asyncio.run(main())


def test_a_reader_learns_what_the_server_broke() -> None:
    async def main(port: int) -> None:
        stream = await GuardedStream.connect("127.0.0.1", port)
        await _stream_reply(stream)
        stream.writer.write(EHLO)
        with pytest.raises(GuardError, match="3yz asks for more"):
            await _stream_reply(stream)
        await stream.close()

    with ScriptedServer((*GREETING, Line(b"EHLO"), Say(b"354 go\r\n"), Answer())) as server:
        asyncio.run(main(server.port))
