"""The rules by which a state machine of Hypothesis explores a server, and what it explores."""

import socket
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis import target
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from fsm_smtp.testing.machines.connection import Connection, SocketConnection
from fsm_smtp.testing.machines.coverage import Coverage, Word
from fsm_smtp.testing.machines.examiner import Examiner, Plan
from fsm_smtp.testing.machines.failure import ServerViolation
from fsm_smtp.testing.machines.step import Step
from fsm_smtp.testing.strategies.content import content_lines

#: Opens a new connection to the server under test.
Connect = Callable[[], "socket.socket | Connection"]

#: Inputs that may stand in front of others in a command group (RFC 2920 §3.1).
_IN_A_GROUP = ("rset", "mail", "rcpt", "rcpt_unknown", "mail_without_path", "rcpt_without_path")
#: Spellings of a command that mean the same (RFC 5321 §2.4).
_SPELLINGS: dict[str, Callable[[bytes], bytes]] = {
    "lower case": bytes.lower,
    "mixed case": bytes.title,
}

_names = st.runner().flatmap(lambda machine: st.sampled_from(machine.names))
_ways = st.runner().flatmap(lambda machine: st.sampled_from(machine.ways))


def _reads(mode: str) -> Callable[[Any], bool]:
    return lambda machine: machine.examiner.belief.mode == mode


@dataclass(frozen=True, slots=True)
class Subject:
    """A server under test.

    Attributes:
        connect: opens a new connection.
        plan: how it is examined.
        coverage: what was seen of it.
        floor: the share of the transitions that a run must take, 0 to 1.
        known: sections that the server is known to break; a session ends where it does.
    """

    connect: Connect
    plan: Plan
    coverage: Coverage
    floor: float = 0.0
    known: frozenset[str] = frozenset()

    def open(self) -> Examiner:
        """A new session.

        Raises:
            ServerViolation: the greeting is none.
        """
        self.coverage.sessions += 1
        opened = self.connect()
        connection = SocketConnection(opened) if isinstance(opened, socket.socket) else opened
        return Examiner(self.plan, connection, self.coverage)


class ServerRules(RuleBasedStateMachine):
    """The rules.

    Attributes:
        examiner: the session of this example; rules speak through it.
    """

    subject: ClassVar[Subject]
    #: The inputs of the rules, and the ways to begin with; those of a round.
    names: ClassVar[Sequence[str]] = ("noop",)
    ways: ClassVar[Sequence[Word]] = ((),)

    def __init__(self) -> None:
        super().__init__()
        self.played: list[Step] = []
        self._failed = True  # until the greeting is heard
        self.examiner = self.subject.open()
        self._failed = False

    @initialize(way=_ways)
    def begin(self, way: Word) -> None:
        """Go to a transition of the table, and take it."""
        for name in way:
            self._say(name)

    @rule(name=_names)
    def say(self, name: str) -> None:
        """One input."""
        self._say(name)

    @precondition(_reads("command"))
    @rule(name=_names, spelling=st.sampled_from(sorted(_SPELLINGS)))
    def spell(self, name: str, spelling: str) -> None:
        """A command in letters that mean the same."""
        octets = self.subject.plan.octets_of(name)
        verb, space, rest = octets.partition(b" ")
        if space:
            self._say(name, (_SPELLINGS[spelling](verb) + space + rest,))
        elif octets.count(b"\r\n") == 1:
            self._say(name, (_SPELLINGS[spelling](octets),))

    @rule(name=_names, cut=st.integers(-3, 6))
    def say_in_pieces(self, name: str, cut: int) -> None:
        """An input in two segments."""
        octets = self.subject.plan.octets_of(name)
        self._say(name, tuple(piece for piece in (octets[:cut], octets[cut:]) if piece))

    @precondition(_reads("command"))
    @rule(names=st.lists(st.sampled_from(_IN_A_GROUP), min_size=1, max_size=4), last=_names)
    def say_ahead(self, names: list[str], last: str) -> None:
        """A command group in one write (RFC 2920)."""
        if self.examiner.pipelining:
            self.play(Step((*names, last)))

    @precondition(_reads("content"))
    @rule(lines=content_lines())
    def write(self, lines: bytes) -> None:
        """Lines of content that hold no end of data, whatever they look like."""
        self._say("content", (lines,))

    def _say(self, name: str, pieces: tuple[bytes, ...] | None = None) -> None:
        self.play(Step((name,), pieces))

    def play(self, step: Step) -> None:
        """Play a step, if it can be played where the server stands."""
        self.played.append(step)
        with self._blamed():
            self.examiner.play(step)

    @contextmanager
    def _blamed(self) -> Generator[None]:
        """A violation knows the steps that have led to it."""
        self._failed = True
        try:
            yield
        except ServerViolation as error:
            if error.rfc not in self.subject.known:
                error.played = tuple(self.played)
                raise
            self.examiner.abandoned = True
        self._failed = False

    def teardown(self) -> None:
        """Bring the session to its end, so that nothing stays unread."""
        if not hasattr(self, "examiner"):
            return
        try:
            if not self._failed:
                with self._blamed():
                    self.examiner.finish()
                target(self.examiner.new, label="transitions for the first time")
        finally:
            self.examiner.close()
