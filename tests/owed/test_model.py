"""Points: the choices that the RFCs leave, how to come to each, and what a choice makes."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsm_smtp.owed import CLOSED, UNSENT, Judgement, ServerModel, judge
from fsm_smtp.table import load_table
from tests.owed.machines import ALL, CORE, MODEL, SETS, points


@pytest.mark.parametrize("extensions", SETS, ids=lambda some: "-".join(sorted(some)) or "core")
def test_the_way_to_a_point_leads_there(extensions: frozenset[str]) -> None:
    """With the answers that the way needs, the server stands where the point's entry is owed."""
    found = points(extensions)
    assert len({one.id for one in found}) == len(found)
    for point in found:
        assert len(point.alternatives) > 1
        machine = MODEL.instantiate(point.given, extensions)
        state = machine.initial
        for name in point.access:
            assert machine.outputs[state, name] != UNSENT
            state = machine.next[state, name]
        assert machine.owed[state, point.input] == point.entry


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_choice_is_what_the_server_answers(data: st.DataObject) -> None:
    point = data.draw(st.sampled_from(points(ALL)))
    answer = data.draw(st.sampled_from(point.alternatives))
    machine = MODEL.instantiate({**point.given, point.id: answer.name}, ALL)
    outputs = machine.run((*point.access, point.input))
    assert outputs[-1] == answer.word
    assert point.entry.answer(answer.name) is answer


def test_an_answer_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="the point too-long has no answer 'maybe'"):
        MODEL.instantiate({"too-long": "maybe"}, CORE)
    entry = next(one.entry for one in points(CORE) if one.id == "too-long")
    with pytest.raises(KeyError, match="entry too-long has no answer 'maybe'"):
        entry.answer("maybe")


def test_a_table_that_does_not_say_what_a_server_owes() -> None:
    with pytest.raises(ValueError, match="does not say what a server owes"):
        ServerModel.of(replace(load_table(), read_server=lambda _: None))


def test_tls_begins_the_session_anew() -> None:
    """RFC 3207 §4.2: EHLO, authentication and transaction are forgotten; STARTTLS is over."""
    machine = MODEL.instantiate({}, ALL)
    sequence = ("ehlo", "auth", "mail", "starttls", "rcpt", "ehlo", "auth", "mail", "starttls")
    outputs = ("2yz", "235", "2yz", "220", "5yz", "2yz", "235", "2yz", "5yz")
    assert machine.run(sequence) == outputs


def test_a_challenge_is_answered_by_a_response_and_nothing_else() -> None:
    """RFC 4954 §4: whatever comes, the exchange is over behind it; once there is a success, 503."""
    machine = MODEL.instantiate({}, ALL)
    for name, output in (("response", "235"), ("cancel", "5yz"), ("ehlo", "5yz"), ("quit", "5yz")):
        again = "5yz" if output == "235" else "334"
        sequence = ("ehlo", "auth_bare", name, "auth_bare")
        assert machine.run(sequence) == ("2yz", "334", output, again)


def test_chunks_and_data_do_not_mix() -> None:
    """RFC 3030 §2: no DATA and no RCPT behind a chunk; RSET drops what was sent."""
    machine = MODEL.instantiate({}, ALL)
    way = ("ehlo", "mail", "rcpt", "bdat")
    assert machine.run((*way, "data", "rcpt", "bdat_end"))[4:] == ("5yz", "5yz", "2yz")
    assert machine.run((*way, "rset", "bdat", "mail"))[4:] == ("2yz", "5yz", "2yz")


def test_a_chunk_that_failed_leaves_only_rset() -> None:
    machine = MODEL.instantiate({"bdat[greeted=ehlo]": "failed-5yz"}, ALL)
    way = ("ehlo", "mail", "rcpt", "bdat")
    assert machine.run((*way, "bdat", "rcpt", "mail", "noop", "rset", "mail"))[3:] == (
        *("5yz", "5yz", "5yz", "5yz"),
        *("2yz", "2yz", "2yz"),
    )


def test_behind_quit_there_is_nobody_whatever_is_sent() -> None:
    machine = MODEL.instantiate({}, ALL)
    assert set(machine.run(("quit", *machine.inputs))[1:]) == {CLOSED}


@pytest.mark.parametrize(
    ("outcome", "judgement"),
    [
        ("250", Judgement.VIOLATION),
        ("503", Judgement.ALLOWED),
        ("5yz", Judgement.ALLOWED),
        ("550", Judgement.UNLISTED),
        ("530", Judgement.POLICY),
        ("421", Judgement.POLICY),
    ],
)
def test_what_an_outcome_is_worth(outcome: str, judgement: Judgement) -> None:
    """AUTH in a transaction: 503, says RFC 4954 §4."""
    standing = ("command", ("ehlo", "no", "no", "open", "none"))
    entry = MODEL.owed(standing, "auth")
    assert entry is not None
    assert entry.id == "auth-in-transaction"
    assert judge(MODEL.server, entry, outcome) is judgement
    assert entry.allows(outcome) == (judgement is Judgement.ALLOWED)
