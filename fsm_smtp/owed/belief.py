"""Where a server may stand, by what it has answered so far: the table turned round.

The table says what is owed where a server stands. Turned round it says where a server may stand
after an answer. Where the RFCs leave a choice, both sides of it stay possible until an answer
tells; no server has to choose the same twice. So what is called a violation here is one.
"""

from dataclasses import dataclass

from fsm_smtp.owed.judgement import Judgement, judge
from fsm_smtp.owed.model import ServerModel
from fsm_smtp.table.server_model import CLOSED, Entry, Standing, word_of

#: What may answer any input and leaves the server where it is; of 421 only closing is left.
_GOING = "421"


@dataclass(frozen=True, slots=True)
class Heard:
    """What an outcome means.

    Attributes:
        judgement: how it stands to what is owed, at the kindest reading.
        entry: what is owed there; of several, the first that allows it, or the first.
    """

    judgement: Judgement
    entry: Entry


class Belief:
    """The standings that are possible.

    Attributes:
        standings: never empty; one when it is known where the server stands.
    """

    def __init__(self, model: ServerModel) -> None:
        self._model = model
        self.standings: frozenset[Standing] = frozenset({model.server.initial})

    @property
    def standing(self) -> Standing | None:
        """The standing, if it is known."""
        [*found] = self.standings
        return found[0] if len(found) == 1 else None

    @property
    def mode(self) -> str:
        """How the server reads input. A reply tells it; only whether it has closed may be open."""
        modes = {mode for mode, _ in self.standings}
        return min(modes - {CLOSED}, default=CLOSED)

    def sends(self, name: str) -> bool:
        """Whether the input is one that can be sent here, legal or not."""
        return all(self._model.owed(one, name) is not None for one in self.standings)

    def is_legal(self, name: str) -> bool:
        """Whether the first answer to the input is no refusal, wherever the server may stand."""
        entries = (self._model.owed(one, name) for one in self.standings)
        return all(one is not None and one.answers[0].word[0] not in "45" for one in entries)

    def heed(self, name: str, outcome: str) -> Heard:
        """Take in the outcome of an input: a reply code, ``none`` or ``closed``.

        A violation changes nothing: where the server stands then, nobody knows.

        Raises:
            ValueError: the input is not sent where the server may stand.
        """
        server, after = self._model.server, self._model.server.after
        following: set[Standing] = set()
        heard: list[Heard] = []
        for standing in self.standings:
            entry = self._model.owed(standing, name)
            if entry is None:
                raise ValueError(f"{name} is not sent in the mode {standing[0]}")
            judgement = judge(server, entry, outcome)
            heard.append(Heard(judgement, entry))
            if judgement is Judgement.VIOLATION:
                continue
            if judgement is Judgement.POLICY:
                gone = outcome == _GOING
                following.add((CLOSED, server.initial[1]) if gone else standing)
            following.update(
                after(standing, answer)
                for answer in entry.answers
                if answer.allows(outcome)
                or (judgement is Judgement.UNLISTED and answer.word == word_of(outcome))
            )
        if following:
            self.standings = frozenset(following)
        return min(heard, key=lambda one: _ORDER.index(one.judgement))


_ORDER = tuple(Judgement)
