"""Servers that lie, stall, babble and vanish: each ends in a typed error and a true fate, in time.

Every lie is told in every state, to both clients. After each the client says whether it is closed,
and if it is, it connects again and delivers.
"""

import time
import tracemalloc
from dataclasses import dataclass, field

import pytest

from fsm_smtp.client import Options, SendResult
from fsm_smtp.errors import (
    ConnectionLost,
    MalformedReply,
    ProtocolError,
    Rejected,
    ReplyTimeout,
    UnexpectedReply,
)
from fsm_smtp.session import Event
from fsm_smtp.testing.scripted import (
    DELIVERY,
    ENVELOPE,
    GOODBYE,
    GREETING,
    OPENING,
    Answer,
    Body,
    Close,
    Drip,
    Hold,
    Line,
    Pause,
    Say,
    Script,
    ScriptedServer,
    Step,
    answers,
    ehlo,
)
from tests.client.driver import RECIPIENTS, SENDER, AnyClient, client

HELLO = b"Subject: hello\r\n\r\n.hello\r\n"
#: No case may take longer; the silent ones wait for SECONDS.
LIMIT = 4.0
SECONDS = 0.4

Fates = tuple[str, ...]


@dataclass
class Visit:
    """What a client saw of a server, and what the server saw of it."""

    error: ProtocolError | None = None  # raised by connect
    result: SendResult | None = None
    legal: tuple[str, ...] = ()
    told: list[Event] = field(default_factory=list)
    octets: bytes = b""

    @property
    def what(self) -> ProtocolError | None:
        """The error, wherever it came."""
        return self.result.error if self.result else self.error

    @property
    def fates(self) -> Fates:
        return tuple(fate.outcome for fate in self.result.fates) if self.result else ()


def visit(
    adapter: str,
    *script: Step,
    content: bytes = HELLO,
    recipients: tuple[str, ...] = RECIPIENTS,
    seconds: float = SECONDS,
) -> Visit:
    """Send a message to a server that follows *script*; then one to an honest server."""
    seen = Visit()
    options = Options(timeout=seconds, observer=seen.told.append)
    honest = (*OPENING, Answer())
    started = time.monotonic()
    with (
        ScriptedServer(script, honest) as server,
        client(adapter, server.port, options) as sender,
    ):
        try:
            sender.connect()
            seen.result = sender.send_message(content, SENDER, recipients)
        except ProtocolError as error:
            seen.error = error
        seen.legal = sender.session.legal
        closed_or_usable(sender)
        if seen.legal != CLOSED:
            sender.close()
        seen.octets = server.taken[0].octets
        sender.connect()
        assert sender.send_message(HELLO, SENDER, recipients).all_accepted
        sender.quit()
    assert time.monotonic() - started < LIMIT
    return seen


CLOSED = ("connect", "connect_tls")


def closed_or_usable(sender: AnyClient) -> None:
    legal = sender.session.legal
    assert legal == CLOSED or "send_quit" in legal
    if legal == CLOSED:
        with pytest.raises(RuntimeError, match="not connected"):
            sender.send_message(HELLO, SENDER, RECIPIENTS)


# -- every lie in every state --------------------------------------------------------------------

#: What comes before, and how many recipients there are.
STATES: dict[str, Script] = {
    "greeting": (),
    "EHLO": (*GREETING, Line(b"EHLO")),
    "MAIL": (*OPENING, Line(b"MAIL")),
    "RCPT": (*OPENING, *answers((b"MAIL", b"250 ok\r\n")), Line(b"RCPT")),
    "DATA": (
        *OPENING,
        *answers((b"MAIL", b"250 ok\r\n"), (b"RCPT", b"250 ok\r\n"), (b"RCPT", b"250 ok\r\n")),
        Line(b"DATA"),
    ),
    "content": (
        *OPENING,
        *answers((b"MAIL", b"250 ok\r\n"), (b"RCPT", b"250 ok\r\n"), (b"RCPT", b"250 ok\r\n")),
        *answers((b"DATA", b"354 go\r\n")),
        Body(),
    ),
}
IN_EVERY_STATE = pytest.mark.parametrize("state", STATES)

MALFORMED = {
    "four digits": b"2500 ok\r\n",
    "plus": b"+25 ok\r\n",
    "space": b" 25 ok\r\n",
    "underscore": b"2_5 ok\r\n",
    "000": b"000 ok\r\n",
    "650": b"650 ok\r\n",
    "999": b"999 ok\r\n",
    "260": b"260 ok\r\n",
    "mixed codes": b"250-a\r\n251 b\r\n",
    "bare LF": b"250 ok\n",
    "bare CR": b"250 o\rk\r\n",
    "NUL": b"250 o\0k\r\n",
    "no separator": b"250ok\r\n",
    "comma": b"250,ok\r\n",
    "empty line": b"\r\n",
    "HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46\n",
    "1 MB line": b"250 " + b"x" * 1_000_000 + b"\r\n",
}


