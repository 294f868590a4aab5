"""The scripted server: each step as it says, and what is remembered of each connection."""

import socket
import ssl
import time

import pytest

from fsm_smtp.testing import ScriptedServer
from fsm_smtp.testing.scripted import (
    DELIVERY,
    GOODBYE,
    GREETING,
    OPENING,
    Answer,
    Body,
    Close,
    Drip,
    Handshake,
    Hold,
    Line,
    Pause,
    Say,
    Script,
    in_turn,
)
from fsm_smtp.testing.server.certificate import client_context, server_context


def talk(server: ScriptedServer, octets: bytes) -> bytes:
    """What the server says to *octets*, written at once, until it closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connected:
        connected.sendall(octets)
        connected.shutdown(socket.SHUT_WR)
        return read(connected)


def read(connected: socket.socket) -> bytes:
    said = b""
    while octets := connected.recv(4096):
        said += octets
    return said


@pytest.mark.parametrize(
    ("script", "heard", "said", "ended"),
    [
        ((Say(b"a", 3),), b"", b"aaa", "by the script"),
        ((Line(b"ehlo"), Say(b"x")), b"EHLO a\r\n", b"x", "by the script"),
        ((Line(b"EHLO"), Say(b"x")), b"HELO a\r\n", b"", "b'EHLO' was expected, b'HELO a' came"),
        ((Line(), Say(b"x")), b"half", b"", "closed"),
        ((Body(), Say(b"x"), Line(b"Q"), Say(b"y")), b".\r\nQ\r\n", b"xy", "by the script"),
        ((Body(2), Close()), b"abc", b"", "by the script"),
        ((Hold(), Say(b"x")), b"abc", b"", "closed"),
        ((Close(), Say(b"x")), b"", b"", "by the script"),
    ],
)
def test_a_script_is_played(script: Script, heard: bytes, said: bytes, ended: str) -> None:
    with ScriptedServer(script) as server:
        assert talk(server, heard) == said
    assert server.taken[0].ended == ended


def test_a_delivery() -> None:
    with ScriptedServer((*DELIVERY, *GOODBYE)) as server:
        commands = b"EHLO a\r\nMAIL\r\nRCPT\r\nDATA\r\nx\r\n..\r\n.\r\nQUIT\r\n"
        assert talk(server, commands).count(b"\r\n") == 9
    assert server.taken[0].octets == commands


def test_answers_by_verb() -> None:
    replies = {b"NOOP": b"", b".": b"452 full\r\n"}
    with ScriptedServer((Answer(replies, b"500 what?\r\n"),)) as server:
        octets = b"NOOP\r\nnoop x\r\nBDAT 6 LAST\r\nQUIT\r\nDATA\r\nx\r\n.\r\nquit\r\nRSET\r\n"
        assert talk(server, octets) == b"500 what?\r\n354 go\r\n452 full\r\n221 bye\r\n"
    assert server.taken[0].ended == "by the script"


@pytest.mark.parametrize("slow", [Drip(b"ab", 0.05), Pause(0.1)])
def test_slow_steps(slow: Drip | Pause) -> None:
    began = time.monotonic()
    with ScriptedServer((slow,)) as server:
        assert talk(server, b"") == (b"ab" if isinstance(slow, Drip) else b"")
    assert time.monotonic() - began >= 0.1


@pytest.mark.parametrize("reset", [False, True])
def test_the_cut(*, reset: bool) -> None:
    with ScriptedServer((*OPENING, Answer()), cut=5, reset=reset) as server:
        connected = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        with connected:
            if not reset:
                assert read(connected) == b"220 m"
            else:
                time.sleep(0.1)
                with pytest.raises(ConnectionResetError):
                    read(connected)
    assert server.taken[0].ended == "cut"


def test_all_connections_at_once_by_the_same_script() -> None:
    with ScriptedServer((Close(),), always=(*GREETING, Answer())) as server:
        assert talk(server, b"") == b""
        links = [socket.create_connection(("127.0.0.1", server.port), 5) for _ in range(3)]
        for link in reversed(links):
            with link:
                link.sendall(b"QUIT\r\n")
                assert read(link).endswith(b"221 bye\r\n")
    assert [taken.octets for taken in server.taken] == [b"", *[b"QUIT\r\n"] * 3]


def test_replies_in_turn_and_lines() -> None:
    with ScriptedServer(always=()) as server:
        for last, said in ((b"421 bye\r\n", 3), (b"", 2), (b"250 ok\r\n", 3)):
            server.always = in_turn(b"354 go\r\n", b"250 taken\r\n", last)
            octets = talk(server, b"a\r\nb\r\n.\r\nMAIL\r\nRCPT")
            assert octets.count(b"\r\n") == said
            assert server.taken[-1].lines == [b"a", b"b", b".", b"MAIL"]


def secured(server: ScriptedServer, ahead: bytes) -> bytes:
    """What is said under TLS, to a client that has sent something ahead of the handshake."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as clear:
        clear.sendall(b"STARTTLS\r\n" + ahead)
        assert clear.recv(100) == b"220 go\r\n"
        with client_context().wrap_socket(clear, server_hostname="127.0.0.1") as secret:
            secret.sendall(b"QUIT\r\n")
            return secret.recv(4096) + secret.recv(4096)


def test_a_handshake() -> None:
    replies = {b"STARTTLS": b"220 go\r\n", b"NOOP": b"250 carried over\r\n"}
    with ScriptedServer((Answer(replies, handshake=Handshake(server_context())),)) as server:
        assert secured(server, b"") == b"221 bye\r\n"
    assert (bytes(server.taken[0].clear), bytes(server.taken[0].secret)) == (
        b"STARTTLS\r\n",
        b"QUIT\r\n",
    )
    keeps = Handshake(server_context(), kept=True)
    with ScriptedServer((Answer(replies, handshake=keeps),)) as server:
        assert secured(server, b"NOOP\r\n").startswith(b"250 carried over\r\n")


def test_a_client_that_does_not_wait_for_the_handshake_fails_the_test() -> None:
    replies = {b"STARTTLS": b"220 go\r\n"}
    script = (Answer(replies, handshake=Handshake(server_context())),)
    with (
        pytest.raises(AssertionError, match="did not wait for the handshake: b'NOOP"),
        ScriptedServer(script) as server,
        pytest.raises((ssl.SSLError, OSError)),
    ):
        secured(server, b"NOOP\r\n")


def test_no_tls_behind_a_220() -> None:
    replies = {b"STARTTLS": b"220 go\r\n"}
    with ScriptedServer((Answer(replies, b"500 what?\r\n"),)) as server:
        said = talk(server, b"STARTTLS\r\n\x16\x03\x01 hello")
    assert said == b"220 go\r\n500 what?\r\n"
