"""How far the client runs ahead in each depth, and what it does with each kind of server."""

from collections.abc import Iterator

import pytest

from fsm_smtp.client import Extensions, Message, SendResult
from fsm_smtp.client.delivery import Reach
from fsm_smtp.client.delivery.reach import SWALLOWED
from fsm_smtp.client.options import Depth
from tests.client.delivery.simulated import (
    Faults,
    Link,
    Server,
    bad_recipients,
    deliver,
    delivering,
    message,
)

DEPTHS: tuple[Depth, ...] = ("lockstep", "group", "full", "window")
THREE = tuple(message(number) for number in range(3))


@pytest.mark.parametrize("depth", DEPTHS)
def test_every_depth_delivers_the_same(depth: Depth) -> None:
    server = Server()
    results = deliver(server, THREE, depth)
    assert all(result.all_accepted for result in results)
    assert [result.sender for result in results] == [each.sender for each in THREE]
    assert [(t.sender, t.recipients) for t in server.taken] == [
        (each.sender, each.addresses) for each in THREE
    ]
    assert [taken.content for taken in server.taken] == [each.source for each in THREE]


def verbs(octets: bytes) -> list[str]:
    """The first words of the lines of a write that are commands."""
    words = [line.split(b" ")[0].decode() for line in octets.split(b"\r\n")]
    return [word for word in words if word in ("RSET", "MAIL", "RCPT", "DATA", "BDAT", ".")]


@pytest.mark.parametrize(
    ("depth", "writes"),
    [
        ("lockstep", [["MAIL"], ["RCPT"], ["DATA"], ["."]] * 2),
        ("group", [["MAIL", "RCPT", "DATA"], ["."]] * 2),
        ("full", [["MAIL", "RCPT", "DATA"], [".", "MAIL", "RCPT", "DATA"], ["."]]),
        ("window", [["MAIL", "RCPT", "BDAT", "RSET", "MAIL", "RCPT", "BDAT"]]),
    ],
)
def test_what_goes_in_one_write(depth: Depth, writes: list[list[str]]) -> None:
    server = Server()
    deliver(server, THREE[:2], depth)
    assert [verbs(octets) for octets in server.writes[1:]] == writes


def test_chunks_wait_for_the_envelope_s_replies() -> None:
    """RFC 3030 §2; BDAT LAST and the next envelope go in one write."""
    wanted = [
        Message.of(each.source, each.sender, each.recipients, Extensions(chunking=True))
        for each in THREE[:2]
    ]
    server = Server()
    assert all(result.all_accepted for result in deliver(server, wanted, "full"))
    assert [verbs(octets) for octets in server.writes[1:]] == [
        ["MAIL", "RCPT"],
        ["BDAT", "RSET", "MAIL", "RCPT"],
        ["BDAT"],
    ]


def test_without_the_offer_it_is_lock_step() -> None:
    server = Server(offers=("8BITMIME",))
    deliver(server, THREE[:1], "window")
    assert [verbs(octets) for octets in server.writes[1:]] == [["MAIL"], ["RCPT"], ["DATA"], ["."]]


@pytest.mark.parametrize("depth", DEPTHS)
def test_refused_recipients_are_refused_alone(depth: Depth) -> None:
    server = Server(faults=(Faults(bad_recipients),))
    mixed = [message(0, "bad1@a.test", "good1@a.test"), message(1, "good2@a.test", "bad2@a.test")]
    first, second = deliver(server, mixed, depth)
    assert [fate.outcome for fate in first.fates] == ["refused", "accepted"]
    assert [fate.outcome for fate in second.fates] == ["accepted", "refused"]
    assert [taken.recipients for taken in server.taken] == [("good1@a.test",), ("good2@a.test",)]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("barren", [False, True])
def test_no_message_joins_another_s_transaction(depth: Depth, barren: bool) -> None:
    """All RCPT of message 1 refused: an honest server would put RCPT 2 under the sender of 1."""
    server = Server(faults=(Faults(bad_recipients, open_barren=barren),))
    first, second = deliver(server, [message(1, "bad@a.test"), message(2)], depth)
    assert first.recipients("refused") == ("bad@a.test",)
    assert second.all_accepted
    assert [(taken.sender, taken.content) for taken in server.taken] == [
        (message(2).sender, message(2).source)
    ]
    if barren and depth in ("group", "full"):
        assert server.heard.count("(content)") == 2, "the lone dot, and message 2"


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_refused_sender_refuses_all(depth: Depth) -> None:
    server = Server(faults=(Faults(bad_recipients),))
    letters = [message(1, sender="bad@a.test"), message(2)]
    first, second = deliver(server, letters, depth)
    assert [(f.outcome, f.reply.code) for f in first.fates if f.reply] == [("refused", 550)]
    assert second.all_accepted


