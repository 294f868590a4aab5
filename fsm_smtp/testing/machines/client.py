"""`SMTPClientMachine` explores a client: Hypothesis chooses every reply of a model server."""

import socket
import unittest
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import ClassVar

from hypothesis import HealthCheck, Phase, given, seed, settings

from fsm_smtp.testing.machines.failure import ClientViolation
from fsm_smtp.testing.machines.mail import Send
from fsm_smtp.testing.machines.meeting import Meeting
from fsm_smtp.testing.machines.scene import Scene, plainest, scenes, single_scenes
from fsm_smtp.testing.server.options import HOST

EXAMPLES = 200


@dataclass
class SMTPClientMachine:
    """A client under test. Its ``TestCase`` is a test; `explore` runs it by hand.

    Attributes:
        send: sends one mail in one session; see `Send`.
        errors: what it may raise when the mail does not go out.
        allowed: sections that it may break, such as ``5321 §4.1.1.10`` if it never says QUIT.
        visited: the client's state by the table, and what happened to it there, how often.
        sessions: how many there were.
    """

    send: Send
    errors: tuple[type[Exception], ...] = (OSError,)
    allowed: frozenset[str] = frozenset()
    visited: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    sessions: int = 0

    def explore(self, *, examples: int = EXAMPLES, random_seed: int | None = None) -> None:
        """Explore the client.

        Args:
            examples: sessions, beside those that shorten a failure.
            random_seed: makes the run the same every time.

        Raises:
            ClientViolation: the plainest session that was found in which the client does wrong.
        """
        with socket.create_server((HOST, 0)) as listener:

            def session(scene: Scene) -> None:
                error = self._met(listener, scene)
                if error is not None:
                    error.scene = scene
                    raise error

            first = list(islice(single_scenes(), examples))
            test = settings(
                max_examples=max(examples - len(first), 1),
                phases=(Phase.generate,),
                deadline=None,
                database=None,
                print_blob=False,
                suppress_health_check=(HealthCheck.too_slow,),
            )(given(scenes())(session))
            if random_seed is not None:
                test = seed(random_seed)(test)
            try:
                for scene in first:
                    session(scene)
                if len(first) < examples:
                    test()
            except ClientViolation as error:
                if error.scene is None:
                    raise
                sessions = self.sessions
                found = plainest(lambda scene: self._met(listener, scene), error)
                found.sessions = sessions
                raise found from None

    def _met(self, listener: socket.socket, scene: Scene) -> ClientViolation | None:
        """What one session shows."""
        self.sessions += 1
        meeting = Meeting(scene.mail, scene.orders, scene.extensions)
        try:
            meeting.hold(self.send, listener, self.errors)
        except ClientViolation as error:
            return None if error.rfc in self.allowed else error
        finally:
            self.visited.update(meeting.visited)
        return None

    def lines(self) -> list[str]:
        """A report of what was visited."""
        states = {state for state, _ in self.visited}
        return [f"{len(states)} states, {len(self.visited)} pairs of a state and what came there"]

    @property
    def TestCase(self) -> "type[ClientTest]":  # noqa: N802 -- as Hypothesis names it
        """A test of unittest, which pytest finds too, that explores the client."""
        return type("SMTPClientTest", (ClientTest,), {"machine": self})


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

    def runTest(self) -> None:  # noqa: N802 -- unittest's name
        """Explore."""
        self.machine.explore(examples=self.examples, random_seed=self.random_seed)
