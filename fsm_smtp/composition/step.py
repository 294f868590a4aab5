"""One step of client and server together, and the claims that are made of it.

- ``lock-step``: without its doomed commands and their replies, a run is a run of lock-step. (The
  end of data that follows alone, after every recipient was refused, does what RSET does there.)
- ``same-transaction``: with nothing outstanding, the client and a server that owes only what the
  table says hold the same sender, recipients and transaction. Excused until the next reset is an
  answer that leaves the client in doubt by itself (``differs`` in the table), or that changed what
  the server holds when it answered a doomed command.
- ``same-fates``: what the client calls accepted the server has taken, for the same recipients, and
  the other way round; while the connection stands nothing else is taken.
- ``own-envelope``: each message that is taken has its own sender, recipients and content.
- ``no-early-content``: no octet of content is sent before 354.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from fsm_smtp.ahead import Flight, Pipeline
from fsm_smtp.ahead.flight import Answer
from fsm_smtp.composition.bounds import Bounds
from fsm_smtp.composition.deviations import Deviation
from fsm_smtp.composition.server import Command, Holding, Outcome, Server
from fsm_smtp.configuration import Configuration
from fsm_smtp.errors import CommandRefused


@dataclass(frozen=True, slots=True)
class Node:
    """Client and server together.

    Attributes:
        flight: the client: its configurations, and what is outstanding.
        commands: what the client knows of each outstanding command, oldest first.
        queue: what the server has not come to yet; the same commands, unless it throws some away.
        message: the number of the message that the client is at.
        opened: the message whose MAIL was accepted last.
        sent: how many of each kind of command it has sent of that message.
        accepted: message and number of each recipient that was accepted, of messages in the air.
        shadow: where a client in lock-step would be that had sent only what was not doomed.
        alone: content without recipients is open, and its end is all that may be sent.
        server: what the server holds.
    """

    flight: Flight
    commands: tuple[Command, ...]
    queue: tuple[Command, ...]
    message: int
    opened: int
    sent: tuple[tuple[str, int], ...]
    accepted: frozenset[tuple[int, int]]
    shadow: Configuration
    alone: bool
    server: Holding


class Claim(NamedTuple):
    """A claim that does not hold, and what was found."""

    id: str
    problem: str


class Trace(NamedTuple):
    """A step as a line of a transcript."""

    who: str
    text: str


class Step(NamedTuple):
    """A step: where it leads, or the claim that it breaks; both ``None`` when the run is over."""

    trace: Trace
    node: Node | None
    broken: Claim | None = None


class Stepper:
    """The steps there are from a node."""

    def __init__(
        self, pipeline: Pipeline, server: Server, bounds: Bounds, deviation: Deviation | None
    ) -> None:
        self._pipeline = pipeline
        self._machine = pipeline.machine
        self._triggers = server.triggers
        self._server = server
        self._bounds = bounds
        self._honest = deviation is None
        self._success = frozenset(
            name
            for name, trigger in self._triggers.items()
            if (trigger.digit or (trigger.codes or (0,))[0] // 100) == 2
        )
        self._writes = deviation is not None and deviation.behind_content is not None
        (self._end,) = (
            name for name, t in self._triggers.items() if t.group == "first" and t.replies
        )
        (self._reset,) = (name for name, t in self._triggers.items() if t.replies == "RSET")
        #: What the client may want to send: what belongs to messages, and what gives them up.
        self._wanted = tuple(
            name
            for name, trigger in self._triggers.items()
            if name in server.inputs and (trigger.message is not None or name == self._reset)
        )

    def begin(self, configuration: Configuration, holding: Holding) -> Node:
        """Both at rest."""
        flight = self._pipeline.begin(configuration)
        return Node(flight, (), (), 0, 0, (), frozenset(), configuration, False, holding)

    def steps(self, node: Node) -> Iterator[Step]:
        """What may happen next."""
        yield from self._sends(node)
        if node.commands:
            yield from self._answers(node)

    # -- the client sends ------------------------------------------------------------------------

    def _sends(self, node: Node) -> Iterator[Step]:
        pipeline, flight = self._pipeline, node.flight
        if len(node.commands) >= self._bounds.outstanding:
            return
        for name in self._wanted:
            if not pipeline.may(flight, name):
                continue
            if not self._bounds.departing and pipeline.departure(flight, name):
                continue
            column = self._triggers[name]
            counts = dict(node.sent)
            message = node.message
            if column.message == "begins":
                message, counts = message + 1, {}
            number = counts.get(name, 0)
            if column.message == "within":
                if number >= self._bounds.each:
                    continue
                counts[name] = number + 1
            for joined in (False, True) if self._in_writing(node) else (False,):
                command = Command(name, message, number, joined, node.alone)
                sent = replace(
                    node,
                    flight=pipeline.send(flight, name),
                    message=message,
                    sent=tuple(sorted(counts.items())),
                    alone=False,
                )
                yield self._sent(sent, command)

    def _in_writing(self, node: Node) -> bool:
        """Whether it matters if a command stands in one write with the one before it."""
        if not self._writes or not node.commands:
            return False
        for command in reversed(node.queue):
            if self._triggers[command.trigger].group == "first":
                return True
            if not command.joined:
                return False
        return node.server.behind is not None

    def _sent(self, node: Node, command: Command) -> Step:
        column = self._triggers[command.trigger]
        trace = Trace("C", _named(command))
        if column.group == "first" and not self._server.reads_content(node.server, command.trigger):
            return self._break(trace, "no-early-content", "the server takes it for a command", node)
        if column.replies is not None:
            commands, queue = (*node.commands, command), (*node.queue, command)
            return Step(trace, _tidy(replace(node, commands=commands, queue=queue)))
        (outcome,) = (o for o in self._server.outcomes(node.server, command) if o.reply is None)
        step = self._machine.step(node.shadow, command.trigger)
        if step.row is None:
            return self._break(trace, "lock-step", "no client in lock-step may send it", node)
        return Step(trace, _tidy(replace(node, server=outcome.holding, shadow=step.target)))

    # -- the server answers ----------------------------------------------------------------------

    def _answers(self, node: Node) -> Iterator[Step]:
        queue = node.queue
        while queue and self._server.discards(node.server, queue[0]):
            queue = queue[1:]
        if not queue:
            self._pipeline.end(node.flight, "timeout")
            yield Step(Trace("-", "no reply comes, and time runs out"), None)
            return
        node = replace(node, queue=queue[1:])
        for outcome in self._server.outcomes(node.server, queue[0]):
            yield self._answered(node, queue[0], outcome)

    def _answered(self, node: Node, processed: Command, outcome: Outcome) -> Step:
        """The server's reply to one command is taken for the reply to the client's oldest."""
        command = node.commands[0]
        if outcome.reply is None:
            self._pipeline.end(node.flight, "eof")
            return Step(Trace("-", "the server has closed the connection"), None)
        try:
            answer = self._pipeline.answer(node.flight, outcome.reply)
        except CommandRefused as refused:
            trace = Trace("S", outcome.reply)
            return self._break(trace, "lock-step", f"the client has no row for it: {refused}", node)
        trace = Trace("S", f"{outcome.reply} to {_named(command)}")
        after = replace(
            node,
            flight=answer.flight,
            commands=node.commands[1:],
            server=outcome.holding,
            accepted=self._accepted(node, command, outcome.reply),
        )
        if answer.sent is not None and answer.sent.doomed:
            changed = self._server.transaction(outcome.holding) != self._server.transaction(
                node.server
            )
            if changed:
                after = replace(after, server=replace(outcome.holding, excused=True))
        broken = self._judged(after, command, processed, outcome)
        if broken is not None:
            return Step(trace, None, broken)
        if self._triggers[command.trigger].message == "begins" and outcome.reply in self._success:
            after = replace(after, opened=command.message)
        shadow = self._shadowed(node, command, outcome.reply, answer)
        if shadow is None:
            return self._break(trace, "lock-step", "no run of lock-step has it", after)
        alone = (
            answer.sent is not None
            and answer.sent.doomed
            and self._pipeline.may(answer.flight, self._end)
        )
        after = replace(after, shadow=shadow, alone=alone)
        if answer.flight.confirmed["link"] == "over":
            return Step(trace, None)
        return Step(trace, _tidy(after), self._transaction(after))

    def _accepted(self, node: Node, command: Command, reply: str) -> frozenset[tuple[int, int]]:
        if command.trigger in self._server.adding and reply in self._success:
            return node.accepted | {(command.message, command.number)}
        return node.accepted

    def _judged(
        self, after: Node, command: Command, processed: Command, outcome: Outcome
    ) -> Claim | None:
        """The claims about fates and envelopes."""
        ends = self._triggers[command.trigger].message == "ends"
        success = outcome.reply in self._success
        mine = frozenset(one for one in after.accepted if one[0] == command.message)
        believed = mine if ends and success else frozenset[tuple[int, int]]()
        taken = outcome.taken.recipients if outcome.taken else frozenset[tuple[int, int]]()
        if outcome.taken is not None:
            owners = {one for one, _ in taken} | {outcome.taken.sender, *outcome.taken.content}
            if owners != {processed.message}:
                said = f"message {processed.message} goes out with what belongs to {owners}"
                return Claim("own-envelope", said)
        if believed != taken:
            said = f"the client calls {_set(believed)} accepted, the server has taken {_set(taken)}"
            return Claim("same-fates", said)
        return None

    def _shadowed(
        self, node: Node, command: Command, reply: str, answer: Answer
    ) -> Configuration | None:
        """Where lock-step would be; ``None`` when it cannot have gone that way."""
        assert answer.sent is not None
        machine = self._machine
        if answer.sent.doomed:
            return node.shadow
        if command.alone:  # content without recipients, whose message lock-step never opened
            begun = machine.step(node.shadow, self._reset)
            return machine.step(begun.target, "reply_2yz").target
        begun = machine.step(node.shadow, command.trigger)
        done = machine.step(begun.target, reply)
        return None if begun.row is None or done.row is None else done.target

    def _transaction(self, node: Node) -> Claim | None:
        """Do both sides hold the same, now that nothing is outstanding?"""
        confirmed = node.flight.confirmed
        if not self._honest or node.commands or confirmed["link"] != "up" or node.server.excused:
            return None
        if confirmed["awaiting"] != "nothing" or confirmed["chunking"] == "failed":
            return None
        held = self._server.transaction(node.server)
        if held != confirmed["transaction"]:
            said = f"the client holds {confirmed['transaction']}, the server {held}"
            return Claim("same-transaction", said)
        mine = frozenset(one for one in node.accepted if one[0] == node.opened)
        if held != "none" and (node.server.sender, node.server.recipients) != (node.opened, mine):
            said = f"the server holds {node.server.sender} and {_set(node.server.recipients)}"
            return Claim("same-transaction", said)
        return None

    def _break(self, trace: Trace, name: str, problem: str, node: Node) -> Step:
        return Step(trace, None, Claim(name, problem))


def _named(command: Command) -> str:
    return f"{command.trigger} of message {command.message}"


def _set(recipients: frozenset[tuple[int, int]]) -> str:
    return "{" + ", ".join(f"{m}.{n}" for m, n in sorted(recipients)) + "}"


def _capped(server: Holding) -> Holding:
    """A transaction with parts of three messages is as wrong as one with parts of two."""
    owners = sorted({one for one, _ in server.recipients})[2:]
    content = frozenset(sorted(server.content)[:2])
    if not owners and len(content) == len(server.content):
        return server
    kept = frozenset(one for one in server.recipients if one[0] not in owners)
    return replace(server, recipients=kept, content=content)


def _tidy(node: Node) -> Node:
    """The node with its messages numbered from nought, and without what nobody asks for again."""
    holds = node.commands or node.flight.confirmed["transaction"] != "none"
    opened = node.opened if holds else node.message
    living = {command.message for command in node.commands} | {node.message, opened}
    accepted = frozenset(one for one in node.accepted if one[0] in living)
    server = _capped(node.server)
    held = {one for one, _ in server.recipients} | server.content
    if server.sender is not None:
        held.add(server.sender)
    number = {old: new for new, old in enumerate(sorted(living | held))}
    same = all(old == new for old, new in number.items()) and opened == node.opened
    if same and len(accepted) == len(node.accepted) and server is node.server:
        return node
    return replace(
        node,
        commands=tuple(one._replace(message=number[one.message]) for one in node.commands),
        queue=tuple(one._replace(message=number[one.message]) for one in node.queue),
        message=number[node.message],
        opened=number[opened],
        accepted=frozenset((number[m], n) for m, n in accepted),
        server=replace(
            server,
            sender=None if server.sender is None else number[server.sender],
            recipients=frozenset((number[m], n) for m, n in server.recipients),
            content=frozenset(number[m] for m in server.content),
        ),
    )