@pytest.mark.parametrize("depth", ["group", "full"])
def test_354_to_a_doomed_data_ends_the_connection(depth: Depth) -> None:
    """MAIL was refused: a lone dot would send an empty message."""
    server = Server(faults=(Faults(bad_recipients, open_always=True, accept_end=True),))
    first, second = deliver(server, [message(1, sender="bad@a.test"), message(2)], depth)
    assert first.recipients("refused") == message(1).addresses
    assert second.all_accepted
    assert server.connections == 2
    assert len(server.taken) == 1


def test_a_server_that_refuses_what_stands_behind_an_end_of_data() -> None:
    """As Haraka does: the message is taken back, delivered once, and it is not tried again."""
    server = Server(faults=(Faults(behind_end="refused"),))
    reach = Reach()
    results = deliver(server, THREE, "full", reach=reach)
    assert all(result.all_accepted for result in results)
    assert [taken.sender for taken in server.taken] == [each.sender for each in THREE]
    assert reach.behind_end is False
    assert (server.connections, server.heard.count("DATA")) == (1, 4)


def test_a_server_that_throws_away_what_stands_behind_an_end_of_data() -> None:
    """As Courier does: one short wait, one new connection, and each message once."""
    server = Server(faults=(Faults(behind_end="swallowed"),))
    link, reach = Link(server), Reach()
    results = list(delivering(link, THREE, None, reach=reach))
    assert all(result.all_accepted for result in results)
    assert [taken.sender for taken in server.taken] == [each.sender for each in THREE]
    assert (reach.behind_end, server.connections) == (False, 2)
    assert [seconds for seconds in link.waits if seconds < 60] == [SWALLOWED]


@pytest.mark.parametrize("many", [False, True])
def test_a_server_that_refuses_groups_and_closes(many: bool) -> None:
    server = Server(faults=(Faults(no_groups=True),))
    reach = Reach()
    results = deliver(server, THREE[: 3 if many else 1], reach=reach, many=many)
    assert all(result.all_accepted for result in results)
    assert (reach.groups, server.connections) == (False, 2)
    assert [taken.sender for taken in server.taken] == [r.sender for r in results]


def test_what_was_learned_is_kept() -> None:
    reach = Reach()
    deliver(Server(), THREE, reach=reach)
    assert reach.behind_end is True


def test_a_message_that_cannot_be_sent_has_its_result_in_its_turn() -> None:
    """Octets above 127, and no 8BITMIME."""
    eight_bit = Message.of("ä".encode() + b"\r\n", "s@a.test", "r@a.test")
    for depth in DEPTHS:
        server = Server(offers=("PIPELINING", "CHUNKING"))
        results = deliver(server, [THREE[0], eight_bit, THREE[1]], depth)
        assert [result.all_accepted for result in results] == [True, False, True], depth
        assert "8BITMIME" in str(results[1].error)


@pytest.mark.parametrize("depth", DEPTHS)
def test_many_recipients_and_long_content(depth: Depth) -> None:
    server = Server(faults=(Faults(bad_recipients, chatter=True, piece=100),))
    many = [
        message(n, *(f"{'bad' if i % 7 == n else 'r'}{i}@a.test" for i in range(700)), size=size)
        for n, size in enumerate((0, 40_000, 600_000))
    ]
    for sent, result in zip(many, deliver(server, many, depth), strict=True):
        refused = {a for a in sent.addresses if a.startswith("bad")}
        assert set(result.recipients("refused")) == refused
        assert set(result.recipients("accepted")) == set(sent.addresses) - refused
    assert [taken.content for taken in server.taken] == [each.source for each in many]


def test_messages_that_break_off_lose_nothing() -> None:
    """What their iterator raises is raised once all that was sent has its result."""

    class BrokenError(Exception):
        pass

    def messages() -> Iterator[Message]:
        yield from THREE
        raise BrokenError

    for depth in DEPTHS:
        results: list[SendResult] = []
        with pytest.raises(BrokenError):
            results.extend(delivering(Link(Server()), messages(), depth))
        assert len(results) == 3
