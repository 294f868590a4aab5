"""`SMTPClientMachine` explores a client: Hypothesis chooses every reply of a model server."""

import socket
import unittest
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from fsm_smtp.testing.machines.failure import ClientViolation
from fsm_smtp.testing.machines.mail import Mail, Send, mails
from fsm_smtp.testing.machines.meeting import Meeting
from fsm_smtp.testing.machines.replies import FAITHFUL, KINDS
from fsm_smtp.testing.server.options import HOST

EXAMPLES = 200
#: Replies of a session that are chosen: as many as a mail to three recipients has, and some.
REPLIES = 12
#: Extensions that a session may be without.
EXTENSIONS = (
    "PIPELINING",
    "SIZE",
    "8BITMIME",
    "CHUNKING",
    "SMTPUTF8",
    "DSN",
    "ENHANCEDSTATUSCODES",
)


def replies() -> st.SearchStrategy[list[str]]:
    """Kinds of replies in their order: one that is not faithful somewhere, or any."""
    one = st.builds(_one, st.integers(0, REPLIES - 1), st.sampled_from(KINDS))
    return st.one_of(one, st.lists(st.sampled_from(KINDS), max_size=REPLIES))


def _one(before: int, kind: str) -> list[str]:
    return [FAITHFUL] * before + [kind]


@dataclass
class SMTPClientMachine:
    """A client under test. Its ``TestCase`` is a test; `explore` runs it by hand.

    Attributes:
        send: sends one mail in one session; see `Send`.
        errors: what it may raise when the mail does not go out.
        allowed: sections that it may break, such as ``5321 §4.1.1.10`` if it never says QUIT.
        visited: the client's state by the table, and what happened to it there, how often.
    """

    send: Send
    errors: tuple[type[Exception], ...] = (OSError,)
    allowed: frozenset[str] = frozenset()
    visited: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])

    def meet(
        self, listener: socket.socket, mail: Mail, kinds: Sequence[str], without: frozenset[str]
    ) -> None:
        """One session.

        Raises:
            ClientViolation: the client breaks a rule, or fails.
        """
        offers = frozenset({"VRFY", *EXTENSIONS}) - without
        meeting = Meeting(mail, kinds, offers)
        try:
            meeting.hold(self.send, listener, self.errors)
        except ClientViolation as error:
            if error.rfc not in self.allowed:
                raise
        finally:
            self.visited.update(meeting.visited)

    def explore(self, *, examples: int = EXAMPLES, random_seed: int | None = None) -> None:
        """Explore the client.

        Args:
            examples: sessions, beside those that shrink a failure.
            random_seed: makes the run the same every time.

        Raises:
            ClientViolation: the shortest session that was found in which the client does wrong.
        """
        with socket.create_server((HOST, 0)) as listener:

            def session(mail: Mail, kinds: list[str], without: frozenset[str]) -> None:
                self.meet(listener, mail, kinds, without)

            test = settings(
                max_examples=examples,
                deadline=None,
                database=None,
                print_blob=False,
                report_multiple_bugs=False,
                suppress_health_check=(HealthCheck.too_slow,),
            )(
                given(
                    mail=mails(),
                    kinds=replies(),
                    without=st.frozensets(st.sampled_from(EXTENSIONS)),
                )(session)
            )
            if random_seed is not None:
                test = seed(random_seed)(test)
            test()

    def lines(self) -> list[str]:
        """A report of what was visited."""
        states = {state for state, _ in self.visited}
        return [f"{len(states)} states, {len(self.visited)} pairs of a state and what came there"]

    @property
    def TestCase(self) -> type[unittest.TestCase]:  # noqa: N802 -- as Hypothesis names it
        """A test of unittest, which pytest finds too, that explores the client."""
        machine = self

        class ClientTestCase(unittest.TestCase):
            """Explores the client."""

            examples = EXAMPLES
            random_seed: int | None = None

            def runTest(self) -> None:  # noqa: N802 -- unittest's name
                machine.explore(examples=self.examples, random_seed=self.random_seed)

        return ClientTestCase
