"""The shipped properties hold, none vacuously, on the base table and under every policy."""

import pytest

from fsm_smtp.table.properties import OUTSTANDING, Property
from tests.verify.tables import COMBINATIONS, failed, shipped, verified


@pytest.mark.parametrize("overlays", COMBINATIONS, ids="+".join)
def test_every_property_holds_and_none_vacuously(overlays: tuple[str, ...]) -> None:
    verification = verified(*overlays)
    assert not failed(verification)
    assert verification.holds
    assert {one.id for one in shipped(*overlays).properties} <= {c.id for c in verification.checks}


def test_there_are_enough_of_every_pattern() -> None:
    patterns = [one.pattern for one in shipped().properties]
    assert len(patterns) >= 45
    for pattern in ("absence", "precedence", "response", "existence", "universality", "permission"):
        assert patterns.count(pattern) >= 3, pattern


def _about(trigger: str, *patterns: str) -> list[Property]:
    return [
        one
        for one in shipped().properties
        if one.pattern in patterns and any(trigger in atom.triggers for atom in one.of)
    ]


@pytest.mark.parametrize("trigger", shipped().client_triggers())
def test_each_client_trigger_is_both_forbidden_and_permitted(trigger: str) -> None:
    assert _about(trigger, "permission")
    forbidding = [one for one in _about(trigger, "universality") if one.among]
    assert _about(trigger, "absence", "precedence") or forbidding


@pytest.mark.parametrize("trigger", sorted(set(shipped().client_triggers()) - {"close", "connect"}))
def test_what_is_needed_is_what_permits(trigger: str) -> None:
    """A permission must not rest on flags that nothing else about the trigger mentions."""
    mentioned: set[str] = set()
    for one in _about(trigger, "absence", "precedence", "universality"):
        if trigger != "send_quit" or one.pattern != "precedence":
            conditions = (one.needs, one.when)
            mentioned |= {name for c in conditions for name in (*c.held, *c.absent)}
    for one in _about(trigger, "permission"):
        assert {*one.when.held, *one.when.absent} <= mentioned | {OUTSTANDING, "connected"}, one.id


def test_no_property_speaks_of_variables() -> None:
    table = shipped()
    for one in table.properties:
        for condition in (one.when, one.needs, *(atom.when for atom in one.of)):
            assert {*condition.held, *condition.absent} <= {*table.flags, OUTSTANDING}


def test_the_walk_is_bounded() -> None:
    """The flags are nearly a function of the configuration: the product stays small."""
    verification = verified()
    assert verification.histories < 4 * verification.configurations
