"""The dialogue alone, driven by hand: what is a matter of chance with sockets, without chance."""

import asyncio
import contextlib
import socket
import time

import pytest

from fsm_smtp.client import AsyncClient, Options, SendResult
from fsm_smtp.client.channel import KernelTimed, Timed, channel
from fsm_smtp.client.dialogue import LAST_WORDS, Dialogue
from fsm_smtp.client.message import Message
from fsm_smtp.client.requests import GLANCE, Answer, Flow, Wait
from fsm_smtp.errors import (
    ConnectionLost,
    HandshakeFailed,
    Rejected,
    ReplyTimeout,
    UnexpectedReply,
)
from fsm_smtp.session import Event
from fsm_smtp.testing.scripted import GREETING, Hold, Line, Say, ScriptedServer, ehlo
from tests.client.conftest import Tls
from tests.client.driver import RECIPIENTS, SENDER

OPENED = (b"220 hi\r\n", b"250 mx\r\n")
TO_CONTENT = (None, True, b"250 ok\r\n", True, b"250 ok\r\n", True, b"250 ok\r\n", True)


def play(flow: Flow[SendResult], answers: tuple[Answer, ...]) -> tuple[SendResult, list[object]]:
    """Give the dialogue these answers; gives its result, and what it asked for."""
    asked: list[object] = []
    result: list[SendResult] = []

    def delegating() -> Flow[None]:
        result.append((yield from flow))

    dialogue = delegating()
    for answer in (None, *answers):
        if asked and isinstance(asked[-1], Wait) and asked[-1].octets and answer is True:
            asked[-1].octets = b""  # written; the next answer is what is read
            continue
        asked.extend(_asked(dialogue, answer))
    assert result, "there are answers missing"
    return result[0], asked


def _asked(flow: Flow[None], answer: Answer) -> list[object]:
    try:
        return [flow.send(answer)]
    except StopIteration:
        return []


def opened(timeout: float | None = None) -> Dialogue:
    dialogue = Dialogue(Options(timeout=timeout))
    flow = dialogue.open()
    flow.send(None)
    with contextlib.suppress(StopIteration):
        for answer in OPENED:
            flow.send(answer)
    assert dialogue.session.may("send_mail")
    return dialogue


def sending(dialogue: Dialogue) -> Flow[SendResult]:
    return dialogue.send(Message.of([b"x" * 20_000, b"y"], SENDER, RECIPIENTS))


@pytest.mark.parametrize(
    ("words", "code", "outcome"),
    [
        ((b"421 go away\r\n", b""), 421, "refused"),
        ((b"552 too", b" big\r\n", None), 552, "refused"),
        ((b"451 later\r\n421 bye\r\n", b""), 421, "refused"),
        ((b"250 taken\r\n", b""), 250, "unknown"),
        ((b"",), None, "unknown"),
        ((None,), None, "unknown"),
        ((b"55", b""), None, "unknown"),
    ],
)
def test_last_words_at_the_end_of_data(
    words: tuple[Answer, ...], code: int | None, outcome: str
) -> None:
    """The write of the last piece fails: a refusal that can still be read decides."""
    dialogue = opened()
    begun = (b"354 go\r\n", None, True, None, False)
    result, asked = play(sending(dialogue), (*TO_CONTENT, *begun, *words))
    assert {fate.outcome for fate in result.fates} == {outcome}
    assert isinstance(result.error, ConnectionLost)
    assert (str(code) in str(result.error)) if code else "said" not in str(result.error)
    last = asked[-1]
    assert isinstance(last, Wait)
    assert last.seconds == LAST_WORDS
    assert result.recipients("refused") == (RECIPIENTS if outcome == "refused" else ())
    for fate in result.fates:
        assert fate.permanent == (code == 552)


def test_last_words_to_a_command() -> None:
    result, _ = play(sending(opened()), (None, False, b"421 go away\r\n", b""))
    assert isinstance(result.error, ConnectionLost)
    assert [fate.reply.code for fate in result.fates if fate.reply] == [421, 421]


def test_last_words_that_nobody_asked_for() -> None:
    answers = (*TO_CONTENT, b"354 go\r\n", None, False, b"552 too big\r\n")
    result, _ = play(sending(opened()), answers)
    assert isinstance(result.error, UnexpectedReply)
    assert {fate.outcome for fate in result.fates} == {"refused"}


@pytest.mark.parametrize("at", [1, 9])
def test_a_write_that_takes_too_long(at: int) -> None:
    """At MAIL the table's time runs, 300 s; the option's, where there is one."""
    answers = (*TO_CONTENT, b"354 go\r\n", None)[: {1: 1, 9: 10}[at]]
    result, _ = play(sending(opened()), (*answers, None))
    assert isinstance(result.error, ReplyTimeout)
    assert result.error.seconds >= 120
    result, _ = play(sending(opened(timeout=7.0)), (*answers, None))
    assert isinstance(result.error, ReplyTimeout)
    assert result.error.seconds == 7.0


