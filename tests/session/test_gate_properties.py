"""The gate under any sequence of acts, legal or not, whatever the server answers.

What is legal is worked out by `tests.session.model` from the written rows, with the verifier's
interpreter, which shares nothing with the machine that the session runs on.
"""

import base64
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsm_smtp.errors import CommandRefused, ProtocolError, RemoteProtocolError
from fsm_smtp.machine import shared_machine
from fsm_smtp.session import Event, Session
from fsm_smtp.wire import Reply
from tests.session.model import (
    ACTS,
    LEADS_ON,
    POLICIES,
    SAID,
    SECRET,
    Act,
    Model,
    Said,
    table,
    wire_form,
)

Step = Act | Said

QUIET = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@dataclass
class Run:
    """A session, and everything it gave out."""

    policies: tuple[str, ...]
    octets: bytes = b""
    replies: list[Reply] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session = Session(shared_machine(self.policies), observer=self.told.append)

    def act(self, act: Act) -> bytes | CommandRefused:
        try:
            octets = act.do(self.session)
        except CommandRefused as refused:
            self.errors.append(refused)
            return refused
        self.octets += octets
        return octets

    def hear(self, *segments: bytes) -> RemoteProtocolError | None:
        """Feed the segments, take out all replies; gives the error that ended it."""
        try:
            for segment in segments:
                self.session.receive(segment)
                while (reply := self.session.next_reply()) is not None:
                    self.replies.append(reply)
        except RemoteProtocolError as error:
            self.errors.append(error)
            return error
        return None

    def seen(self) -> tuple[object, ...]:
        """What can be seen of the session."""
        session = self.session
        return (
            session.configuration,
            session.state,
            session.legal,
            dict(session.offers),
            session.last_command,
            session.wait_for(),
        )


def draw_step(data: st.DataObject, model: Model) -> Step:
    """Any act; more often one that leads on, or every session would end where it began."""
    way = data.draw(st.sampled_from(("on",) * 9 + ("legal", "any")))
    awaited = model["awaiting"] == "reply"
    if way == "any":
        anything: tuple[Step, ...] = (*ACTS, *SAID)
        return data.draw(st.sampled_from(anything))
    if awaited:
        good = [said for said in SAID if model.is_good(said)]
        return data.draw(st.sampled_from(good if way == "on" and good else SAID))
    legal = [act for act in ACTS if model.row(act.trigger)]
    if way == "on":
        legal = [act for act in legal if act.trigger in LEADS_ON] or legal
    trigger = data.draw(st.sampled_from(sorted({act.trigger for act in legal})))
    return data.draw(st.sampled_from([act for act in legal if act.trigger == trigger]))


def test_exactly_the_accepted_acts_reach_the_wire() -> None:
    fired: set[str] = set()

    @QUIET
    @given(st.data(), st.sampled_from(POLICIES))
    def play(data: st.DataObject, policies: tuple[str, ...]) -> None:
        fired.update(event.row for event in any_acts(data, policies))

    play()
    # The acts lead far enough for the property to say something.
    assert fired >= {
        "dot-accepted",
        "bdat-last-accepted",
        "auth-accepted",
        "tls-up",
        "intermediate",
    }
    assert fired >= {"unsolicited", "invalid", "late", "timeout", "close-early", "eof-early"}


def any_acts(data: st.DataObject, policies: tuple[str, ...]) -> list[Event]:
    """Play a session in which anything may happen, and look at it after each step."""
    model, run = Model(policies), Run(policies)
    twin = Run(policies)  # sees no refused act: what it shows is what nothing has changed from
    content = b""  # of the message under way, as it went out
    for _ in range(data.draw(st.integers(20, 80))):
        step = draw_step(data, model)
        if isinstance(step, Act):
            row = model.row(step.trigger)
            given_out = run.act(step)
            if row is None:
                assert isinstance(given_out, CommandRefused), step.name
                assert given_out.trigger == step.trigger
                assert given_out.legal == run.session.legal
            else:
                assert given_out == twin.act(step)
                assert isinstance(given_out, bytes), step.name
                if step.trigger == "send_content":
                    content += given_out
                elif step.trigger == "send_dot":
                    assert content + given_out == wire_form(model.body)
                    content = b""
                else:
                    assert given_out == step.octets
                    content = b""
                model.act(step)
        elif model["link"] != "down":
            row = model.hear(step)
            error = run.hear(step.octets)
            assert str(error) == str(twin.hear(step.octets))
            violated = row is not None and row.violation is not None
            assert (error is not None) == (violated or model.dead), (row, error)
            if error is not None:
                assert run.session.legal == ("close",)
                assert run.session.configuration["link"] == "over"
        assert (run.session.configuration.state, run.session.configuration.memory) == model.place
        assert run.seen() == twin.seen()
    assert run.octets == twin.octets
    assert run.replies == twin.replies
    assert run.told == twin.told
    chained(run.told)
    nothing_secret(run)
    return run.told


