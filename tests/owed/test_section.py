"""The shipped section, read a second time in the plainest way, and held against the client."""

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from fsm_smtp.configuration import Configuration
from fsm_smtp.machine import shared_machine
from fsm_smtp.owed import NONE, Answer, Input, word_of
from fsm_smtp.table import load_table
from fsm_smtp.table.server_model import Standing
from tests.owed.machines import ALL, MODEL

SPEC = Path(__file__).resolve().parents[2] / "specs" / "transitions.yaml"
View = tuple[str, ...]


def section() -> Any:
    """The section as plain data: strings for all scalars that are names."""
    return YAML(typ="safe").load(SPEC.read_text(encoding="utf-8"))["server"]


SECTION = section()


def listed(value: Any) -> list[str]:
    """A name, or several."""
    return [str(one) for one in (value if isinstance(value, list) else [value])]


def spoken_of(entry: Mapping[str, Any], mode: str) -> list[str]:
    """The inputs that an entry speaks of."""
    inputs = SECTION["inputs"]
    sent = [name for name, one in inputs.items() if mode in listed(one.get("modes", mode))]
    on = entry["on"]
    if on == "all":
        return sent
    if isinstance(on, dict):
        return [name for name in sent if name not in listed(on["all_but"])]
    return listed(on)


def standings() -> Iterator[tuple[str, View]]:
    """Every standing that a server can come to, with all extensions and whatever it chooses."""
    found = {MODEL.server.initial}
    todo = list(found)
    while todo:
        standing = todo.pop()
        yield standing
        for one in MODEL.inputs(ALL):
            entry = MODEL.owed(standing, one.name)
            for answer in entry.answers if entry else ():
                behind = MODEL.server.after(standing, answer)
                if behind not in found:
                    found.add(behind)
                    todo.append(behind)


def test_every_mode_view_and_input_has_one_entry() -> None:
    entries = [(group["mode"], one) for group in SECTION["owes"] for one in group["entries"]]
    spoken = [(mode, one, spoken_of(one, mode)) for mode, one in entries]
    count = 0
    for (mode, view), name in product(standings(), SECTION["inputs"]):
        held = dict(zip(SECTION["view"], view, strict=True))
        owed = [
            one["id"]
            for where, one, names in spoken
            if where == mode
            and name in names
            and all(held[key] in listed(value) for key, value in one.get("when", {}).items())
        ]
        entry = MODEL.owed((mode, view), name)
        if mode in listed(SECTION["inputs"][name].get("modes", mode)):
            assert entry is not None
            assert owed == [entry.id]
            count += 1
        else:
            assert owed == []
            assert entry is None
    assert count > 1000


def test_no_server_comes_to_a_view_that_makes_no_sense() -> None:
    """A chunk that was taken has a transaction; content and a challenge are no place for one."""
    for mode, view in standings():
        held = dict(zip(MODEL.server.view, view, strict=True))
        assert held["chunking"] != "begun" or held["transaction"] == "recipient"
        assert held["chunking"] == "none" or mode != "content"
        assert mode != "sasl" or (held["authenticated"], held["transaction"]) == ("no", "none")


# -- client and server side by side ---------------------------------------------------------------

TABLE = load_table()
BY_CODE = {code: one.name for one in TABLE.triggers.values() for code in one.codes}
BY_DIGIT = {one.digit: one.name for one in TABLE.triggers.values() if one.digit is not None}
CLIENT = shared_machine()


def heard(one: Input, answer: Answer, client: Configuration) -> Configuration:
    """The client behind the answer, which it has not called a violation."""
    (code, *_) = answer.codes
    if code == NONE:
        return client
    reply = BY_CODE[int(code)] if code.isdecimal() and int(code) in BY_CODE else None
    for trigger in (reply or BY_DIGIT[int(code[0])], *one.after.get(word_of(code), ())):
        step = CLIENT.step(client, trigger)
        assert step.row is not None
        assert step.row.violation is None
        client = step.target
    return client


def test_client_and_server_see_the_same_wherever_a_session_leads() -> None:
    """By the machine that drives our client, not by the walk of the loader."""
    client = CLIENT.new_model().configuration
    for trigger in MODEL.server.begins:
        client = CLIENT.step(client, trigger).target
    found: set[tuple[Configuration, Standing]] = {(client, MODEL.server.initial)}
    todo = list(found)
    unlike: set[str] = set()
    while todo:
        client, standing = todo.pop()
        mode, view = standing
        assert client.state in MODEL.server.modes[mode].states
        assert view == tuple(client[name] for name in MODEL.server.view)
        for one in MODEL.inputs(ALL):
            entry = MODEL.owed(standing, one.name)
            if entry is None or one.sends is None or not CLIENT.allows(client, one.sends):
                continue
            for answer in entry.answers:
                sent = CLIENT.step(client, one.sends).target
                pair = heard(one, answer, sent), MODEL.server.after(standing, answer)
                if answer.differs:
                    unlike.add(
                        f"{entry.id} {answer.name.partition('-5yz')[0].partition('-4yz')[0]}"
                    )
                elif pair not in found:
                    found.add(pair)
                    todo.append(pair)
    # Only where no section says what a refusal leaves; the client takes the worse for granted.
    assert unlike == {
        "data given-up",
        "bdat kept",
        "bdat given-up",
        "bdat-more given-up",
        "bdat-last kept",
        "bdat-last given-up",
        "bdat-last-of-several given-up",
    }
    # Every standing in which a client that breaks no rule can leave a server.
    assert {mode for _, (mode, _) in found} == {"command", "content", "sasl", "closed"}
