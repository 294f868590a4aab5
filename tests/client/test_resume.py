"""A message sent again and again: nobody is forgotten, and nobody gets it twice."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_smtp.client import Fate, Options, Recipient, Resume, SendResult
from fsm_smtp.client.result import Outcome
from fsm_smtp.errors import InvalidContent
from fsm_smtp.testing.scripted import (
    ENVELOPE,
    GOODBYE,
    OPENING,
    Answer,
    Body,
    Close,
    Line,
    Say,
    ScriptedServer,
    answers,
)
from tests.client.driver import SENDER, client

NAMES = tuple(f"r{number}@example.test" for number in range(4))
FATES: dict[str, tuple[Outcome, bool]] = {
    "accepted": ("accepted", False),
    "for now": ("refused", False),
    "for good": ("refused", True),
    "unknown": ("unknown", False),
}


def result(names: tuple[str, ...], kinds: list[str]) -> SendResult:
    fates = [
        Fate(name, FATES[kind][0], None, FATES[kind][1])
        for name, kind in zip(names, kinds, strict=True)
    ]
    return SendResult(SENDER, tuple(fates))


@given(st.data(), st.booleans())
def test_nobody_twice_and_nobody_forgotten(data: st.DataObject, again: bool) -> None:
    recipients: list[str | Recipient] = [*NAMES[:3], Recipient(NAMES[3], notify=["NEVER"])]
    resumed = Resume(io.BytesIO(b"x"), SENDER, recipients, again_if_unknown=again)
    taken: list[str] = []
    final: dict[str, str] = {}
    for attempt in range(6):
        if resumed.done:
            break
        message = resumed.attempt()
        assert isinstance(message.source, io.BytesIO)
        assert message.source.read() == b"x"
        asked = message.addresses
        assert resumed.attempts == attempt + 1
        assert asked == tuple(name for name in NAMES if name not in final)
        kinds = [data.draw(st.sampled_from(sorted(FATES))) for _ in asked]
        resumed.take(result(asked, kinds))
        for name, kind in zip(asked, kinds, strict=True):
            if kind == "accepted":
                assert name not in taken
                taken.append(name)
            if kind in ("accepted", "for good") or (kind == "unknown" and not again):
                final[name] = kind
        assert resumed.pending == tuple(name for name in NAMES if name not in final)
    assert [fate.recipient for fate in resumed.fates] == list(NAMES)
    if resumed.done:
        with pytest.raises(ValueError, match="every recipient"):
            resumed.attempt()


def test_the_result_of_another_message_is_not_taken() -> None:
    resumed = Resume(b"x", SENDER, NAMES)
    resumed.attempt()
    with pytest.raises(ValueError, match="not the result"):
        resumed.take(result(NAMES[:1], ["accepted"]))


def test_content_that_is_used_up() -> None:
    resumed = Resume(iter([b"x"]), SENDER, NAMES)
    resumed.attempt()
    resumed.take(result(NAMES, ["for now"] * 4))
    with pytest.raises(InvalidContent, match="read once"):
        resumed.attempt()


def test_both_adapters_resume(adapter: str) -> None:
    """Cut off, then half refused, then accepted: three sessions, and one of them is kept."""
    two = answers((b"MAIL", b"250 ok\r\n"), (b"RCPT", b"250 ok\r\n"), (b"RCPT", b"450 later\r\n"))
    first = (*OPENING, Line(b"MAIL"), Close())
    content = (*answers((b"DATA", b"354 go\r\n")), Body(), Say(b"250 taken\r\n"))
    second = (*OPENING, *two, *content, *ENVELOPE, Body(), Say(b"250 taken\r\n"), *GOODBYE)
    resumed = Resume(b"hello\r\n", SENDER, NAMES[:2])
    with (
        ScriptedServer(first, second, (*OPENING, Answer())) as server,
        client(adapter, server.port, Options(timeout=2.0)) as one,
    ):
        assert not one.resume(resumed).all_accepted
        assert resumed.pending == NAMES[:2]
        assert not one.resume(resumed).all_accepted
        assert resumed.pending == NAMES[1:2]
        assert one.resume(resumed).all_accepted
        assert resumed.done
        one.quit()
    assert [fate.outcome for fate in resumed.fates] == ["accepted", "accepted"]
    rcpts = server.taken[1].octets.count(b"RCPT TO:<r0@")
    assert rcpts == 1