def chained(told: list[Event]) -> None:
    """Each event begins in the state that the one before it ended in."""
    state = "SMTP_NONE"
    for event in told:
        assert event.before == state
        state = event.after


def nothing_secret(run: Run) -> None:
    """No credential in anything that was given out for people to read."""
    session = run.session
    shown = [repr(event) for event in run.told]
    shown += [f"{error} {error!r} {error.args} {vars(error)}" for error in run.errors]
    shown += [repr(session), repr(session.configuration), str(session.last_command)]
    everything = "\n".join(shown)
    encoded = (f"\0u\0{SECRET}".encode(), SECRET.encode())
    for secret in (SECRET, *(base64.b64encode(octets).decode() for octets in encoded)):
        assert secret not in everything


# -- how the octets are cut ----------------------------------------------------------------------


def cut(octets: bytes, sizes: list[int]) -> list[bytes]:
    """*octets* in segments of these sizes, over and over."""
    segments, start, number = [], 0, 0
    while start < len(octets):
        size = sizes[number % len(sizes)]
        segments.append(octets[start : start + size])
        start, number = start + size, number + 1
    return segments


def fault(error: RemoteProtocolError | None, run: Run) -> Any:
    """The error without what it quotes: of plaintext before a handshake, as much as has come."""
    if error is None:
        return None
    quoting = run.told[-1].row == "tls-plaintext"
    attributes = {name: v for name, v in vars(error).items() if not (quoting and name == "reply")}
    return type(error), attributes


@QUIET
@given(st.data(), st.sampled_from(POLICIES), st.lists(st.integers(1, 30), min_size=1, max_size=5))
def test_how_the_octets_are_cut_does_not_matter(
    data: st.DataObject, policies: tuple[str, ...], sizes: list[int]
) -> None:
    model = Model(policies)
    whole, single, split = Run(policies), Run(policies), Run(policies)
    for _ in range(data.draw(st.integers(20, 60))):
        step = draw_step(data, model)
        if isinstance(step, Act):
            whole.act(step), single.act(step), split.act(step)
            if model.row(step.trigger):
                model.act(step)
        elif model["link"] != "down":
            behind = data.draw(st.lists(st.sampled_from(SAID), max_size=2))
            octets = step.octets + b"".join(said.octets for said in behind)
            error = whole.hear(octets)
            for said in (step, *behind):
                row = model.hear(said)
                if model.dead or (row is not None and row.violation):
                    break
            one = single.hear(*cut(octets, [1]))
            some = split.hear(*cut(octets, sizes))
            assert fault(error, whole) == fault(one, single) == fault(some, split)
            if error is not None:
                # Nobody listens after an error; what is left depends on how it came.
                for run in (whole, single, split):
                    run.session.close()
                model.take("close")
        assert whole.seen() == single.seen() == split.seen()
    assert whole.octets == single.octets == split.octets
    events = [[e for e in run.told if e.row != "tls-plaintext"] for run in (whole, single, split)]
    assert events[0] == events[1] == events[2]
    if all(event.row != "tls-plaintext" for event in whole.told):
        assert whole.replies == single.replies == split.replies
    chained(whole.told)


# -- the properties reach what they should -------------------------------------------------------


def test_the_acts_are_every_trigger_of_client_and_link() -> None:
    for policies in POLICIES:
        triggers = table(policies).triggers.values()
        assert {act.trigger for act in ACTS} == {t.name for t in triggers if t.by != "server"}


@pytest.mark.parametrize("policies", POLICIES)
def test_after_any_violation_only_closing_is_left(policies: tuple[str, ...]) -> None:
    machine = shared_machine(policies)
    rows = [row for row in machine.table.rows if row.violation == "server"]
    over = [row for row in rows if ("link", "over") in row.sets]
    # The others are the end of the connection itself.
    assert {row.triggers for row in rows if row not in over} == {("eof",)}


def test_no_error_is_its_own_family() -> None:
    assert issubclass(CommandRefused, ProtocolError)
    assert not issubclass(CommandRefused, RemoteProtocolError)
