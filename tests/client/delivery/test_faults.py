"""Any messages, any depth, any server: nothing is lost, nothing doubled, nothing guessed."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsm_smtp.client import Message, SendResult
from fsm_smtp.client.delivery import Reach
from fsm_smtp.client.options import Depth
from fsm_smtp.event import Event
from tests.client.delivery.simulated import Faults, Server, Taken, accepts, deliver, message

DEPTHS: tuple[Depth | None, ...] = ("lockstep", "group", "full", "window", None)


def moody(seed: int, refusals: float) -> Callable[[str, str], int]:
    """A server that refuses this share of what it could accept, the same each time."""
    random = Random(seed)

    def choose(verb: str, _argument: str) -> int:
        if verb == "RSET" or random.random() >= refusals:
            return 250
        return random.choice((421 + 29, 550, 452, 554))

    return choose


Shape = tuple[int, int]

#: A handful of messages: how many recipients and how many octets each has.
MAIL = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from((0, 0, 0, 10, 5_000, 20_000, 70_000))),
    min_size=1,
    max_size=12,
)

#: The same, so small that everything in the air fits into one write.
SMALL_MAIL = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 500)), min_size=1, max_size=12)


def made(shapes: list[Shape]) -> list[Message]:
    """Messages of these shapes, each of which can be told from all others."""
    return [
        message(number, *(f"r{number}.{i}@a.test" for i in range(recipients)), size=size)
        for number, (recipients, size) in enumerate(shapes)
    ]


@st.composite
def faults(draw: Any, *, cut: bool) -> Faults:
    """An honest server that may refuse anything, and breaks off somewhere."""
    return Faults(
        choose=moody(draw(st.integers(0, 1 << 16)), draw(st.sampled_from((0.0, 0.2, 0.6)))),
        cut=draw(st.none() | st.integers(1, 40)) if cut else None,
        shut=draw(st.none() | st.integers(1, 40)) if cut else None,
        behind_end=draw(st.sampled_from(("fine", "fine", "refused", "swallowed"))),
        open_barren=draw(st.booleans()),
        chatter=draw(st.booleans()),
        piece=draw(st.sampled_from((0, 0, 1, 7, 60))),
    )


def agree(messages: list[Message], results: list[SendResult], taken: list[Taken]) -> None:
    """What the client says and what the server holds are the same."""
    assert [result.sender for result in results] == [each.sender for each in messages]
    held = Counter((t.sender, each) for t in taken for each in t.recipients)
    assert set(held.values()) <= {1}, "delivered twice"
    contents = {each.sender: each.source for each in messages}
    for one in taken:
        assert one.content == contents[one.sender], "content under another envelope"
    for sent, result in zip(messages, results, strict=True):
        assert tuple(fate.recipient for fate in result.fates) == sent.addresses
        for fate in result.fates:
            key = (result.sender, fate.recipient)
            if fate.outcome == "accepted":
                assert key in held
            elif fate.outcome == "refused":
                assert key not in held
            else:
                assert result.error is not None, "unknown, and nothing was cut"


@given(MAIL, faults(cut=False), st.sampled_from(DEPTHS))
@settings(max_examples=150)
def test_an_honest_server(shapes: list[Shape], how: Faults, depth: Depth | None) -> None:
    messages = made(shapes)
    server = Server(faults=(how,))
    results = deliver(server, messages, depth)
    agree(messages, results, server.taken)
    assert not any(result.recipients("unknown") for result in results)


@given(MAIL, st.lists(faults(cut=True), min_size=1, max_size=4), st.sampled_from(DEPTHS))
@settings(max_examples=150)
def test_a_server_that_breaks_off(
    shapes: list[Shape], how: list[Faults], depth: Depth | None
) -> None:
    messages = made(shapes)
    server = Server(faults=(*how, Faults()))
    results = deliver(server, messages, depth)
    agree(messages, results, server.taken)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("end", [lambda at: Faults(cut=at), lambda at: Faults(shut=at)])
def test_an_end_at_every_point(depth: Depth | None, end: Callable[[int], Faults]) -> None:
    """The connection ends before each reply in turn, in silence or with 421."""
    messages = [message(number, "a@a.test", "b@a.test") for number in range(3)]
    for point in range(1, 18):
        server = Server(faults=(end(point), Faults()))
        results = deliver(server, messages, depth)
        agree(messages, results, server.taken)
        unknown = [r.sender for r in results if r.recipients("unknown")]
        assert len(unknown) <= (3 if depth == "window" else 1)


class _Deviant:
    """A server that answers anything to anything, and keeps no account."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def choose(self, _verb: str, _argument: str) -> int:
        return self.random.choice((250, 250, 250, 550, 451, 503))


