"""The sink: its order is the table's, however octets come, and nobody waits for another."""

import socket
import threading
from collections.abc import Generator
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_smtp.owed import ServerModel
from fsm_smtp.table import load_table
from fsm_smtp.testing import strategies as smtp
from fsm_smtp.testing.sink import Sink
from fsm_smtp.testing.sink.connection import Connection

INSTANCE = ServerModel.of(load_table()).instantiate({}, frozenset({"CHUNKING"}))
#: Inputs of the table as they are written, and one that is spelled otherwise.
WRITTEN = {
    "ehlo": b"EHLO a\r\n",
    "helo": b"helo a\r\n",
    "mail": b"MAIL FROM:<a@b.test> BODY=BINARYMIME\r\n",
    "rcpt": b"Rcpt TO:<c@d.test>\r\n",
    "data": b"DATA\r\n",
    "end_of_data": b".\r\n",
    "rset": b"RSET\r\n",
    "noop": b"NOOP\r\n",
    "vrfy": b"VRFY c\r\n",
    "quit": b"QUIT\r\n",
    "unknown_verb": b"XUNKNOWN\r\n",
    "bdat": b"BDAT 7\r\nQUIT\r\n.",
    "bdat_last": b"BDAT 4 LAST\r\n\r\n.\r",
    "bdat_end": b"BDAT 0 LAST\r\n",
    "bdat_bad_size": b"BDAT many\r\n",
}
SESSIONS = st.lists(st.sampled_from([*WRITTEN, "ehlo", "mail", "rcpt", "data"]), max_size=30)


def met(octets: tuple[bytes, ...]) -> bytes:
    """What a connection says to these octets."""
    one, other = socket.socketpair()
    with one, other:
        connection = Connection(one)
        return b"".join(map(connection.take, octets))


@given(st.data(), SESSIONS)
def test_the_order_is_the_tables(data: st.DataObject, names: list[str]) -> None:
    state, octets, owed = INSTANCE.initial, b"", []
    for name in names:
        output = INSTANCE.outputs[state, name]
        if output == "unsent":
            continue
        octets += WRITTEN[name]
        if output not in ("none", "closed"):
            owed.append(output[0])
        state = INSTANCE.next[state, name]
    said = met(data.draw(smtp.chunkings(octets)))
    lines = [line for line in said.split(b"\r\n")[:-1] if line[3:4] == b" "]
    assert [chr(line[0]) for line in lines] == owed


@given(st.data(), smtp.raw_content())
def test_content_ends_at_its_end_of_data(data: st.DataObject, content: bytes) -> None:
    whole = content + b"\r\n.\r\n"
    end = (b"\r\n" + whole).find(b"\r\n.\r\n") + len(b".\r\n")
    stream = b"HELO a\r\nMAIL\r\nRCPT\r\nDATA\r\n" + whole[:end] + b"QUIT\r\n"
    said = met(data.draw(smtp.chunkings(stream)))
    assert [line[:3] for line in said.split(b"\r\n")] == [
        *(b"250", b"250", b"250", b"354", b"250", b"221", b""),
    ]


@pytest.fixture
def sink() -> Generator[Sink]:
    made = Sink()
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.stop()
    thread.join(5)
    assert not thread.is_alive()


def opened(sink: Sink) -> socket.socket:
    connected = socket.create_connection(("127.0.0.1", sink.port), timeout=5)
    assert connected.recv(100) == b"220 sink.example.test ESMTP\r\n"
    return connected


def said(connected: socket.socket, *lines: bytes) -> list[bytes]:
    """The codes of the replies to lines in lock-step."""
    codes = []
    for line in lines:
        connected.sendall(line + b"\r\n")
        octets = b""
        while not octets.endswith(b"\r\n"):
            octets += connected.recv(4096)
        codes.append(octets[:3])
    return codes


def test_many_connections_in_lockstep(sink: Sink) -> None:
    envelope = (b"HELO a", b"MAIL", b"MAIL", b"RCPT", b"DATA")
    with ExitStack() as stack:
        links = [stack.enter_context(opened(sink)) for _ in range(5)]
        for link in links:
            assert said(link, *envelope) == [b"250", b"250", b"503", b"250", b"354"]
        for link in links:
            content = b"x" * 1_000_000 + b"\r\n."
            assert said(link, content, b"DATA", b"QUIT") == [b"250", b"503", b"221"]
            assert link.recv(1) == b""


def test_chunks_come_in_any_size(sink: Sink) -> None:
    with opened(sink) as link:
        assert said(link, b"EHLO a", b"MAIL", b"RCPT") == [b"250"] * 3
        link.sendall(b"BDAT 1000000\r\n" + b"x" * 999_999)
        assert said(link, b"xBDAT 2 LAST")[:1] == [b"250"]
        assert said(link, b"", b"MAIL") == [b"250", b"250"]


def test_a_client_that_does_not_read_is_waited_for(sink: Sink) -> None:
    with opened(sink) as deaf, opened(sink) as other:
        deaf.setblocking(False)
        lines = b"NOOP\r\n" * 10_000
        sent = 0
        try:
            while sent < 400 * len(lines):
                sent += deaf.send(lines)
        except BlockingIOError:
            pass
        assert said(other, b"NOOP") == [b"250"]
        deaf.setblocking(True)
        deaf.settimeout(5)
        deaf.shutdown(socket.SHUT_WR)
        heard = 0
        while octets := deaf.recv(1_000_000):
            heard += octets.count(b"\n")
        assert heard == sent // len(b"NOOP\r\n")


def test_a_client_that_goes_away_is_forgotten(sink: Sink) -> None:
    for _ in range(3):
        opened(sink).close()
    with opened(sink) as link:
        assert said(link, b"QUIT") == [b"221"]
