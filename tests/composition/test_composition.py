"""Client and server together: what holds, what a window risks, and that a wrong rule is noticed."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from fsm_smtp.ahead import Pipeline, shared_pipeline
from fsm_smtp.composition import Bounds, Composition, Deviation, compose, load_deviations
from fsm_smtp.machine import ProtocolMachine
from fsm_smtp.table import Trigger

#: Three in the air show every rule at work; `make exam` goes to eight.
OUTSTANDING = 3


@pytest.fixture(scope="module")
def deviations() -> Mapping[str, Deviation]:
    return load_deviations(shared_pipeline().machine.table)


def test_with_an_honest_server_every_claim_holds_to_any_depth_of_window() -> None:
    composition = compose(bounds=Bounds(OUTSTANDING))
    assert composition.broken is None
    assert composition.nodes > 5_000  # it has been somewhere


@pytest.mark.parametrize("name", load_deviations(shared_pipeline().machine.table))
def test_within_the_rfcs_no_deviating_server_loses_or_mixes_messages(
    name: str, deviations: Mapping[str, Deviation]
) -> None:
    composition = compose(None, Bounds(2, departing=False), deviations[name])
    assert composition.broken is None, composition.run


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        ("rset-refused", "own-envelope"),
        ("rset-forgets-nothing", "own-envelope"),
        ("refused-mail-opens", "own-envelope"),
        ("refused-content-kept", "own-envelope"),
    ],
)
def test_a_window_that_departs_from_rfc_3030_trusts_the_server(
    name: str, claim: str, deviations: Mapping[str, Deviation]
) -> None:
    """Why `window` is no default: behind these servers one message mixes with another."""
    composition = compose(None, Bounds(4), deviations[name])
    assert composition.broken is not None
    assert composition.broken.id == claim


# -- the examiner examined -----------------------------------------------------------------------


Columns = Callable[[Trigger], Trigger]
Guards = Mapping[str, tuple[str, ...]]


def anywhere(trigger: Trigger) -> Trigger:
    return replace(trigger, group="anywhere")


def unbound(trigger: Trigger) -> Trigger:
    return replace(trigger, message=None)


def unfollowing(trigger: Trigger) -> Trigger:
    return replace(trigger, behind=())


def client(columns: Mapping[str, Columns], rows: Mapping[str, Guards] | None = None) -> Pipeline:
    """The rules of a client whose table has other columns for some triggers, or other guards."""
    table = shared_pipeline().machine.table
    triggers = dict(table.triggers)
    for name, change in columns.items():
        triggers[name] = change(triggers[name])
    changed = []
    for row in table.rows:
        guards = (rows or {}).get(row.id, {})
        when = tuple((name, guards.get(name, values)) for name, values in row.when)
        changed.append(replace(row, when=when))
    return Pipeline(ProtocolMachine(replace(table, triggers=triggers, rows=tuple(changed))))


WRONG: Mapping[str, tuple[Callable[[], Pipeline], str | None, str]] = {
    "MAIL follows anything": (lambda: client({"send_mail": unfollowing}), None, "own-envelope"),
    "doom is a command's and not a message's": (
        lambda: client({"send_rcpt": unbound, "send_bdat_last": unbound}),
        "rset-refused",
        "own-envelope",
    ),
    "the end of data before 354": (
        lambda: client(
            {"send_data": anywhere, "send_dot": anywhere}, {"dot": {"awaiting": ("reply",)}}
        ),
        None,
        "no-early-content",
    ),
    "content where every recipient was refused": (
        lambda: client({}, {"content": {"transaction": ("open", "recipient")}}),
        None,
        "lock-step",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_rule_is_noticed(name: str, deviations: Mapping[str, Deviation]) -> None:
    make, deviation, claim = WRONG[name]
    composition = compose(
        make(),
        Bounds(4, departing=deviation is None),
        deviations[deviation] if deviation else None,
        shared_pipeline().machine.table,
    )
    assert composition.broken is not None
    assert composition.broken.id == claim
    assert composition.run


def test_the_named_counterexample_is_found_when_the_rule_against_it_is_dropped() -> None:
    """All RCPT of message 1 refused, MAIL 2 answered as nested, message 2 taken under sender 1."""
    composition = compose(client({"send_mail": unfollowing}), Bounds(5))
    assert composition.broken is not None
    assert composition.broken.id == "own-envelope"
    sent = [text for who, text in composition.run if who == "C"]
    assert [text.split()[0] for text in sent].count("send_mail") == 2
    assert not any(text.startswith("send_rset") for text in sent)


def test_the_run_of_a_broken_claim_is_a_transcript(deviations: Mapping[str, Deviation]) -> None:
    composition = compose(None, Bounds(4), deviations["rset-forgets-nothing"])
    assert isinstance(composition, Composition)
    assert not composition.holds
    assert {who for who, _ in composition.run} == {"C", "S"}
    assert composition.run[-1].text.startswith("reply_2yz to send_bdat_last")
