"""`SMTPClientMachine` explores a client: Hypothesis chooses every reply of a model server."""

import socket
import ssl
import unittest
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import ClassVar

from hypothesis import HealthCheck, Phase, given, seed, settings

from fsm_smtp.testing.machines.client_coverage import ClientCoverage
from fsm_smtp.testing.machines.failure import ClientViolation
from fsm_smtp.testing.machines.mail import Send
from fsm_smtp.testing.machines.meeting import Meeting
from fsm_smtp.testing.machines.plainest import plainest
from fsm_smtp.testing.machines.scene import MECHANISMS, Scene, scenes, single_scenes
from fsm_smtp.testing.server.options import HOST, PASSWORD, USER

EXAMPLES = 200
#: Sessions of a round: the most that go where an answer was not met, and those left to chance.
STEERED, ROUND = 30, 10


@dataclass
class SMTPClientMachine:
    """A client under test. Its ``TestCase`` is a test; `explore` runs it by hand.

    Attributes:
        send: sends one mail in one session; see `Send`.
        errors: what it may raise when the mail does not go out.
        allowed: sections that it may break, such as ``5321 §4.1.1.10`` if it never says QUIT.
        tls: STARTTLS is offered too, with a certificate that `client_context` trusts.
        auth: AUTH is offered too, for `user` and `password`; where STARTTLS is, only under TLS.
        floor: the share that a run must meet of the answers that may come (configuration ×
            trigger × reply class), 0 to 1.
        coverage: what was seen of the client.
        sessions: how many there were.
    """

    user: ClassVar[str] = USER
    password: ClassVar[str] = PASSWORD

    send: Send
    errors: tuple[type[Exception], ...] = (OSError,)
    allowed: frozenset[str] = frozenset()
    tls: bool = False
    auth: bool = False
    floor: float = 0.0
    coverage: ClientCoverage = field(default_factory=ClientCoverage)
    sessions: int = 0

    @property
    def client_context(self) -> ssl.SSLContext:
        """TLS settings of a client that trusts the server's certificate.

        Raises:
            ModuleNotFoundError: trustme is not installed.
        """
        from fsm_smtp.testing.server.certificate import client_context

        return client_context()

    def explore(self, *, examples: int = EXAMPLES, random_seed: int | None = None) -> None:
        """Explore the client.

        Args:
            examples: sessions, beside those that shorten a failure.
            random_seed: makes the run the same every time.

        Raises:
            ClientViolation: the plainest session that was found in which the client does wrong.
            AssertionError: less than `floor` was met.
        """
        with socket.create_server((HOST, 0)) as listener:

            def session(scene: Scene) -> None:
                error = self._met(listener, scene)
                if error is not None:
                    error.scene = scene
                    raise error

            try:
                self._explore(session, examples, random_seed)
            except ClientViolation as error:
                if error.scene is None:
                    raise
                sessions = self.sessions
                found = plainest(lambda scene: self._met(listener, scene), error)
                found.sessions = sessions
                raise found from None
        if self.coverage.share < self.floor:
            floor = f"the floor is {self.floor:.0%} of the answers that may come"
            raise AssertionError("\n".join([floor, *self.coverage.lines()]))

    def _explore(
        self, session: Callable[[Scene], None], examples: int, random_seed: int | None
    ) -> None:
        """Single answers first; then, in turns, what was not met and what Hypothesis thinks of."""
        tls = ("STARTTLS",) if self.tls else ()
        more = frozenset((*tls, *(MECHANISMS if self.auth else ())))
        left = examples
        number = 0
        for scene in islice(single_scenes(more), left):
            session(scene)
            left -= 1
        while left > 0:
            for scene in islice(self.coverage.scenes(), min(left, STEERED)):
                session(scene)
                left -= 1
            if left > 0:
                _run(given(scenes(more))(session), min(left, ROUND), random_seed, number)
                left -= ROUND
            number += 1

    def _met(self, listener: socket.socket, scene: Scene) -> ClientViolation | None:
        """What one session shows."""
        self.sessions += 1
        meeting = Meeting(scene, self.coverage)
        try:
            meeting.hold(self.send, listener, self.errors)
        except ClientViolation as error:
            return None if error.rfc in self.allowed else error
        return None

    def lines(self) -> list[str]:
        """A report of what was met, and of the first few answers that were not."""
        return self.coverage.lines()

    @property
    def TestCase(self) -> "type[ClientTest]":  # noqa: N802 -- as Hypothesis names it
        """A test of unittest, which pytest finds too, that explores the client."""
        return type("SMTPClientTest", (ClientTest,), {"machine": self})


def _run(test: Callable[[], None], examples: int, random_seed: int | None, number: int) -> None:
    """Let Hypothesis choose."""
    test = settings(
        max_examples=examples,
        phases=(Phase.generate,),
        deadline=None,
        database=None,
        print_blob=False,
        suppress_health_check=(HealthCheck.too_slow,),
    )(test)
    if random_seed is not None:
        test = seed(random_seed * 1_000_000 + number)(test)
    test()


class ClientTest(unittest.TestCase):
    """A test that explores a client.

    Attributes:
        machine: the client's machine.
        examples: sessions in all.
        random_seed: makes the run the same every time.
    """

    machine: ClassVar[SMTPClientMachine]
    examples: ClassVar[int] = EXAMPLES
    random_seed: ClassVar[int | None] = None

    @classmethod
    def smtp_coverage(cls) -> list[str]:
        """What was met so far, for the summary."""
        return cls.machine.coverage.lines(most=3)

    def runTest(self) -> None:  # noqa: N802 -- unittest's name
        """Explore."""
        self.machine.explore(examples=self.examples, random_seed=self.random_seed)