def test_half_a_reply_before_a_command() -> None:
    """It may be the beginning of 421: nothing can be said yet."""
    dialogue = opened()
    result, asked = play(sending(dialogue), (b"42", True, b"1 bye\r\n"))
    assert [fate.reply.code for fate in result.fates if fate.reply] == [421, 421]
    assert asked[0] is GLANCE


def test_421_between_two_commands() -> None:
    dialogue = opened()
    dialogue.session.receive(b"421 bye\r\n")
    with pytest.raises(Rejected, match="421 bye"):
        next(dialogue.hello())
    assert dialogue.session.legal == ("send_quit", "close")


def test_the_observer_is_told_without_credentials() -> None:
    told: list[Event] = []
    dialogue = Dialogue(Options(user="u", password="geheim", observer=told.append, clear_auth=True))
    flow = dialogue.open()
    flow.send(None)
    for answer in (b"220 hi\r\n", b"250-mx\r\n250 AUTH PLAIN\r\n"):
        request = flow.send(answer)
    assert isinstance(request, Wait)
    assert request.octets == b"AUTH PLAIN AHUAZ2VoZWlt\r\n"
    assert "AHUAZ2VoZWlt" not in repr(told)
    assert told[-1].text == "AUTH PLAIN [redacted]"


# -- chances of the adapters ---------------------------------------------------------------------


def test_plaintext_that_comes_between_the_220_and_the_handshake(tls: Tls) -> None:
    script = (*GREETING, *ehlo("STARTTLS"), Line(b"STARTTLS"), Say(b"220 go\r\n"), Hold())
    clients: list[AsyncClient] = []

    def inject(event: Event) -> None:
        if event.row == "starttls-ready":
            stream = clients[0]._stream
            assert stream is not None
            stream.data_received(b"250 injected\r\n")

    async def connecting(port: int) -> None:
        how = Options(security="starttls", tls=tls.trusting, timeout=2.0, observer=inject)
        clients.append(AsyncClient("127.0.0.1", port, how))
        with pytest.raises(UnexpectedReply, match="before the handshake"):
            await clients[0].connect()

    with ScriptedServer(script) as server:
        asyncio.run(connecting(server.port))


def test_a_connection_that_ends_with_the_handshake(
    tls: Tls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """asyncio gives no transport then."""

    async def nothing(*_: object, **__: object) -> None:
        return None

    monkeypatch.setattr(asyncio.BaseEventLoop, "start_tls", nothing)
    script = (*GREETING, *ehlo("STARTTLS"), Line(b"STARTTLS"), Say(b"220 go\r\n"), Hold())

    async def connecting(port: int) -> None:
        how = Options(security="starttls", tls=tls.trusting, timeout=2.0)
        with pytest.raises(HandshakeFailed, match="was closed"):
            await AsyncClient("127.0.0.1", port, how).connect()

    with ScriptedServer(script) as server:
        asyncio.run(connecting(server.port))


def test_no_time_left_to_read() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.send(b"late")
        wait = Wait(1.0)
        wait.deadline = time.monotonic() - 1.0
        assert Timed(ours).read(wait) is None


def test_something_is_there_and_it_is_no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with the session tickets of TLS 1.3, or half a record."""
    monkeypatch.setattr("fsm_smtp.client.channel.readable", lambda _: True)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert Timed(ours).glance() is None
        theirs.close()
        assert Timed(ours).glance() == b""


@pytest.mark.parametrize("kind", [Timed, KernelTimed])
def test_a_peer_that_takes_in_nothing(kind: type[Timed]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        began = time.monotonic()
        assert kind(ours).write(b"x" * 10_000_000, 0.2) is None
        assert time.monotonic() - began < 5


def test_the_kernel_keeps_the_time() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        moved = channel(ours)
        assert isinstance(moved, KernelTimed)
        assert moved.glance() is None
        assert moved.read(Wait(0.05)) is None
        theirs.send(b"250 ok\r\n")
        assert moved.glance() == b"250 ok\r\n"
        assert moved.write(b"QUIT\r\n", 1.0) is True
        theirs.close()
        assert moved.read(Wait(1.0)) in (b"", b"QUIT")
        assert moved.glance() == b""


def test_elsewhere_python_keeps_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        moved = channel(ours)
        assert type(moved) is Timed
        assert moved.read(Wait(0.05)) is None
        theirs.send(b"250 ok\r\n")
        assert moved.read(Wait(1.0)) == b"250 ok\r\n"
