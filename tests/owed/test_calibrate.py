"""What a server has chosen is found out by asking: tried on servers whose choices are known."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsm_smtp.owed import Calibration, Instance, Judgement, calibrate, probes
from tests.owed.machines import ALL, CORE, MODEL, SETS, choices, difference

Ask = Callable[[tuple[str, ...]], Sequence[str]]


def asked(server: Instance, extensions: frozenset[str] = CORE) -> Calibration:
    """The calibration of a server that is a known machine."""
    return calibrate(MODEL, extensions, server.run)


def answering(server: Instance, **otherwise: str) -> Ask:
    """The machine, save that an input has this outcome, which changes nothing else."""

    def ask(sequence: tuple[str, ...]) -> Sequence[str]:
        outputs = server.run(sequence)
        return [otherwise.get(name, word) for name, word in zip(sequence, outputs, strict=True)]

    return ask


@settings(max_examples=60, deadline=None)
@given(choices(CORE))
def test_the_choices_of_any_server_are_recovered(chosen: dict[str, str]) -> None:
    server = MODEL.instantiate(chosen, CORE)
    found = asked(server)
    assert difference(server, MODEL.instantiate(found.choices, CORE)) is None
    assert all(one.judgement is Judgement.DISCOURAGED for one in found.findings)
    for probe in found.probes:
        if found.choices[probe.point] != chosen[probe.point]:
            # Only where nothing that the server does tells the two answers apart.
            other = {**found.choices, probe.point: chosen[probe.point]}
            assert difference(server, MODEL.instantiate(other, CORE)) is None


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(SETS).flatmap(lambda some: st.tuples(st.just(some), choices(some))))
def test_with_extensions_too(drawn: tuple[frozenset[str], dict[str, str]]) -> None:
    extensions, chosen = drawn
    server = MODEL.instantiate(chosen, extensions)
    found = asked(server, extensions)
    assert difference(server, MODEL.instantiate(found.choices, extensions)) is None


def test_what_an_outcome_has_shown_tells_too() -> None:
    """DATA refused, then opened: the first has given the transaction up, whatever 354 would do."""
    chosen = {
        "ehlo": "refused",
        "helo": "refused",
        "mail-wrong-before-hello/mail_unknown_parameter": "borne",
        "mail-nested/mail_unknown_parameter": "anew",
        "rcpt-before-hello[tls=no]": "refused-5yz",
        "data-with-argument-early[transaction=none]": "borne",
        "data-with-argument-early[transaction=open]": "borne",
        "data-without-mail": "opened",
        "data-without-recipient": "given-up",
    }
    probe = next(
        one
        for one in asked(MODEL.instantiate(chosen, CORE)).probes
        if one.point == "data-without-recipient"
    )
    assert probe.chosen == "given-up"
    assert probe.certain


def test_a_refused_data_is_told_by_what_follows() -> None:
    """554 to DATA may keep the transaction or give it up: a RCPT behind it shows which."""
    for name in ("refused", "given-up"):
        found = asked(MODEL.instantiate({"data-without-recipient": name}, CORE))
        probe = next(one for one in found.probes if one.point == "data-without-recipient")
        assert probe.chosen == name
        assert probe.certain
        (first, _), (second, _) = probe.sequences
        assert first == ("ehlo", "mail", "data")
        assert second[: len(first)] == first


def test_a_choice_that_does_not_tell_where_it_is_first_met_is_told_elsewhere() -> None:
    """Before EHLO this server takes MAIL and no RCPT, so a RCPT there shows nothing."""
    chosen = {
        "mail-before-hello[tls=no]": "accepted",
        "rcpt-before-hello[tls=no]": "refused-5yz",
        "mail-nested/mail": "anew",
        "data-with-argument-early[transaction=none]": "borne",
        "data-with-argument-early[transaction=open]": "borne",
        "data-without-recipient": "given-up",
    }
    found = asked(MODEL.instantiate(chosen, CORE))
    assert found.choices["data-without-recipient"] == "given-up"


def test_each_probe_says_what_was_played_and_seen() -> None:
    server = MODEL.instantiate({}, CORE)
    for probe in asked(server).probes:
        assert probe.certain
        for sequence, outcomes in probe.sequences:
            assert outcomes == server.run(sequence)


def test_an_outcome_that_is_not_owed_is_a_finding_and_testing_goes_on() -> None:
    """A server that says 354 to MAIL inside a transaction, and means nothing by it."""
    server = MODEL.instantiate({}, CORE)

    def ask(sequence: tuple[str, ...]) -> Sequence[str]:
        outcomes = list(server.run(sequence))
        for number in range(1, len(sequence)):
            if sequence[number - 1 : number + 1] == ("mail", "mail"):
                outcomes[number] = "354"
        return outcomes

    found = calibrate(MODEL, CORE, ask)
    (finding,) = found.findings
    assert finding.sequence == ("ehlo", "mail", "mail")
    assert (finding.outcome, finding.judgement) == ("354", Judgement.VIOLATION)
    assert (finding.entry.id, finding.entry.rfc) == ("mail-nested", "5321 §4.1.4")
    # 354 is nearest to an acceptance.
    assert found.choices["mail-nested/mail"] == "anew"
    assert asked(server).choices == {**found.choices, "mail-nested/mail": "refused"}


@pytest.mark.parametrize(
    ("outcome", "judgement", "chosen"),
    [
        ("500", None, "refused"),
        ("599", Judgement.UNLISTED, "refused"),
        ("421", Judgement.POLICY, "refused"),
        ("closed", Judgement.VIOLATION, "refused"),
        ("354", Judgement.VIOLATION, "borne"),
        ("malformed", Judgement.VIOLATION, "refused"),
    ],
)
def test_what_an_outcome_makes_of_a_point(
    outcome: str, judgement: Judgement | None, chosen: str
) -> None:
    server = MODEL.instantiate({}, CORE)
    found = calibrate(MODEL, CORE, answering(server, too_long=outcome))
    here = [one for one in found.findings if one.entry.id == "too-long"]
    assert [one.judgement for one in here] == ([judgement] if judgement else [])
    probe = next(one for one in found.probes if one.point == "too-long")
    assert probe.certain == (judgement is None)
    assert probe.sequences == ((("too_long",), (outcome,)),)
    assert probe.chosen == chosen


def test_a_server_that_cannot_be_talked_to_ends_too() -> None:
    found = calibrate(MODEL, ALL, lambda sequence: ["421"] + ["closed"] * (len(sequence) - 1))
    assert not any(probe.certain for probe in found.probes)
    assert {one.judgement for one in found.findings} <= {Judgement.POLICY}


def test_the_questions_can_be_played_by_anybody() -> None:
    """The generator asks, whoever plays answers: under asyncio just as well."""
    server = MODEL.instantiate({"mail-nested/mail": "anew"}, CORE)
    questions = probes(MODEL, CORE)
    sequence = next(questions)
    result: Calibration | None = None
    while result is None:
        try:
            sequence = questions.send(server.run(sequence))
        except StopIteration as stop:
            result = stop.value
    assert result.choices["mail-nested/mail"] == "anew"