def expect_no_message(seen: Visit, state: str, kind: type[ProtocolError]) -> None:
    """The session broke in this state, before any answer to the content."""
    assert type(seen.what) is kind
    assert seen.legal == CLOSED
    expected = {"greeting": (), "EHLO": (), "content": ("unknown",) * 2}
    assert seen.fates == expected.get(state, ("refused",) * 2)


@IN_EVERY_STATE
@pytest.mark.parametrize("lie", MALFORMED)
def test_octets_that_are_no_reply(adapter: str, state: str, lie: str) -> None:
    seen = visit(adapter, *STATES[state], Say(MALFORMED[lie]), Hold())
    expect_no_message(seen, state, MalformedReply)


@IN_EVERY_STATE
@pytest.mark.parametrize("line", [b"250-more\r\n", b"x"], ids=["lines", "line"])
def test_endless_replies(adapter: str, state: str, line: bytes) -> None:
    endless = Say(line * (65536 // len(line)), times=500)
    tracemalloc.start()
    try:
        seen = visit(adapter, *STATES[state], endless, Hold())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    expect_no_message(seen, state, MalformedReply)
    assert peak < 2 * 1024 * 1024


@IN_EVERY_STATE
def test_silence(adapter: str, state: str) -> None:
    seen = visit(adapter, *STATES[state], Hold())
    expect_no_message(seen, state, ReplyTimeout)
    assert isinstance(seen.what, ReplyTimeout)
    assert seen.what.seconds == SECONDS


@IN_EVERY_STATE
def test_an_octet_at_a_time_does_not_stretch_the_wait(adapter: str, state: str) -> None:
    seen = visit(adapter, *STATES[state], Drip(b"250-" + b"x" * 500, SECONDS / 10), Hold())
    expect_no_message(seen, state, ReplyTimeout)


@IN_EVERY_STATE
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("before", [b"", b"2", b"250-half\r\n"], ids=["nothing", "digit", "line"])
def test_the_connection_ends(adapter: str, state: str, reset: bool, before: bytes) -> None:
    told = (Say(before),) if before else ()
    seen = visit(adapter, *STATES[state], *told, Close(reset=reset))
    expect_no_message(seen, state, ConnectionLost)
    assert isinstance(seen.what, ConnectionLost)
    # A reset may come while the connection is still being made.
    early = reset and state == "greeting"
    assert seen.what.who == "server" or (early and seen.what.who == "network")


def answered(state: str, code: int) -> tuple[type[ProtocolError] | None, Fates]:
    """What a well-formed answer means, by its first digit and the codes that change the mode."""
    digit = code // 100
    takes = {"greeting": code == 220, "DATA": code == 354}.get(state, digit == 2)
    if takes:
        return None, ("accepted",) * 2
    if digit < 4:
        fates = {"greeting": (), "EHLO": (), "content": ("unknown",) * 2}
        return UnexpectedReply, fates.get(state, ("refused",) * 2)
    if state in ("greeting", "EHLO"):
        return Rejected, ()
    if state == "RCPT" and code != 421:
        return None, ("refused", "accepted")
    return None, ("refused", "refused")


@IN_EVERY_STATE
@pytest.mark.parametrize("code", [220, 221, 235, 250, 334, 354, 355, 421, 450, 550, 554])
def test_every_class_of_answer_in_every_state(adapter: str, state: str, code: int) -> None:
    seen = visit(adapter, *STATES[state], Say(b"%d so be it\r\n" % code), Answer())
    error, fates = answered(state, code)
    assert (type(seen.what) if seen.what else None) is error
    assert seen.fates == fates
    if seen.result is not None:
        for fate in seen.result.fates:
            if fate.outcome == "refused" and error is None:
                assert fate.reply is not None
                assert fate.reply.code == code
                assert fate.permanent == (code >= 500)


@IN_EVERY_STATE
@pytest.mark.parametrize(
    "text",
    [b"", b" caf\xe9 \xff\xfe", b" \x1b[31mred", b" " + b"x" * 3000],
    ids=["bare code", "8-bit", "control", "long"],
)
def test_untidy_answers_are_borne_and_noted(adapter: str, state: str, text: bytes) -> None:
    code = {"greeting": b"220", "DATA": b"354"}.get(state, b"250")
    seen = visit(adapter, *STATES[state], Say(code + text + b"\r\n"), Answer())
    assert seen.fates == ("accepted", "accepted")
    (noted,) = [event for event in seen.told if event.notes and event.who == "S"]
    assert noted.text.isascii() or noted.text.isprintable()


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_the_end_at_every_octet(adapter: str, reset: bool) -> None:
    """Of all that an honest server says, down to its 221."""
    script = (*DELIVERY, *GOODBYE)
    said = [step.octets for step in script if isinstance(step, Say)]
    whole = b"".join(said)
    greeted, opened = sum(map(len, said[:2])), whole.index(b"354 go\r\n") + 8
    taken = whole.index(b"250 taken\r\n") + 11
    for offset in range(len(whole) + 1):
        told: list[Event] = []
        options = Options(timeout=LIMIT, observer=told.append)
        with (
            ScriptedServer(script, cut=offset, reset=reset) as server,
            client(adapter, server.port, options) as sender,
        ):
            result, error = None, None
            try:
                sender.connect()
                result = sender.send_message(HELLO, SENDER, RECIPIENTS[:1])
                sender.quit()
            except ProtocolError as raised:
                error = raised
            if offset < greeted:
                assert isinstance(error, ConnectionLost), offset
                assert result is None
            else:
                assert error is None, (offset, error)
                assert result is not None
                (fate,) = result.fates
                ended = any(event.row == "dot" for event in told)
                expected = "unknown" if ended else "refused"
                assert fate.outcome == ("accepted" if offset >= taken else expected), offset
                # At 354 itself the end may be seen in time, or not.
                assert ended == (offset >= opened) or offset == opened
                assert (result.error is None) == (offset >= taken)
            assert sender.session.legal == CLOSED, offset


# -- too many, too few ---------------------------------------------------------------------------


def test_two_greetings_at_once(adapter: str) -> None:
    seen = visit(adapter, Say(b"220 hi\r\n220 hi again\r\n"), Hold())
    assert type(seen.what) is UnexpectedReply
    assert seen.octets == b""
    assert seen.legal == CLOSED


def test_421_behind_the_greeting(adapter: str) -> None:
    seen = visit(adapter, Say(b"220 hi\r\n421 too busy\r\n"), Hold())
    assert type(seen.what) is Rejected
    assert b"EHLO" not in seen.octets


@pytest.mark.parametrize("state", ["EHLO", "MAIL", "RCPT", "content"])
def test_an_answer_too_many(adapter: str, state: str) -> None:
    """In one segment: it is seen before anything else is sent, or at the end."""
    seen = visit(adapter, *STATES[state], Say(b"250 ok\r\n250 ok\r\n"), Answer())
    if state == "content":
        assert seen.fates == ("accepted", "accepted")
    else:
        assert type(seen.what) is UnexpectedReply
        assert seen.fates in ((), ("refused", "refused"))
        assert b"DATA" not in seen.octets
        assert seen.legal == CLOSED


@pytest.mark.parametrize("apart", [0.0, 0.1], ids=["one segment", "two segments"])
def test_an_answer_before_the_end_of_data_is_none_to_it(adapter: str, apart: float) -> None:
    """250 behind the 354 does not mean that the message was taken."""
    one = (Say(b"354 go\r\n250 taken\r\n"),)
    two = (Say(b"354 go\r\n"), Say(b"250 taken\r\n"))
    script = (*STATES["DATA"], *(two if apart else one), Hold())

    def slowly() -> bytes:
        time.sleep(apart)
        return HELLO

    with (
        ScriptedServer(script) as server,
        client(adapter, server.port, Options(timeout=SECONDS)) as sender,
    ):
        sender.connect()
        result = sender.send_message((slowly() for _ in range(1)), SENDER, RECIPIENTS)
        assert type(result.error) is UnexpectedReply
        assert [fate.outcome for fate in result.fates] == ["refused", "refused"]
        assert sender.session.legal == CLOSED


def test_an_answer_too_few(adapter: str) -> None:
    """The first RCPT gets none: no answer is taken for another command's."""
    seen = visit(adapter, *STATES["RCPT"], Line(b"RCPT"), Say(b"250 ok\r\n"), Hold())
    assert type(seen.what) is ReplyTimeout
    assert seen.fates == ("refused", "refused")


# -- in the middle of the content ----------------------------------------------------------------

LARGE = b"x" * 998 + b"\r\n"


@pytest.mark.parametrize("octets", [0, 1000, 300_000])
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_the_connection_ends_during_content(adapter: str, octets: int, reset: bool) -> None:
    seen = visit(
        adapter, *STATES["DATA"], Say(b"354 go\r\n"), Body(octets), Close(reset=reset),
        content=LARGE * 20_000, seconds=2.0,
    )  # fmt: skip
    assert type(seen.what) is ConnectionLost
    assert seen.fates == ("refused", "refused")
    assert seen.legal == CLOSED


@pytest.mark.parametrize("code", [421, 552])
@pytest.mark.parametrize("then", [Close(), Hold()], ids=["close", "hold"])
def test_the_server_gives_up_during_content(adapter: str, code: int, then: Step) -> None:
    seen = visit(
        adapter, *STATES["DATA"], Say(b"354 go\r\n"), Body(1000), Say(b"%d no more\r\n" % code),
        then, content=LARGE * 20_000, seconds=2.0,
    )  # fmt: skip
    assert isinstance(seen.what, Rejected | UnexpectedReply | ConnectionLost)
    assert seen.fates == ("refused", "refused")
    assert seen.legal == CLOSED
    assert len(seen.octets) < 19_000_000


def test_the_server_stops_reading(adapter: str) -> None:
    seen = visit(
        adapter,
        *STATES["DATA"],
        Say(b"354 go\r\n"),
        Pause(
            2.0
        ),  # longer than the write may take, shorter than that and the next greeting's wait
        content=LARGE * 20_000,
        seconds=1.0,
    )
    assert type(seen.what) is ReplyTimeout
    assert seen.fates == ("refused", "refused")
    assert seen.legal == CLOSED


def test_the_server_babbles_and_does_not_read(adapter: str) -> None:
    content = LARGE * 20_000
    tracemalloc.start()
    try:
        seen = visit(
            adapter, *STATES["DATA"], Say(b"354 go\r\n"), Say(b"2" * 65536, 400), content=content
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert type(seen.what) in (MalformedReply, ReplyTimeout)
    assert seen.fates == ("refused", "refused")
    # The scripted server is in this process: what the kernel's buffers held counts too.
    assert peak < len(content) / 2


# -- the end -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "row"),
    [
        ((Say(b"221 bye\r\n"), Close()), "quit-answered"),
        ((Close(),), "eof-before-221"),
        ((Close(reset=True),), "eof-before-221"),
        ((Say(b"421 bye\r\n"), Close()), "quit-answered"),
        ((Say(b"500 what?\r\n"), Hold()), "quit-answered"),
        ((Say(b"221 bye\r\n250 more\r\n"), Hold()), "quit-answered"),
        ((Say(b"354 go\r\n"), Hold()), "quit-intermediate"),
        ((Say(b"rubbish\r\n"), Hold()), "invalid"),
        ((Hold(),), "timeout"),
    ],
)
def test_quit_never_raises_and_the_observer_hears_what_came(
    adapter: str, last: Script, row: str
) -> None:
    """An error here would hide the fates that came before it, and mail would be sent twice."""
    events: list[Event] = []
    how = Options(timeout=SECONDS, observer=events.append)
    with (
        ScriptedServer((*OPENING, Line(b"QUIT"), *last)) as server,
        client(adapter, server.port, how) as sender,
    ):
        sender.connect()
        reply = sender.quit()
        assert (reply is not None) == (row == "quit-answered")
        assert row in [event.row for event in events]
        assert sender.session.legal == CLOSED
        assert sender.quit() is None


@pytest.mark.parametrize("all_refused", [True, False])
@pytest.mark.parametrize(
    "answer", [b"250 ok\r\n", b"500 no\r\n", b"421 no\r\n", b"354 go\r\n", b"", b"x\r\n"]
)
def test_rset_after_a_refusal(adapter: str, all_refused: bool, answer: bytes) -> None:
    """Whatever comes of RSET, the fates are those that were given before it."""
    envelope = answers(
        (b"MAIL", b"250 ok\r\n"),
        (b"RCPT", b"550 no\r\n"),
        (b"RCPT", b"450 later\r\n" if all_refused else b"250 ok\r\n"),
    )
    data = () if all_refused else answers((b"DATA", b"451 later\r\n"))
    then: Script = (Say(answer), Answer()) if answer else (Close(),)
    seen = visit(adapter, *OPENING, *envelope, *data, Line(b"RSET"), *then)
    assert seen.result is not None
    first, second = seen.result.fates
    assert (first.outcome, second.outcome) == ("refused", "refused")
    assert (first.permanent, second.permanent) == (True, False)
    assert second.reply is not None
    assert second.reply.code == (450 if all_refused else 451)


def test_the_server_of_these_tests_can_be_cut(adapter: str) -> None:
    server = ScriptedServer((*DELIVERY, *GOODBYE), cut=30)
    with client(adapter, server.port) as sender, pytest.raises(ConnectionLost):
        sender.connect()
    server.stop()
    assert server.taken[0].ended == "cut"
    assert ehlo()[0] == Line(b"EHLO")
    assert len(ENVELOPE) == 6
    assert Pause(0).seconds == 0