#: A window trusts the server: which deviations it does not stand is proven in docs/composition.md.
CAREFUL = [depth for depth in DEPTHS if depth != "window"]


@given(MAIL, st.integers(0, 1 << 20), st.sampled_from(CAREFUL))
@settings(max_examples=150)
def test_a_server_that_keeps_no_account(
    shapes: list[Shape], seed: int, depth: Depth | None
) -> None:
    """It takes what it should refuse. Still no message goes under another one's envelope."""
    messages, random = made(shapes), Random(seed)
    deviant = _Deviant(random)
    how = Faults(
        deviant.choose,
        open_always=random.random() < 0.3,
        open_barren=random.random() < 0.5,
        accept_end=random.random() < 0.3,
        behind_end=random.choice(("fine", "refused", "swallowed")),
    )
    server = Server(faults=(how,))
    results = deliver(server, messages, depth)
    assert [result.sender for result in results] == [each.sender for each in messages]
    contents = {each.sender: each.source for each in messages}
    for one in server.taken:
        if one.recipients:
            assert one.content == contents[one.sender]
    for result in results:
        for fate in result.fates:
            if fate.outcome == "accepted":
                assert fate.reply is not None
                assert fate.reply.first_digit == 2


@given(MAIL, faults(cut=False))
@settings(max_examples=80)
def test_all_depths_come_to_the_same(shapes: list[Shape], how: Faults) -> None:
    """What a server says depends on the command alone here: so must what becomes of a message."""

    def by_name(verb: str, argument: str) -> int:
        return 550 if hash_of(verb + argument) % 5 == 0 and verb in ("MAIL", "RCPT") else 250

    messages = made(shapes)
    how.choose = by_name
    outcomes = [
        [result.fates for result in deliver(Server(faults=(how,)), messages, depth)]
        for depth in DEPTHS
    ]
    codes = [
        [[(f.recipient, f.outcome, f.reply and f.reply.code) for f in fates] for fates in one]
        for one in outcomes
    ]
    assert all(one == codes[0] for one in codes[1:])


@given(SMALL_MAIL, st.lists(faults(cut=True), min_size=1, max_size=3), st.sampled_from(DEPTHS))
@settings(max_examples=100)
def test_runs_are_a_short_cut_and_nothing_else(
    shapes: list[Shape], how: list[Faults], depth: Depth | None
) -> None:
    """With an observer every command and reply goes by itself: all else must be the same."""
    events: list[Event] = []
    sides: list[tuple[object, ...]] = []
    for observer in (None, events.append):
        seeds = [replace(one, choose=moody(number, 0.2)) for number, one in enumerate(how)]
        server = Server(faults=(*seeds, Faults()))
        results = deliver(server, made(shapes), depth, observer=observer)
        said = [(r.sender, r.fates, r.all_accepted, repr(r.error)) for r in results]
        sides.append((said, server.writes, server.heard, server.taken))
    assert sides[0] == sides[1]
    assert events


def hash_of(text: str) -> int:
    """A number that is the same in every run."""
    return sum(ord(character) * (place + 1) for place, character in enumerate(text))


def test_the_reach_is_one_server_s(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed, and what was learned outlives a connection."""
    reach = Reach()
    server = Server(faults=(Faults(cut=4, behind_end="refused"), Faults(behind_end="refused")))
    results = deliver(server, [message(n) for n in range(4)], reach=reach)
    assert reach.behind_end is False
    assert sum(result.all_accepted for result in results) >= 3
    assert accepts("", "") == 250
    assert capsys.readouterr().out == ""
