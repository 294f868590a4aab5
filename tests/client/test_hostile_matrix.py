"""Every state in which a client waits, and every lie that a server may tell there.

In memory every state meets every lie; over sockets, in both adapters, each state that
`test_hostile` does not visit meets one lie of each kind.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_smtp.client import Credentials, Extensions, Options
from fsm_smtp.client.dialogue import Dialogue
from fsm_smtp.client.dialogue.chunks import CHUNK
from fsm_smtp.client.message import Message
from fsm_smtp.client.requests import Flow
from fsm_smtp.client.result import SendResult
from fsm_smtp.command import SMTPCommand
from fsm_smtp.configuration import Configuration
from fsm_smtp.errors import (
    CommandRefused,
    ConnectionLost,
    MalformedReply,
    ProtocolError,
    Rejected,
    ReplyTimeout,
    UnexpectedReply,
)
from fsm_smtp.machine import shared_machine
from fsm_smtp.session import Event, Session
from fsm_smtp.testing.scripted import Body, Close, Hold, Line, Say, ScriptedServer, Step
from fsm_smtp.testing.strategies import chunkings
from fsm_smtp.vocabulary import Vocabulary
from fsm_smtp.wire import commands
from tests.client.driver import RECIPIENTS, SENDER, AnyClient, client
from tests.client.inmemory import run

Flows = Callable[[Dialogue], Flow[object]]

PASSWORD = "hunter2-correct-horse"
WHO = Credentials("user", PASSWORD)
OK, GO, NO = b"250 ok\r\n", b"354 go\r\n", b"550 no\r\n"
CHALLENGE = b"334 VXNlcm5hbWU6\r\n"
GREETING = b"220 mx\r\n"
EHLO = b"250-mx\r\n250-STARTTLS\r\n250-CHUNKING\r\n250 AUTH LOGIN PLAIN\r\n"
LHLO = b"250 mx\r\n"


def sending(
    wishes: Extensions | None = None, pieces: int = 1
) -> Callable[[Dialogue], Flow[object]]:
    """Send one message to two recipients."""
    size = CHUNK if pieces > 1 else 5
    content = [b"x" * size] * pieces

    def flow(dialogue: Dialogue) -> Flow[object]:
        return dialogue.send(Message.of(content, SENDER, RECIPIENTS, wishes))

    return flow


CHUNKED = Extensions(chunking=True)


@dataclass(frozen=True)
class Scene:
    """A state in which the client waits.

    Attributes:
        before: what the server says until then, greeting and all.
        right: what it should say now.
        flow: what the client does once the session is open; ``None`` while it opens.
        act: the same, by a client over a socket; ``None`` where TLS would be needed.
        how: the client's options.
    """

    before: tuple[bytes, ...]
    right: bytes
    flow: Flows | None = None
    act: Callable[[AnyClient], object] | None = None
    how: dict[str, Any] = field(default_factory=dict)


def command(line: str) -> Flows:
    return lambda dialogue: dialogue.command(commands.custom(line))


def logging_in(name: str) -> Flows:
    return lambda dialogue: dialogue.login(WHO, (name,))


def letter(client: AnyClient, **wishes: Any) -> object:
    return client.send_message([b"hello"], SENDER, RECIPIENTS, extensions=Extensions(**wishes))


LMTP = {"protocol": "lmtp"}
OPEN = (GREETING, EHLO)
TWO = (*OPEN, OK, OK, OK)
SCENES: dict[str, Scene] = {
    "greeting": Scene((), GREETING),
    "EHLO": Scene((GREETING,), EHLO),
    "HELO": Scene((GREETING, b"500 what\r\n"), OK, act=lambda client: client.noop()),
    "STARTTLS": Scene(OPEN, b"220 go\r\n", lambda dialogue: dialogue.secure()),
    "EHLO under TLS": Scene((*OPEN, b"220 go\r\n"), EHLO, how={"security": "starttls"}),
    "AUTH": Scene(OPEN, b"235 in\r\n", logging_in("PLAIN"), lambda c: c.auth("PLAIN", WHO)),
    "challenge": Scene(OPEN, CHALLENGE, logging_in("LOGIN"), lambda c: c.auth("LOGIN", WHO)),
    "response": Scene((*OPEN, CHALLENGE), CHALLENGE, logging_in("LOGIN")),
    "MAIL": Scene(OPEN, OK, sending()),
    "RCPT": Scene((*OPEN, OK), OK, sending()),
    "second RCPT": Scene((*OPEN, OK, OK), OK, sending()),
    "DATA": Scene(TWO, GO, sending()),
    "content": Scene((*TWO, GO), OK, sending()),
    "BDAT": Scene(TWO, OK, sending(CHUNKED, 2)),
    "BDAT LAST": Scene((*TWO, OK), OK, sending(CHUNKED, 2)),
    "only BDAT": Scene(TWO, OK, sending(CHUNKED), lambda c: letter(c, chunking=True)),
    "RSET": Scene((*OPEN, OK, NO, NO), OK, sending(), letter),
    "NOOP": Scene(OPEN, OK, command("NOOP"), lambda c: c.noop()),
    "VRFY": Scene(OPEN, OK, command("VRFY x"), lambda c: c.vrfy("x")),
    "private": Scene(OPEN, OK, command("XOWN"), lambda c: c.custom("XOWN")),
    "QUIT": Scene(OPEN, b"221 bye\r\n", lambda dialogue: dialogue.quit(), lambda c: c.quit()),
    "LMTP content": Scene((GREETING, LHLO, OK, OK, OK, GO), OK, sending(), letter, LMTP),
    "LMTP second": Scene((GREETING, LHLO, OK, OK, OK, GO, OK), OK, sending(), how=LMTP),
}
EVERY = pytest.mark.parametrize("name", SCENES)

#: How an honest server goes on.
HONEST = {b"DATA": GO, b"QUIT": b"221 bye\r\n", b"AUTH": b"235 in\r\n", b"EHLO": EHLO}


class Lying:
    """A server that is honest, but for one answer."""

    def __init__(self, before: tuple[bytes, ...], *lie: bytes | None) -> None:
        self._says: list[bytes | None] = [*before, *lie]
        self._honest_from = len(before) + len(lie)
        self._waits_at = len(before) + 1
        self._turn = 0
        self.session: Session | None = None
        self.waits_in: Configuration | None = None  # when the lie is told
        self.after: list[bytes] = []  # what it was sent once the lie had been told

    def __call__(self, octets: bytes) -> bytes | None:
        self._turn += 1
        assert self.session is not None
        if self._turn == self._waits_at:
            self.waits_in = self.session.configuration
        if self._turn <= self._honest_from:
            return self._says[self._turn - 1]
        if not octets:
            return None
        self.after.append(octets)
        if self.session.state is SMTPCommand.AUTH:
            return b"501 cancelled\r\n" if octets == b"*\r\n" else b"235 in\r\n"
        return HONEST.get(octets[:4].upper(), OK)


@dataclass
class Seen:
    """What came of it."""

    dialogue: Dialogue
    server: Lying
    told: list[Event]
    value: object = None
    error: ProtocolError | None = None

    @property
    def what(self) -> ProtocolError | None:
        """The error, raised or in the result."""
        return self.value.error if isinstance(self.value, SendResult) else self.error

    @property
    def outcomes(self) -> tuple[str, ...]:
        if not isinstance(self.value, SendResult):
            return ()
        return tuple(fate.outcome for fate in self.value.fates)


def played(scene: Scene, *lie: bytes | None) -> Seen:
    told: list[Event] = []
    options = Options(clear_auth=True, observer=told.append, **scene.how)
    seen = Seen(Dialogue(options), Lying(scene.before, *lie), told)
    seen.server.session = seen.dialogue.session
    try:
        run(seen.dialogue.open(), seen.server)
        if scene.flow is not None:
            seen.value = run(scene.flow(seen.dialogue), seen.server)
    except ProtocolError as error:
        seen.error = error
    shown = f"{told!r} {seen.error!r} {seen.error} {seen.value!r} {options!r}"
    for secret in (PASSWORD, base64.b64encode(PASSWORD.encode()).decode()):
        assert secret not in shown
    return seen


def over(seen: Seen, kind: type[ProtocolError], name: str) -> None:
    """Nothing was sent behind the lie, and only closing is left."""
    if name == "QUIT":  # whose callers have their fates already
        assert (seen.value, seen.error) == (None, None)
    else:
        assert type(seen.what) is kind
        assert getattr(seen.what, "state", None) is not None
    assert seen.server.after == []
    assert set(seen.dialogue.session.legal) <= {"close", "connect", "connect_tls"}
    if "content" in name or name in ("BDAT LAST", "only BDAT"):
        assert seen.outcomes == ("unknown", "unknown")
    elif name == "LMTP second":
        assert seen.outcomes == ("accepted", "unknown")
    else:
        assert seen.outcomes in ((), ("refused", "refused"))


# -- in memory -----------------------------------------------------------------------------------

MALFORMED = {
    "four digits": b"2500 ok\r\n",
    "plus": b"+25 ok\r\n",
    "space": b" 25 ok\r\n",
    "underscore": b"2_5 ok\r\n",
    "000": b"000 ok\r\n",
    "199": b"199 ok\r\n",
    "260": b"260 ok\r\n",
    "650": b"650 ok\r\n",
    "999": b"999 ok\r\n",
    "mixed codes": b"250-a\r\n251 b\r\n",
    "bare LF": b"250 ok\n",
    "bare CR": b"250 o\rk\r\n",
    "NUL": b"250 o\0k\r\n",
    "no separator": b"250ok\r\n",
    "empty line": b"\r\n",
    "HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46\n",
    "1 MB": b"250 " + b"x" * 1_000_000,
    "wide digits": "２５０ ok\r\n".encode(),
}


@EVERY
def test_octets_that_are_no_reply(name: str) -> None:
    for octets in MALFORMED.values():
        over(played(SCENES[name], octets), MalformedReply, name)


@EVERY
def test_lines_without_end(name: str) -> None:
    over(played(SCENES[name], *[b"250-more\r\n" * 1000] * 10), MalformedReply, name)


@EVERY
def test_the_end_and_silence(name: str) -> None:
    """At once, and after half a reply."""
    for half in ((), (b"2",), (b"250-half\r\n",), (b"250 ok\r",)):
        over(played(SCENES[name], *half, b""), ConnectionLost, name)
        over(played(SCENES[name], *half, None), ReplyTimeout, name)


CODES = (
    *(220, 221, 235, 250, 251, 259, 334, 354, 355, 421),
    *(450, 452, 500, 502, 503, 504, 521, 535, 550, 559),
)


def verdict(seen: Seen, code: int) -> str | None:
    """Whose violation the table says that this code is, where it was said."""
    assert seen.server.waits_in is not None
    machine = shared_machine(seen.dialogue.options.policies())
    row = machine.step(seen.server.waits_in, Vocabulary(machine.table).reply(code)).row
    assert row is not None
    return row.violation


@EVERY
def test_every_code(name: str) -> None:
    """What the table calls a violation ends the session; what it does not is an answer."""
    scene = SCENES[name]
    final = "content" in name or name in ("BDAT LAST", "only BDAT", "LMTP second")
    for code in CODES:
        seen = played(scene, b"%d so be it\r\n" % code)
        if name != "QUIT" and verdict(seen, code) == "server":
            over(seen, UnexpectedReply, name)
        else:
            assert not isinstance(seen.what, UnexpectedReply | MalformedReply), code
        if final and code // 100 in (2, 4, 5):
            last = "accepted" if code < 300 else "refused"
            if name == "LMTP content" and code != 421:
                assert seen.outcomes == (last, "unknown")  # the second answer does not come
            else:
                first = "accepted" if name == "LMTP second" else last
                assert seen.outcomes == (first, last)
        elif not final and isinstance(seen.value, SendResult) and code >= 400:
            assert "unknown" not in seen.outcomes
        if code == 421:
            assert set(seen.dialogue.session.legal) <= {"send_quit", "close"}
            assert all(line == b"QUIT\r\n" for line in seen.server.after)


@EVERY
def test_one_reply_too_many(name: str) -> None:
    """In the same segment. It answers nothing that comes later."""
    scene = SCENES[name]
    for extra in (b"250 ok\r\n", b"235 in\r\n", b"354 go\r\n", b"550 no\r\n"):
        seen = played(scene, scene.right + extra)
        if name == "LMTP content" and not extra.startswith(b"3"):
            continue  # it is the second recipient's
        said = [event for event in seen.told if event.who == "S"]
        if name == "STARTTLS":
            assert type(seen.what) is UnexpectedReply
        if isinstance(seen.what, UnexpectedReply):
            assert set(seen.dialogue.session.legal) <= {"close"}
        else:
            # The dialogue was over; what came on top of it is seen before anything else is sent.
            assert said
            with pytest.raises((UnexpectedReply, CommandRefused, Rejected)):
                run(seen.dialogue.command(commands.noop()), seen.server)
        assert all(b"DATA" not in line or name == "DATA" for line in seen.server.after)


@EVERY
def test_421_on_top_of_the_right_reply(name: str) -> None:
    """It is legal at any time, and nothing but QUIT is sent behind it."""
    scene = SCENES[name]
    seen = played(scene, scene.right + b"421 bye\r\n")
    if name == "STARTTLS":
        assert type(seen.what) is UnexpectedReply
        return
    if "send_quit" in seen.dialogue.session.legal:
        run(seen.dialogue.quit(), seen.server)
    sent = [line[:4] for line in seen.server.after if line[:4] != b"QUIT"]
    assert sent == [] or name in ("DATA", "LMTP content")
    assert not seen.dialogue.session.may("send_mail") or name == "QUIT"


@given(st.data(), st.sampled_from(sorted(SCENES)))
def test_how_octets_are_cut_does_not_matter(data: st.DataObject, name: str) -> None:
    scene = SCENES[name]
    whole = played(scene, scene.right)
    cut = played(scene, *data.draw(chunkings(scene.right)))
    assert (type(cut.what), cut.outcomes) == (type(whole.what), whole.outcomes)
    assert cut.dialogue.session.configuration == whole.dialogue.session.configuration
    assert [event.text for event in cut.told] == [event.text for event in whole.told]


# -- in both adapters ----------------------------------------------------------------------------

LIES: dict[str, tuple[tuple[Step, ...], type[ProtocolError] | None]] = {
    "malformed": ((Say(b"250 ok\n"), Hold()), MalformedReply),
    "3yz": ((Say(b"355 more\r\n"), Hold()), UnexpectedReply),
    "closed": ((Close(),), ConnectionLost),
    "reset": ((Close(reset=True),), ConnectionLost),
    "silence": ((Hold(),), ReplyTimeout),
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("name", [name for name, scene in SCENES.items() if scene.act])
def test_in_both_adapters(adapter: str, name: str, lie: str) -> None:
    scene, (steps, kind) = SCENES[name], LIES[lie]
    assert scene.act is not None
    script: list[Step] = []
    for number, says in enumerate(scene.before):
        script += [*([Line()] if number else []), Say(says)]
    script += [Body() if "content" in name else Line(), *steps]
    how = Options(timeout=0.4 if lie == "silence" else 5.0, clear_auth=True, **scene.how)
    with ScriptedServer(tuple(script)) as server, client(adapter, server.port, how) as one:
        seen: list[ProtocolError | None] = []
        try:
            one.connect()
            value = scene.act(one)
            seen.append(value.error if isinstance(value, SendResult) else None)
        except ProtocolError as error:
            seen.append(error)
        if name == "QUIT":
            assert seen == [None]
        else:
            assert type(seen[0]) is kind
        assert not one.is_connected
        assert one.session.legal == ("connect", "connect_tls")


def test_the_scenes_are_what_they_say() -> None:
    """With the right reply each of them goes well."""
    for name, scene in SCENES.items():
        last = (scene.right, OK) if name == "LMTP content" else (scene.right,)
        seen = played(scene, *last)
        assert seen.what is None, (name, seen.what)
        if isinstance(seen.value, SendResult):
            expected = "refused" if name == "RSET" else "accepted"
            assert set(seen.outcomes) == {expected}, name
