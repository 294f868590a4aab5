"""Running ahead, command by command: what may be sent, what replies mean, who is doomed."""

import pytest

from fsm_smtp.ahead import Answer, Flight, Pipeline, shared_pipeline
from fsm_smtp.errors import CommandRefused

OPENING = ("connect", "reply_220", "send_ehlo", "reply_2yz", "offer_chunking")


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return shared_pipeline()


def ready(pipeline: Pipeline, *, pipelining: bool = True) -> Flight:
    """Greeted, with nothing outstanding."""
    offers = ("offer_pipelining", "offers_end") if pipelining else ("offers_end",)
    return play(pipeline, pipeline.begin(), *OPENING, *offers).flight


def play(pipeline: Pipeline, flight: Flight, *events: str) -> Answer:
    """What the last of these events does."""
    answer = None
    for event in events:
        if event.startswith("reply"):
            answer = pipeline.answer(flight, event)
            flight = answer.flight
        elif event.startswith("offer"):
            flight = pipeline.pass_on(flight, event)
        elif event in ("eof", "timeout", "close"):
            answer = pipeline.end(flight, event)
            flight = answer.flight
        else:
            flight = pipeline.send(flight, event)
    step = pipeline.machine.step(flight.confirmed, "eof")
    return (
        Answer(flight, answer.sent, answer.step, answer.disputed)
        if answer
        else Answer(flight, None, step)
    )


ENVELOPE = ("send_mail", "send_rcpt")


def test_a_group_goes_out_before_any_reply(pipeline: Pipeline) -> None:
    """MAIL, RCPT, RCPT, DATA in one write (RFC 2920 §3.1); then four replies."""
    flight = play(pipeline, ready(pipeline), *ENVELOPE, "send_rcpt", "send_data").flight
    assert [sent.trigger for sent in flight.outstanding] == [*ENVELOPE, "send_rcpt", "send_data"]
    assert flight.confirmed.state == "SMTP_MAIL"
    assert flight.confirmed["awaiting"] == "reply"
    flight = play(pipeline, flight, "reply_2yz", "reply_5yz", "reply_2yz", "reply_354").flight
    assert flight.outstanding == ()
    assert pipeline.may(flight, "send_content")


def test_nothing_follows_what_must_end_a_group(pipeline: Pipeline) -> None:
    flight = play(pipeline, ready(pipeline), *ENVELOPE, "send_data").flight
    for trigger in pipeline.machine.client_triggers:
        hindrance = pipeline.hindrance(flight, trigger)
        assert hindrance is not None
        assert hindrance.rule == "group", trigger


def test_what_must_begin_a_group_follows_nothing(pipeline: Pipeline) -> None:
    flight = play(pipeline, ready(pipeline), "send_mail").flight
    for trigger in ("send_dot", "send_content", "close"):
        hindrance = pipeline.hindrance(flight, trigger)
        assert hindrance is not None
        assert hindrance.rule == "group"


def test_without_the_offer_it_is_lock_step(pipeline: Pipeline) -> None:
    flight = play(pipeline, ready(pipeline, pipelining=False), "send_mail").flight
    hindrance = pipeline.hindrance(flight, "send_rcpt")
    assert hindrance is not None
    assert hindrance.rule == "pipelining"
    with pytest.raises(CommandRefused, match="did not offer PIPELINING"):
        pipeline.send(flight, "send_rcpt")


def test_the_order_is_the_machine_s(pipeline: Pipeline) -> None:
    flight = play(pipeline, ready(pipeline), "send_mail").flight
    hindrance = pipeline.hindrance(flight, "send_data")
    assert hindrance is not None
    assert hindrance.rule == "order"


