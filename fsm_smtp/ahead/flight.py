"""What is in the air between client and server: immutable, hashable, without a clock or I/O."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from fsm_smtp.configuration import Configuration
from fsm_smtp.machine import Step

Rule = Literal["order", "pipelining", "group", "behind", "doomed", "distrust"]


class Sent(NamedTuple):
    """A command that waits for its reply.

    Attributes:
        trigger: the client trigger.
        doomed: its message has come to nothing, or the command itself cannot succeed any more; the
            reply is awaited and judged all the same.
        after: the configuration that is expected behind it: on success, or, when it is doomed, on
            refusal.
    """

    trigger: str
    doomed: bool
    after: Configuration


@dataclass(frozen=True, slots=True)
class Flight:
    """The confirmed configuration, what is outstanding, and so the expected configuration.

    Attributes:
        confirmed: what is known: the oldest outstanding command awaits its reply here. With
            nothing outstanding, or one command, this is the configuration of lock-step.
        outstanding: the commands that wait for replies, oldest first.
        doomed: the message whose commands are being answered has come to nothing.
        trusted: the server has not accepted a doomed command on this connection.
    """

    confirmed: Configuration
    outstanding: tuple[Sent, ...] = ()
    doomed: bool = False
    trusted: bool = True

    @property
    def expected(self) -> Configuration:
        """The configuration if every outstanding command succeeds but those that are doomed."""
        return self.outstanding[-1].after if self.outstanding else self.confirmed


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why a command may not be sent now.

    Attributes:
        rule: which rule forbids it; see the package's docstring.
        why: one sentence.
        rfc: the section behind it.
    """

    rule: Rule
    why: str
    rfc: str


@dataclass(frozen=True, slots=True)
class Departure:
    """What departs from an RFC without being refused."""

    why: str
    rfc: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reply, or the end of the connection, did.

    Attributes:
        flight: the flight afterwards.
        sent: the command that the reply answers; ``None`` when nobody asked.
        step: what the machine made of it in the confirmed configuration: the row (whether it is a
            violation, and why) and its target.
        disputed: a doomed command was accepted: see the rule ``distrust``.
    """

    flight: Flight
    sent: Sent | None
    step: Step
    disputed: bool = False
