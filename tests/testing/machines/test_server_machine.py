"""The machine for servers, examined: faults are found and shortened, and nothing else is."""

import itertools
import smtplib
import socket

import pytest
from hypothesis.stateful import rule

from fsm_smtp.testing.machines.exploring import explore
from fsm_smtp.testing.machines.failure import ServerViolation
from fsm_smtp.testing.machines.server import ServerMachine, SMTPServerMachine
from fsm_smtp.testing.machines.shortest import violation_of
from fsm_smtp.testing.machines.step import Step
from fsm_smtp.testing.served import SMTPServer
from tests.testing.machines.faulty_servers import SHORTEST, machine

#: One of each kind; `make exam` takes them all, with ten seeds each.
SAMPLE = (
    "takes RCPT without MAIL",
    "RSET forgets nothing",
    "takes AUTH in a transaction",
    "QUIT does not close",
    "never answers NOOP",
    "takes STARTTLS under TLS",
)


def found(fault: str, random_seed: int) -> ServerViolation:
    made, _ = machine(fault)
    with pytest.raises(ServerViolation) as caught:
        explore(made, examples=200, random_seed=random_seed)
    return caught.value


@pytest.mark.parametrize("fault", SAMPLE)
def test_a_fault_is_found_and_shortened(fault: str) -> None:
    error = found(fault, 1)
    assert len(error.steps) <= SHORTEST[fault] + 1
    assert error.rfc
    assert error.transcript[0] == "S: 220 mx.example.test ready"
    assert str(error).startswith(f"RFC {error.rfc} ({error.level}): {error.says}")


def test_a_faithful_server_is_never_blamed_and_its_transitions_are_counted() -> None:
    made, opened = machine()
    coverage = explore(made, examples=150, random_seed=1)
    taken, every = coverage.counts
    assert opened() > 150
    assert every > 800
    assert taken > 500
    [first, *left] = coverage.lines(most=3)
    assert first.startswith(f"{len(coverage.standings)} standings, {taken} of {every} transitions")
    assert len(left) == 4
    assert left[-1] == f"and {every - taken - 3} more"


def test_a_floor_can_be_demanded() -> None:
    made, _ = machine()
    demanding = SMTPServerMachine(made.subject.connect, floor=1.0)
    with pytest.raises(AssertionError, match=r"floor is 100%.*\n.*standings"):
        explore(demanding, examples=10, random_seed=1)


def test_what_is_known_ends_a_session_and_not_the_run() -> None:
    faulty, _ = machine("takes RCPT without MAIL")
    connect = faulty.subject.connect
    # The transition is taken, and its section is not held against the server.
    knowing = SMTPServerMachine(connect, known=["5321 §3.3"])
    coverage = explore(knowing, examples=40, random_seed=1)
    assert coverage.sessions > 40
    assert coverage.is_visited(coverage.model.server.initial, "rcpt")


def test_the_same_seed_makes_the_same_run() -> None:
    runs = []
    for _ in range(2):
        made, _ = machine()
        runs.append(explore(made, examples=20, random_seed=7).visited)
    assert runs[0] == runs[1]


def test_what_two_processes_have_seen_adds_up() -> None:
    made, _ = machine()
    coverage = explore(made, examples=20, random_seed=7)
    other, _ = machine()
    other.subject.coverage.add(coverage.as_data())
    assert other.subject.coverage.counts == coverage.counts
    assert other.subject.coverage.visited == coverage.visited


def test_no_password_is_in_a_transcript() -> None:
    made, _ = machine("takes a second AUTH")
    error = violation_of(made.subject.open, [Step((one,)) for one in ("ehlo", "auth", "auth")])
    assert error is not None
    assert error.transcript.count("C: [redacted]") == 2
    assert not any("AUTH PLAIN A" in line for line in error.transcript)


@pytest.mark.parametrize("fault", ["refuses a second EHLO", "takes RCPT without MAIL"])
def test_nothing_shorter_shows_it(fault: str) -> None:
    made, _ = machine(fault)
    names = made.subject.coverage.model.server.inputs
    for length in range(SHORTEST[fault]):
        for word in itertools.product(names, repeat=length):
            assert violation_of(made.subject.open, [Step((name,)) for name in word]) is None


def test_a_server_on_a_socket_under_tls() -> None:
    with SMTPServer(domains=frozenset({"example.test"}), takes_all=False) as server:
        made = SMTPServerMachine(
            lambda: socket.create_connection(server.address),
            user=server.user,
            password=server.password,
        )
        coverage = explore(made, examples=20, random_seed=1)
    assert any("yes" in view for _, view in coverage.standings)
    assert any(session.secured for session in server.sessions)


def test_a_rule_may_be_added() -> None:
    made, _ = machine()
    said = []

    class WithRule(ServerMachine):
        subject = made.subject

        @rule()
        def note(self) -> None:
            said.append(self.examiner.belief.mode)

    explore(WithRule, examples=20, random_seed=1)
    assert "command" in said


def test_the_test_of_unittest() -> None:
    made, opened = machine()

    class TestIt(made.TestCase):  # type: ignore[misc, name-defined]
        examples = 5
        random_seed = 1

    TestIt("runTest").debug()
    assert opened() > 5


def test_smtplib_at_the_same_server() -> None:
    with SMTPServer() as server, smtplib.SMTP(*server.address, timeout=5) as client:
        client.sendmail("a@b.test", ["c@d.test"], b"Subject: x\r\n\r\nhello\r\n")
        assert len(server.messages) == 1
    server.assert_no_violations()
    assert issubclass(SMTPServerMachine(socket.socket), ServerMachine)
