"""The machine: one for all sessions, frozen; models are small; a refusal changes nothing."""

import pickle
import random
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transitions import MachineError

from fsm_smtp.command import SMTPCommand
from fsm_smtp.errors import CommandRefused
from fsm_smtp.machine import Model, ProtocolMachine, Step, shared_machine, stock_machine
from fsm_smtp.table import load_table
from tests.core.runs import DATA, MAIL, OPENED, PLAIN, RCPT, driven, reached

TABLE = load_table()
TRIGGERS = sorted(TABLE.triggers)

#: How one might try to change the machine for every session.
CHANGES: dict[str, Callable[[ProtocolMachine], object]] = {
    "transition": lambda m: m.add_transition("send_mail", "SMTP_NONE", "SMTP_MAIL"),
    "transitions": lambda m: m.add_transitions([["send_mail", "SMTP_NONE", "SMTP_MAIL"]]),
    "ordered transitions": lambda m: m.add_ordered_transitions(),
    "removed transition": lambda m: m.remove_transition("send_mail"),
    "state": lambda m: m.add_state("SMTP_LIMBO"),
    "states": lambda m: m.add_states(["SMTP_LIMBO"]),
    "model": lambda m: m.add_model(object()),
    "attribute": lambda m: setattr(m, "send_event", False),
    "new attribute": lambda m: setattr(m, "colour", "red"),
    "deleted attribute": lambda m: delattr(m, "table"),
    "machine callback": lambda m: setattr(m, "before_state_change", [print]),
    "callback of a state": lambda m: m.states["SMTP_MAIL"].add_callback("enter", print),
    "attribute of a state": lambda m: setattr(m.states["SMTP_MAIL"], "final", True),
    "deleted attribute of a state": lambda m: delattr(m.states["SMTP_MAIL"], "final"),
    "state removed": lambda m: m.states.__delitem__("SMTP_MAIL"),
    "callback of an event": lambda m: m.events["send_mail"].add_callback("before", print),
    "transition of an event": lambda m: m.events["send_mail"].add_transition(a_transition(m)),
    "attribute of an event": lambda m: setattr(m.events["send_mail"], "transitions", {}),
    "transitions of an event": lambda m: m.events["send_mail"].transitions.clear(),
    "event removed": lambda m: m.events.__delitem__("send_mail"),
    "callback of a transition": lambda m: a_transition(m).add_callback("after", print),
    "destination": lambda m: setattr(a_transition(m), "dest", "SMTP_DOT"),
    "guards": lambda m: a_transition(m).conditions.clear(),
    "effects": lambda m: a_transition(m).after.append(print),
    "enter callbacks": lambda m: m.states["SMTP_MAIL"].on_enter.append(print),
    "before callbacks": lambda m: m.before_state_change.append(print),
    "adder before a trigger": lambda m: m.before_send_mail(print),
    "adder after a trigger": lambda m: m.after_send_mail(print),
    "adder on entering": lambda m: m.on_enter_SMTP_MAIL(print),
    "adder on leaving": lambda m: m.on_exit_SMTP_MAIL(print),
}


def a_transition(machine: ProtocolMachine) -> Any:
    """Some transition of the machine."""
    return machine.events["send_mail"].transitions["SMTP_CONNECTED"][0]


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("build", [ProtocolMachine, stock_machine], ids=["memo", "stock"])
def test_the_machine_is_frozen(build: Callable[..., ProtocolMachine], name: str) -> None:
    machine = shared_machine() if build is ProtocolMachine else STOCK
    with pytest.raises((TypeError, AttributeError)):
        CHANGES[name](machine)
    model = driven(OPENED, MAIL, RCPT, DATA, "send_dot reply_2yz", machine=shared_machine())
    assert model.state == "SMTP_SEND_MESSAGE"


STOCK = stock_machine(TABLE)


def test_a_frozen_machine_says_so() -> None:
    with pytest.raises(TypeError) as caught:
        shared_machine().add_states(["SMTP_LIMBO"])
    said = "the machine is frozen: a state would change the protocol for every session"
    assert str(caught.value) == said


@pytest.mark.parametrize("machine", [shared_machine(), STOCK], ids=["memo", "stock"])
def test_a_trigger_takes_no_arguments(machine: ProtocolMachine) -> None:
    model = machine.new_model()
    for arguments, keywords in (((1,), {}), ((), {"offers": ["STARTTLS"]})):
        with pytest.raises(TypeError) as caught:
            machine.events["connect"].trigger(model, *arguments, **keywords)
        said = "connect takes no arguments: what content decides is its own trigger"
        assert str(caught.value) == said
    assert model.configuration is machine.space.start


def test_the_library_refuses_in_two_ways_and_the_machine_in_one() -> None:
    model = STOCK.new_model()
    with pytest.raises(MachineError):
        STOCK.events["send_mail"].trigger(model)  # no such row in this state
    assert STOCK.events["send_quit"].trigger(model) is False  # rows, whose guards fail
    for machine in (STOCK, shared_machine()):
        for trigger in ("send_mail", "send_quit"):
            assert machine.events[trigger].name == trigger