def test_the_next_message_joins_no_earlier_transaction(pipeline: Pipeline) -> None:
    """The naive form delivers message 2 under the sender of message 1, on an honest server.

    All RCPT of 1 refused, MAIL 2 answered 503 as nested, RCPT 2 and BDAT LAST 2 accepted: MAIL 2
    cannot be sent behind BDAT LAST 1, and RSET makes it a transaction of its own.
    """
    flight = play(pipeline, ready(pipeline), *ENVELOPE, "send_bdat_last").flight
    hindrance = pipeline.hindrance(flight, "send_mail")
    assert hindrance is not None
    assert hindrance.rule == "behind"
    flight = play(pipeline, flight, "send_rset", *ENVELOPE, "send_bdat_last").flight
    first = ("reply_2yz", "reply_5yz", "reply_5yz", "reply_2yz")  # MAIL RCPT BDAT RSET
    flight = play(pipeline, flight, *first).flight
    assert flight.confirmed.state == "SMTP_MAIL"
    assert flight.confirmed["transaction"] == "none"
    answer = play(pipeline, flight, "reply_2yz", "reply_2yz", "reply_2yz")
    assert answer.flight.confirmed.state == "SMTP_SEND_MESSAGE"
    assert answer.flight.trusted


def test_an_end_of_data_ends_its_transaction_whatever_the_reply(pipeline: Pipeline) -> None:
    flight = play(pipeline, ready(pipeline), *ENVELOPE, "send_data")
    flight = play(pipeline, flight.flight, "reply_2yz", "reply_2yz", "reply_354", "send_content")
    for reply in ("reply_2yz", "reply_5yz", "reply_4yz"):
        end = play(pipeline, flight.flight, "send_dot", *ENVELOPE, "send_data", reply).flight
        assert not any(sent.doomed for sent in end.outstanding)


def test_doom_belongs_to_the_message(pipeline: Pipeline) -> None:
    """RSET refused, MAIL 2 refused as nested: RCPT 2 would be legal in what is left of 1."""
    flight = play(pipeline, ready(pipeline), *ENVELOPE, "send_rset", *ENVELOPE).flight
    flight = play(pipeline, flight, "reply_2yz", "reply_2yz", "reply_5yz").flight
    assert [sent.doomed for sent in flight.outstanding] == [True, True]
    flight = play(pipeline, flight, "reply_5yz").flight
    (rcpt,) = flight.outstanding
    assert rcpt.doomed
    refused = play(pipeline, flight, "reply_5yz").flight
    assert refused.confirmed["transaction"] == "recipient"
    assert pipeline.machine.allows(refused.confirmed, "send_rcpt")
    hindrance = pipeline.hindrance(refused, "send_rcpt")
    assert hindrance is not None
    assert hindrance.rule == "doomed"
    assert pipeline.may(refused, "send_rset")


def test_a_doomed_command_that_is_accepted_is_a_disagreement(pipeline: Pipeline) -> None:
    flight = play(pipeline, ready(pipeline), *ENVELOPE, "send_data").flight
    answer = play(pipeline, flight, "reply_5yz", "reply_2yz")
    assert answer.sent is not None
    assert (answer.sent.doomed, answer.disputed) == (True, True)
    after = play(pipeline, answer.flight, "reply_5yz").flight
    assert pipeline.may(after, "send_rset")
    assert not any(pipeline.may(after, t) for t in ("send_mail", "send_rcpt", "send_data"))
    again = play(pipeline, after, "send_rset", "reply_2yz", "send_mail").flight
    hindrance = pipeline.hindrance(again, "send_rcpt")
    assert hindrance is not None
    assert hindrance.rule == "distrust"


def test_a_lone_dot_when_every_recipient_was_refused(pipeline: Pipeline) -> None:
    flight = play(pipeline, ready(pipeline), *ENVELOPE, "send_data").flight
    opened = play(pipeline, flight, "reply_2yz", "reply_5yz", "reply_354").flight
    assert not pipeline.may(opened, "send_content")
    ended = play(pipeline, opened, "send_dot", "reply_5yz").flight
    assert pipeline.may(ended, "send_mail")


