"""What a server owes, as frozen dataclasses: the section ``server`` of a table.

A server is seen as a Mealy machine over *standings*: a mode (how it reads input) and a view (the
variables of the table that a server can see too). An entry says what is owed to an input in a
mode, under a guard over the view. Its answers are all allowed: where there are several the RFCs
leave a choice, and they may lead to different standings.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from fsm_smtp.table.guard import Guard

Level = Literal["MUST", "SHOULD", "MAY"]

#: A mode, and the values of the view's variables in the order of `Server.view`.
Standing = tuple[str, tuple[str, ...]]

#: The outcome of an input that draws no reply.
NONE = "none"
#: The outcome of an input when there is no connection any more.
CLOSED = "closed"
#: The outcome of an input in a mode in which it is not sent.
UNSENT = "unsent"
#: Codes that change the mode or the view by themselves are outcomes of their own.
EXACT = ("220", "235", "334", "354", "421")


def word_of(outcome: str) -> str:
    """The abstract output of an outcome.

    A reply code becomes its class (``250`` → ``2yz``) unless it is one of `EXACT`; everything
    else, such as ``5yz``, ``none``, ``closed`` or ``unsent``, stands for itself.
    """
    if len(outcome) == 3 and outcome.isdecimal() and outcome not in EXACT:
        return f"{outcome[0]}yz"
    return outcome


@dataclass(frozen=True, slots=True)
class Mode:
    """How a server reads input.

    Attributes:
        states: the states in which a client at rest meets a server in this mode.
        passing: it begins and ends within one input; no server rests in it.
        forgets: the view has its start values there.
    """

    name: str
    means: str
    states: tuple[str, ...] = ()
    passing: bool = False
    forgets: bool = False
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Input:
    """Something that a tester sends at once, and waits for at most one reply.

    Attributes:
        lines: templates of lines, each to be sent with CRLF. Placeholders: ``{sender}``,
            ``{recipient}``, ``{unknown_recipient}``, ``{ehlo_name}``, ``{pad:N}`` (N letters),
            ``{plain}`` and ``{wrong_plain}`` (SASL PLAIN responses), ``{octets}`` (how many
            `octets` there are).
        octets: sent behind the lines as they are: a chunk.
        sends: the client's trigger that this is; ``None`` when no client of ours sends it.
        after: class of the reply → the client's triggers that follow it at once.
        never: classes of positive replies that `sends` may get and this input cannot.
        modes: the modes in which it is sent; in others its outcome is `UNSENT`.
        extension: the EHLO keyword that it needs.
        through: the passing mode it goes through, such as ``handshake``: when the reply is one
            of `after`, the tester does what that mode says before the next input.
    """

    name: str
    means: str
    lines: tuple[str, ...]
    octets: str = ""
    sends: str | None = None
    after: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    never: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    extension: str | None = None
    through: str | None = None
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the answers that an entry allows; all its codes have one word.

    Attributes:
        name: unique in its entry.
        codes: reply codes, classes such as ``5yz``, or `NONE` or `CLOSED`.
        mode: the mode that follows; ``None``: it stays.
        then: the variables of the view that change.
        against: ``SHOULD`` when the answer goes against one.
        differs: why a client may hold another view behind this answer.
    """

    name: str
    codes: tuple[str, ...]
    mode: str | None = None
    then: tuple[tuple[str, str], ...] = ()
    against: str | None = None
    differs: str | None = None
    place: str = field(default="", compare=False)

    @property
    def word(self) -> str:
        """The abstract output, as by `word_of`."""
        return word_of(self.codes[0])

    def allows(self, outcome: str) -> bool:
        """Whether *outcome*, a code or an abstract output, is among the codes."""
        if outcome in self.codes:
            return True
        word = word_of(outcome)
        # A class stands for its codes, and an abstract output tells nothing more than its class.
        return word == self.word and (word in self.codes or word == outcome)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is owed to some inputs in a mode, where the guard over the view holds.

    Attributes:
        per: the variables for each value of which a server may choose anew among the answers.
    """

    id: str
    about: str
    mode: str
    inputs: tuple[str, ...]
    when: Guard
    level: Level
    says: str
    answers: tuple[Answer, ...]
    per: tuple[str, ...]
    rfc: str
    place: str = field(default="", compare=False)

    def allows(self, outcome: str) -> bool:
        """Whether one of the answers allows *outcome*."""
        return any(answer.allows(outcome) for answer in self.answers)

    def answer(self, name: str) -> Answer:
        """The answer of this name.

        Raises:
            KeyError: there is none.
        """
        for answer in self.answers:
            if answer.name == name:
                return answer
        raise KeyError(f"entry {self.id} has no answer {name!r}")


@dataclass(frozen=True, slots=True)
class Anywhere:
    """A code that may answer any input, and whether the connection is closed behind it."""

    code: str
    closes: bool
    says: str
    rfc: str


@dataclass(frozen=True)
class Server:
    """The section ``server`` of a table.

    Attributes:
        begins: the client's triggers up to where `initial` is the server's standing.
    """

    view: tuple[str, ...]
    initial: Standing
    begins: tuple[str, ...]
    modes: Mapping[str, Mode]
    inputs: Mapping[str, Input]
    anywhere: tuple[Anywhere, ...]
    entries: tuple[Entry, ...]

    @cached_property
    def _index(self) -> Mapping[tuple[str, str], tuple[tuple[Entry, "Tests"], ...]]:
        number = {name: n for n, name in enumerate(self.view)}
        index: dict[tuple[str, str], list[tuple[Entry, Tests]]] = {}
        for entry in self.entries:
            tests = tuple((number[name], values) for name, values in entry.when)
            for name in entry.inputs:
                index.setdefault((entry.mode, name), []).append((entry, tests))
        return {key: tuple(found) for key, found in index.items()}

    def owed(self, standing: Standing, input_name: str) -> Iterator[Entry]:
        """The entries that speak of the input in *standing*; a checked section has one."""
        mode, view = standing
        for entry, tests in self._index.get((mode, input_name), ()):
            if all(view[number] in values for number, values in tests):
                yield entry

    def after(self, standing: Standing, answer: Answer) -> Standing:
        """The standing behind *answer*."""
        if not answer.then and answer.mode is None:
            return standing
        mode, view = standing
        mode = answer.mode or mode
        if self.modes[mode].forgets:
            return mode, self.initial[1]
        changed = dict(zip(self.view, view, strict=True)) | dict(answer.then)
        return mode, tuple(changed.values())


#: Places of variables in the view, and the values that a guard lets pass.
Tests = tuple[tuple[int, tuple[str, ...]], ...]
