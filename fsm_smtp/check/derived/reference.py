"""The machine that a server is compared with, and the sequences that follow from it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from fsm_smtp.automata.cover import state_cover, transition_cover
from fsm_smtp.automata.equivalence import minimise
from fsm_smtp.automata.mealy import Mealy, explore
from fsm_smtp.automata.suite import wp_words
from fsm_smtp.automata.tree import PrefixTree
from fsm_smtp.check.derived.events import Machine
from fsm_smtp.owed import CLOSED, UNSENT, Answer, Entry, Input, Instance, ServerModel

#: A sequence of inputs, by name.
Word = tuple[str, ...]


@dataclass(frozen=True)
class Reference:
    """A model with its choices made.

    Attributes:
        model: what servers owe.
        instance: the machine of one server's choices; its states are called standings here.
        inputs: what each input sends.
        machine: the minimal machine; its states are classes of standings.
        classes: the class of each standing.
    """

    model: ServerModel
    instance: Instance
    inputs: dict[str, Input]
    machine: Mealy[str, str]
    classes: dict[int, int]

    @classmethod
    def of(cls, model: ServerModel, instance: Instance, extensions: frozenset[str]) -> "Reference":
        """The reference for an instance of *model*."""
        reached, standings = explore(
            instance.initial,
            instance.inputs,
            lambda state, name: (instance.outputs[state, name], instance.next[state, name]),
        )
        machine, classes = minimise(reached)
        return cls(
            model,
            instance,
            {one.name: one for one in model.inputs(extensions)},
            machine,
            dict(zip(standings, classes, strict=True)),
        )

    @cached_property
    def cover(self) -> tuple[Word, ...]:
        """A shortest way to each state of the minimal machine."""
        return state_cover(self.machine)

    def shown(self) -> Machine:
        """The minimal machine for a reader."""
        names: list[list[str]] = [[] for _ in range(self.machine.size)]
        for standing, number in self.classes.items():
            names[number].append(self.instance.names[standing])
        columns = (
            zip(*self.machine.outputs, strict=True),
            zip(*self.machine.successors, strict=True),
        )
        return Machine(
            tuple(map(tuple, names)),
            tuple(
                (
                    name,
                    tuple(
                        None if output == UNSENT else (output, following)
                        for output, following in zip(outputs, successors, strict=True)
                    ),
                )
                for name, outputs, successors in zip(self.machine.inputs, *columns, strict=True)
            ),
        )

    def suite(self, extra: int) -> "Suite":
        """What is played for m = n + *extra*: every transition, then what the Wp-method adds.

        Raises:
            ValueError: nothing that is sent tells two states apart.
        """
        transitions = PrefixTree(self.playable(transition_cover(self.machine)))
        whole = PrefixTree(self.playable(wp_words(self.machine, extra, UNSENT)))
        return Suite(tuple(transitions), whole, extra)

    def playable(self, words: Iterable[Word]) -> Iterable[Word]:
        """Each word up to where nothing more can be sent: the connection is closed then."""
        for word in words:
            state = self.instance.initial
            end = 0
            for name in word:
                if self.instance.outputs[state, name] in (CLOSED, UNSENT):
                    break
                state = self.instance.next[state, name]
                end += 1
            yield word[:end]

    @cached_property
    def _closing(self) -> dict[int, Word]:
        """For each standing the shortest word that makes the server close."""
        instance = self.instance
        ways: dict[int, Word] = {
            state: () for state in range(len(instance.names)) if self.is_closed(state)
        }
        before: dict[int, list[tuple[int, str]]] = {}
        for (state, name), following in instance.next.items():
            if instance.outputs[state, name] != UNSENT:
                before.setdefault(following, []).append((state, name))
        order = list(ways)
        for state in order:  # grows while it is walked
            for origin, name in before.get(state, ()):
                if origin not in ways:
                    ways[origin] = (name, *ways[state])
                    order.append(origin)
        return ways

    def closing(self, standing: int) -> Word:
        """What brings a server to close the connection: with it no reply stays unread."""
        return self._closing.get(standing, ())

    def is_closed(self, standing: int) -> bool:
        """Whether there is no connection any more."""
        outputs = self.instance.outputs
        return all(outputs[standing, name] == CLOSED for name in self.instance.inputs)

    def standing_after(self, word: Word) -> int:
        """Where the machine stands behind *word*."""
        state = self.instance.initial
        for name in word:
            state = self.instance.next[state, name]
        return state

    def chosen(self, standing: int, name: str) -> tuple[Answer, ...]:
        """The answers that agree with what the machine does there."""
        entry = self.entry(standing, name)
        server, standings = self.model.server, self.instance.standings
        behind = standings[self.instance.next[standing, name]]
        word = self.instance.outputs[standing, name]
        return tuple(
            answer
            for answer in entry.answers
            if answer.word == word and server.after(standings[standing], answer) == behind
        )

    def entry(self, standing: int, name: str) -> Entry:
        """What is owed there.

        Raises:
            ValueError: the input is not sent there.
        """
        entry = self.instance.owed[standing, name]
        if entry is None:
            raise ValueError(f"{name} is not sent in the state {self.instance.names[standing]}")
        return entry


@dataclass(frozen=True, slots=True)
class Suite:
    """The sequences of the Wp-method, and before them those that take each transition once.

    The latter add nothing to the guarantee. They are few, and what fails in them needs the least
    explaining.

    Attributes:
        transitions: the transition cover.
        whole: the words of the Wp-method.
        extra: how many states more than the machine's a server may have.
    """

    transitions: tuple[Word, ...]
    whole: PrefixTree[str]
    extra: int

    def words(self) -> Iterator[Word]:
        """All words, the transition cover first."""
        yield from self.transitions
        first = set(self.transitions)
        yield from (word for word in self.whole if word not in first)

    def __len__(self) -> int:
        return sum(1 for _ in self.words())