@pytest.mark.parametrize("trigger", ["send_mail", "send_quit", "reply_2yz"])
def test_a_refusal_changes_nothing_and_says_everything(trigger: str) -> None:
    machine = shared_machine()
    model = driven("connect")
    before, step = model.configuration, model.step
    with pytest.raises(CommandRefused) as caught:
        machine.fire(driven(), trigger)
    with pytest.raises(CommandRefused):
        machine.fire(model, "send_mail")
    assert (model.configuration, model.step) == (before, step)
    refused = caught.value
    assert (refused.state, refused.trigger, refused.command) == ("SMTP_NONE", trigger, None)
    assert refused.legal == ("connect", "connect_tls")
    assert refused.why == "there is no connection"
    assert refused.rfc in {row.rfc for row in TABLE.rows if trigger in row.triggers}
    assert str(pickle.loads(pickle.dumps(refused))) == str(refused)


def test_the_command_line_of_a_refusal() -> None:
    refused = shared_machine().refusal(reached(PLAIN), "send_rcpt", command="RCPT TO:<a@b>")
    assert isinstance(refused, CommandRefused)
    assert refused.command == "RCPT TO:<a@b>"


@pytest.mark.parametrize("ask", ["fire", "step"])
def test_an_unknown_trigger(ask: str) -> None:
    machine = shared_machine()
    model = machine.new_model()

    def asked(trigger: str) -> object:
        if ask == "fire":
            return machine.fire(model, trigger)
        return machine.step(model.configuration, trigger)

    with pytest.raises(ValueError, match="no trigger") as caught:
        asked("send_male")
    said = "'send_male' is no trigger of the table smtp-client; did you mean send_mail?"
    assert str(caught.value) == said
    with pytest.raises(ValueError, match="no trigger") as caught:
        asked("xyzzy")
    assert str(caught.value) == "'xyzzy' is no trigger of the table smtp-client"


@given(st.lists(st.sampled_from(TRIGGERS), max_size=60))
def test_legal_agrees_with_fire(triggers: list[str]) -> None:
    machine = shared_machine()
    model = machine.new_model()
    for trigger in triggers:
        before = model.configuration
        expected = machine.step(before, trigger)
        if expected.row is None:
            assert trigger not in machine.legal(before)
            with pytest.raises(CommandRefused) as caught:
                machine.fire(model, trigger)
            assert caught.value.legal == machine.legal(before)
            assert model.configuration is before
        else:
            assert (trigger in machine.legal(before)) == (TABLE.triggers[trigger].by == "client")
            assert machine.fire(model, trigger) == expected
            assert model.configuration is expected.target


def test_a_model_has_no_attribute_named_like_a_trigger() -> None:
    names = {name for name in dir(Model) if not name.startswith("__")}
    assert names == {"configuration", "space", "state", "step"}
    assert names.isdisjoint(TABLE.triggers)


def test_a_session_costs_little_and_leaves_no_trace() -> None:
    machine = shared_machine()
    known = len(machine.events)
    models = [driven(PLAIN) for _ in range(100)]
    assert sys.getsizeof(models[0]) <= 64
    assert not hasattr(models[0], "__dict__")
    assert not machine.models
    assert len(machine.events) == known
    assert len({id(model.configuration) for model in models}) == 1
    assert len({id(model.step) for model in models}) == 1


def test_sessions_share_the_machine_and_nothing_else() -> None:
    machine = shared_machine()
    one, other = driven(OPENED), driven(PLAIN)
    machine.fire(one, "send_starttls")
    assert one.state == "SMTP_CUSTOM"
    with pytest.raises(CommandRefused):
        machine.fire(other, "send_starttls")
    assert shared_machine() is machine
    assert shared_machine(("require_tls",)) is not machine


def test_a_configuration_reads_as_what_it_is() -> None:
    configuration = reached(PLAIN, MAIL)
    assert configuration.command is SMTPCommand.MAIL
    assert configuration["transaction"] == "open"
    assert configuration.as_dict()["greeted"] == "ehlo"
    assert list(configuration.as_dict()) == list(TABLE.variables)
    start = repr(shared_machine().space.start)
    assert start.startswith("<SMTP_NONE link=down, awaiting=nothing,")
    assert start.endswith("offer_pipelining=no>")
    assert reached(PLAIN, MAIL) is configuration


def walk(machine: ProtocolMachine, seed: int) -> list[str]:
    """A random walk of legal steps."""
    choices = random.Random(seed)
    model = machine.new_model()
    seen: list[str] = []
    for _ in range(200):
        enabled = [t for t in TRIGGERS if machine.step(model.configuration, t).row is not None]
        step = machine.fire(model, choices.choice(enabled))
        assert isinstance(step, Step)
        assert step.row is not None
        seen.append(f"{step.row.id} {model.configuration!r}")
    return seen


def test_threads_share_the_memo() -> None:
    seeds = range(8)
    shared = ProtocolMachine(TABLE)  # an empty memo, filled by all threads at once
    with ThreadPoolExecutor(max_workers=8) as pool:
        together = list(pool.map(lambda seed: walk(shared, seed), seeds))
    alone = ProtocolMachine(TABLE)
    assert together == [walk(alone, seed) for seed in seeds]
