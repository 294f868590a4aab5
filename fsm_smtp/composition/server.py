"""The server's half: a server that chooses among all that it owes, with envelopes that have names.

Which answers there are, and what each leads to, is the table's ``server`` section. Here only the
names are added: whose sender the transaction has, whose recipients, whose content.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from fsm_smtp.composition.deviations import Deviation
from fsm_smtp.owed import CLOSED, NONE, Answer, ServerModel
from fsm_smtp.table import Table
from fsm_smtp.table.server_model import Input, Standing
from fsm_smtp.vocabulary import Vocabulary

#: The reply to a command that is refused for no reason of its own.
_REFUSED = "503"

#: A code for each word of a reply that stands for a class.
_CODES = {"2yz": 250, "4yz": 450, "5yz": 550}


_NOBODY = frozenset[tuple[int, int]]()
_NOTHING = frozenset[int]()


class Command(NamedTuple):
    """A command on its way.

    Attributes:
        trigger: the client trigger.
        message: the number of the message that it belongs to.
        number: which of its kind in the message.
        joined: it stands in one write with the command before it.
        alone: it ends content that has no recipient and is empty.
    """

    trigger: str
    message: int
    number: int
    joined: bool = False
    alone: bool = False


class Taken(NamedTuple):
    """A message that the server has taken, and will deliver."""

    sender: int | None
    recipients: frozenset[tuple[int, int]]
    content: frozenset[int]


@dataclass(frozen=True, slots=True)
class Holding:
    """What a server holds.

    Attributes:
        standing: how it reads input, and what it remembers.
        sender: the message whose sender the transaction has.
        recipients: message and number of each recipient.
        content: the messages of which it has content.
        excused: it has given an answer behind which a client may hold something else.
        behind: what becomes of commands in one write with the end of data, while that write lasts.
    """

    standing: Standing
    sender: int | None = None
    recipients: frozenset[tuple[int, int]] = _NOBODY
    content: frozenset[int] = _NOTHING
    excused: bool = False
    behind: str | None = None


class Outcome(NamedTuple):
    """What may come of a command: the reply's trigger (``None``: the connection is closed)."""

    reply: str | None
    holding: Holding
    taken: Taken | None


class Server:
    """What a server may do, over the table's ``server`` section."""

    def __init__(self, table: Table, deviation: Deviation | None = None) -> None:
        self._model = ServerModel.of(table)
        self._section = self._model.server
        self._words = Vocabulary(table)
        self.triggers = table.triggers
        self._deviation = deviation
        self._place = {name: number for number, name in enumerate(self._section.view)}
        #: By client trigger: the input that it is (the first: what is well-formed stands first).
        self.inputs: dict[str, Input] = {}
        for one in self._section.inputs.values():
            if one.sends is not None:
                self.inputs.setdefault(one.sends, one)
        #: The triggers whose success adds a recipient.
        self.adding = frozenset(
            one.sends
            for entry in self._section.entries
            for one in map(self._section.inputs.__getitem__, entry.inputs)
            for answer in entry.answers
            if one.sends is not None and ("transaction", "recipient") in answer.then
        )
        self._known: dict[tuple[Holding, Command], tuple[Outcome, ...]] = {}

    def at(self, **view: str) -> Holding:
        """A server at rest, with these values in its view."""
        mode, start = self._section.initial
        values = dict(zip(self._section.view, start, strict=True)) | view
        return Holding((mode, tuple(values.values())))

    def transaction(self, holding: Holding) -> str:
        """Its transaction, as the table's variable has it."""
        return holding.standing[1][self._place["transaction"]]

    def reads_content(self, holding: Holding, trigger: str) -> bool:
        """Whether what *trigger* sends is content to it, or the end of it."""
        entry = self._model.owed(holding.standing, self.inputs[trigger].name)
        return entry is not None and self._section.modes[entry.mode].name == "content"

    def outcomes(self, holding: Holding, command: Command) -> tuple[Outcome, ...]:
        """What may come of *command*: one outcome for each answer and what it leads to."""
        key = holding, command
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = tuple(dict.fromkeys(self._outcomes(holding, command)))
        return found

    def discards(self, holding: Holding, command: Command) -> bool:
        """Whether *command* is thrown away without a reply."""
        return holding.behind == "discarded" and command.joined

    def _outcomes(self, holding: Holding, command: Command) -> Iterator[Outcome]:
        if not command.joined:
            holding = replace(holding, behind=None)
        elif holding.behind == "refused":
            yield Outcome(self._reply(_REFUSED), holding, None)
            return
        one = self.inputs[command.trigger]
        for answer in self._answers(holding.standing, one):
            yield self._answered(holding, command, one, answer)
        if self._section.modes[holding.standing[0]].forgets:
            return
        for anywhere in self._section.anywhere:
            if anywhere.closes:
                closed = next(n for n, mode in self._section.modes.items() if mode.forgets)
                gone = Holding((closed, self._section.initial[1]))
                yield Outcome(self._reply(anywhere.code), gone, None)

    def _answers(self, standing: Standing, one: Input) -> Iterator[Answer]:
        entry = self._model.owed(standing, one.name)
        if entry is not None:
            yield from (answer for answer in entry.answers if not self._first(answer))
            if self._deviation is None or self._section.modes[entry.mode].forgets:
                return
            view = dict(zip(self._section.view, standing[1], strict=True))
            for extra in self._deviation.extras:
                answered = entry.answers[0].word != NONE
                if one.name in extra.inputs and answered and _holds(extra.when, view):
                    yield extra.answer

    def _first(self, answer: Answer) -> bool:
        """Whether it says that something must come first: a server that says so refuses MAIL."""
        conditions = {one.code for one in self._section.anywhere if not one.closes}
        return set(answer.codes) <= conditions

    def _answered(self, holding: Holding, command: Command, one: Input, answer: Answer) -> Outcome:
        part = self.triggers[command.trigger].message
        standing = self._section.after(holding.standing, answer)
        if answer.word == CLOSED:
            return Outcome(None, Holding(standing), None)
        success = answer.word == "2yz"
        then = dict(answer.then)
        sender, recipients, content = holding.sender, holding.recipients, holding.content
        if then.get("transaction") == "open":  # a transaction begins, at first or anew
            sender, recipients, content = command.message, _NOBODY, _NOTHING
        elif then.get("transaction") == "recipient":
            recipients |= {(command.message, command.number)}
        if (success and one.octets) or answer.word == NONE:
            content |= {command.message}
        taken = None
        if success and part == "ends" and recipients:
            taken = Taken(sender, recipients, content)
        excused = holding.excused or answer.differs is not None
        after = standing[1][self._place["transaction"]]
        if after == "none":
            sender, recipients, content = None, _NOBODY, _NOTHING
            # A reset that the client has asked for, and knows of, is common ground again.
            excused = excused and not (success and part is None)
        behind = holding.behind
        if self._deviation is not None and part == "ends" and holding.standing[0] != standing[0]:
            behind = self._deviation.behind_content  # what came with the end of content
        reply = None if answer.word == NONE else self._reply(answer.codes[0])
        return Outcome(
            reply, Holding(standing, sender, recipients, content, excused, behind), taken
        )

    def _reply(self, code: str) -> str:
        return self._words.reply(_CODES.get(code) or int(code))


def _holds(when: tuple[tuple[str, tuple[str, ...]], ...], view: dict[str, str]) -> bool:
    return all(view[name] in values for name, values in when)
