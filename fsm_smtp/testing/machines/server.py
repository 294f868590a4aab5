"""`SMTPServerMachine`: a state machine of Hypothesis that explores a server."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from hypothesis.stateful import TestCaseProperty

from fsm_smtp.check.engine.session import Settings
from fsm_smtp.owed import ServerModel
from fsm_smtp.table import load_table
from fsm_smtp.testing.machines.coverage import Coverage
from fsm_smtp.testing.machines.examiner import Plan
from fsm_smtp.testing.machines.exploring import server_test
from fsm_smtp.testing.machines.rules import Connect, ServerRules, Subject


class _AsTest(TestCaseProperty):
    """The machine as a test: ours has rounds."""

    def __get__(self, instance: object, owner: Any = None) -> Any:
        return server_test(owner)


class ServerMachine(ServerRules):
    """The machine; `SMTPServerMachine` makes a subclass for a server. Subclasses may add rules."""

    TestCase = _AsTest()


def SMTPServerMachine(  # noqa: N802 -- it makes a class, and is used like one
    connect: Connect,
    *,
    sender: str = "sender@client.example.test",
    recipient: str = "rcpt@example.test",
    unknown_recipient: str = "no-such-mailbox-here@example.test",
    user: str | None = None,
    password: str | None = None,
    strict: bool = False,
    floor: float = 0.0,
    known: Iterable[str] = (),
) -> type[ServerMachine]:
    """A state machine for a server. Its ``TestCase`` is a test; `explore` runs it by hand.

    Args:
        connect: opens a new connection, greeting not yet read.
        sender: a reverse-path that the server takes.
        recipient: a mailbox that it takes mail for.
        unknown_recipient: one that it does not know, if it can tell.
        user: the user for AUTH; without, AUTH is not tried.
        password: the user's password; never shown.
        strict: a code that no RFC lists there is a failure too, and so is what goes against a
            SHOULD.
        floor: the share of the transitions that a run must take, 0 to 1.
        known: sections, such as ``5321 §3.8``, that the server is known to break.
    """
    who = Settings(
        sender=sender,
        recipient=recipient,
        unknown_recipient=unknown_recipient,
        user=user,
        password=password,
    )
    model = _model()
    subject = Subject(connect, Plan(model, who, strict), Coverage(model), floor, frozenset(known))
    return type("SMTPServer", (ServerMachine,), {"subject": subject})


@cache
def _model() -> ServerModel:
    return ServerModel.of(load_table())
