"""Runs: the same as command by command, decided once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsm_smtp.ahead import Pipeline, Runs, runs_of, shape, shared_pipeline
from fsm_smtp.configuration import Configuration
from fsm_smtp.errors import MalformedReply
from fsm_smtp.wire import ReplyParser
from fsm_smtp.wire.replies import tidy
from tests.ahead.test_flight import ready


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return shared_pipeline()


@pytest.fixture(scope="module")
def runs(pipeline: Pipeline) -> Runs:
    return runs_of(pipeline)


@pytest.mark.parametrize(
    ("end", "state"), [("send_data", "SMTP_DATA"), ("send_bdat_last", "SMTP_SEND_MESSAGE")]
)
def test_a_run_lands_where_its_commands_do(
    pipeline: Pipeline, runs: Runs, end: str, state: str
) -> None:
    start = ready(pipeline)
    wanted = shape(False, "send_mail", 3, end)
    run = runs.find(start.confirmed, None, wanted)
    assert run is not None
    flight = start
    for trigger in wanted.triggers:
        flight = pipeline.send(flight, trigger)
    assert (run.begun, run.sent) == (flight.confirmed, flight.outstanding)
    for trigger in wanted.triggers:
        last = "reply_354" if trigger == "send_data" else "reply_2yz"
        flight = pipeline.answer(flight, last).flight
    assert run.landed is flight.confirmed
    assert flight.confirmed.state == state
    assert runs.find(start.confirmed, None, wanted) is run, "worked out once"


def test_a_run_that_may_not_be_sent(pipeline: Pipeline, runs: Runs) -> None:
    """Behind a chunk MAIL needs RSET, in a run as by itself."""
    first = runs.find(
        ready(pipeline).confirmed, None, shape(False, "send_mail", 1, "send_bdat_last")
    )
    assert first is not None
    after: Configuration = first.after
    for reset in (False, True):
        wanted = shape(reset, "send_mail", 1, "send_bdat_last")
        assert (runs.find(after, "send_bdat_last", wanted) is not None) == reset


LINES = st.sampled_from(
    (
        *(b"250 ok\r\n", b"250 2.1.0 fine\r\n", b"250-two\r\n250 lines\r\n", b"250\r\n"),
        *(
            b"354 go\r\n",
            b"421 bye\r\n",
            b"550 no\r\n",
            b"250 \xff\r\n",
            b"garbage\r\n",
            b"250 half",
        ),
    )
)


@given(st.lists(LINES, max_size=6), st.integers(1, 4), st.booleans())
@settings(max_examples=300)
def test_what_is_taken_together_is_what_would_be_taken_singly(
    lines: list[bytes], count: int, opens: bool
) -> None:
    wanted = shape(False, "send_mail", count - 1, "send_data" if opens else "send_bdat_last")
    together, singly = ReplyParser(), ReplyParser()
    octets = b"".join(lines)
    together.feed(octets)
    singly.feed(octets)
    replies = len(wanted.triggers)
    found = together.take(wanted.hoped, replies)
    if isinstance(found, bytes):
        expected = [singly.next_reply() for _ in range(replies)]
        assert tidy(found) == expected[-1]
        assert all(reply is not None and reply.first_digit in (2, 3) for reply in expected)
        assert together.buffered == singly.buffered
        return
    assert together.buffered == octets, "nothing is taken"
    if not found:  # more has to come, and what is here is no refusal
        assert octets.count(b"\n") < replies


def test_a_dead_parser_and_an_endless_line() -> None:
    wanted = shape(False, "send_mail", 1, "send_data")
    parser = ReplyParser()
    parser.feed(b"2" * 3000)
    assert parser.take(wanted.hoped, 3) is True
    with pytest.raises(MalformedReply, match="more replies"):
        parser.feed(b"2" * 2_000_000)
    assert parser.take(wanted.hoped, 3) is True
