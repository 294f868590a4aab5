"""docs/smtptransport.md: each name of ours exists, and nothing of theirs is left out."""

import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

import fsm_smtp
from fsm_smtp import client, errors, wire
from fsm_smtp.client import content, message

PAGE = (Path(__file__).parents[2] / "docs" / "smtptransport.md").read_text("utf-8")
ROWS = re.findall(r"^\| `([^`]+)` \| (.+?) \| ?(.*?) ?\|$", PAGE, re.MULTILINE)
ELSEWHERE = {"Content": content.Content, "Message": message.Message}

#: How many there are, as the documentation counts them.
METHODS = {"ISMTPTransport": 12, "ISMTPTransport2": 4, "IInternetTransport": 9}
CALLBACKS = {"ITransportCallback": 6, "ISMTPCallback": 1}


def found(name: str) -> bool:
    """Whether *name*, perhaps of a member, is one of ours."""
    first, _, member = name.partition(".")
    for place in (client, errors, wire, fsm_smtp):
        owner = getattr(place, first, None) or ELSEWHERE.get(first)
        if owner is not None:
            return not member or _has(owner, member)
    return False


def _has(owner: object, member: str) -> bool:
    if is_dataclass(owner) and member in {field.name for field in fields(owner)}:
        return True
    if hasattr(owner, member):
        return True
    made = owner() if owner is client.Client else None
    return hasattr(made, member) or f"self.{member} = " in _source(owner)


def _source(owner: object) -> str:
    import inspect

    return inspect.getsource(owner) if isinstance(owner, type) else ""


@pytest.mark.parametrize(("theirs", "ours", "why"), ROWS, ids=[row[0] for row in ROWS])
def test_each_has_a_counterpart_or_a_reason(theirs: str, ours: str, why: str) -> None:
    names = re.findall(r"`([A-Za-z_.]+)`", ours)
    assert names or (ours == "—" and why), theirs
    for name in names:
        assert found(name), name


def test_every_name_in_the_text_exists() -> None:
    for name in re.findall(r"`((?:Client|Options)\.[a-z_]+)`", PAGE):
        assert found(name), name


def test_none_is_left_out() -> None:
    members = [row[0] for row in ROWS]
    for interface, count in (METHODS | CALLBACKS).items():
        assert sum(name.startswith(f"{interface}::") for name in members) == count, interface
    states = [name for name in members if name.startswith("SMTP_")]
    assert states == [state.spec_name for state in fsm_smtp.SMTPCommand]
    assert len(members) == len(set(members))
    assert not found("Client.nothing")
    assert not found("Nobody")