@pytest.mark.parametrize("rcpt", ["reply_2yz", "reply_5yz"])
def test_no_dot_without_a_mail_that_was_accepted(pipeline: Pipeline, rcpt: str) -> None:
    """An empty message would go out: the connection is dropped, and nothing is sent."""
    flight = play(pipeline, ready(pipeline), *ENVELOPE, "send_data").flight
    opened = play(pipeline, flight, "reply_5yz", rcpt, "reply_354").flight
    legal = [t for t in pipeline.machine.client_triggers if pipeline.may(opened, t)]
    assert legal == ["close"]


def test_421_in_the_middle_of_a_group(pipeline: Pipeline) -> None:
    flight = play(pipeline, ready(pipeline), *ENVELOPE, "send_rcpt", "send_data").flight
    flight = play(pipeline, flight, "reply_2yz", "reply_421").flight
    assert all(sent.doomed for sent in flight.outstanding)
    row = play(pipeline, flight, "eof").step.row
    assert row is not None
    assert row.violation is None
    for reply in ("reply_421", "reply_5yz", "reply_2yz"):
        closing = play(pipeline, flight, reply, reply).flight
        legal = [t for t in pipeline.machine.client_triggers if pipeline.may(closing, t)]
        assert legal == ["send_quit", "close"]


def test_a_chunk_in_one_group_with_its_envelope_departs_from_its_rfc(pipeline: Pipeline) -> None:
    flight = play(pipeline, ready(pipeline), *ENVELOPE).flight
    departure = pipeline.departure(flight, "send_bdat_last")
    assert departure is not None
    assert departure.rfc == "3030 §2"
    chunk = play(pipeline, flight, "send_bdat").flight
    assert pipeline.departure(chunk, "send_bdat_last") is not None
    flight = play(pipeline, flight, "reply_2yz", "reply_2yz").flight
    assert pipeline.departure(flight, "send_bdat_last") is None
    assert pipeline.departure(flight, "send_rset") is None
    behind = play(pipeline, flight, "send_bdat_last", "send_rset", "send_mail", "reply_2yz").flight
    behind = play(pipeline, behind, "reply_2yz", "reply_2yz").flight
    assert pipeline.departure(play(pipeline, behind, "send_rcpt").flight, "send_bdat") is not None


def test_a_reply_that_nobody_asked_for(pipeline: Pipeline) -> None:
    answer = play(pipeline, ready(pipeline), "reply_2yz")
    assert answer.sent is None
    assert answer.step.row is not None
    assert answer.step.row.violation == "server"


@pytest.mark.parametrize("end", ["eof", "timeout", "close"])
def test_an_end_leaves_nothing_outstanding(pipeline: Pipeline, end: str) -> None:
    flight = play(pipeline, ready(pipeline), *ENVELOPE, "send_data").flight
    answer = play(pipeline, flight, end)
    assert answer.flight.outstanding == ()
    assert answer.sent is not None
    assert answer.sent.trigger == "send_mail"


def test_what_cannot_happen_is_refused(pipeline: Pipeline) -> None:
    flight = pipeline.begin()
    with pytest.raises(CommandRefused):
        pipeline.answer(flight, "reply_2yz")
    with pytest.raises(CommandRefused):
        pipeline.end(flight, "timeout")
    with pytest.raises(CommandRefused):
        pipeline.pass_on(flight, "offers_end")


def test_flights_are_values_and_forget_what_is_over(pipeline: Pipeline) -> None:
    one = play(pipeline, ready(pipeline), *ENVELOPE).flight
    other = play(pipeline, ready(pipeline), *ENVELOPE, "send_rset", *ENVELOPE).flight
    other = play(pipeline, other, "reply_2yz", "reply_2yz", "reply_2yz").flight
    assert len({one, other, ready(pipeline)}) == 2
    assert other.confirmed.state == "SMTP_MAIL"
