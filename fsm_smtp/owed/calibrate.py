"""Finds out what a server has chosen where the RFCs leave it a choice.

Points are probed nearest to the greeting first, each by the shortest way through what is already
known. Where the outcome alone does not tell which answer it was (a refused DATA may keep the
transaction or give it up), the probe is repeated with a continuation that tells. An outcome that
no answer allows is a finding; the answer whose behaviour is nearest is taken, so that testing can
go on. Nothing here knows how a sequence is played.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from fsm_smtp.owed.judgement import Judgement, judge
from fsm_smtp.owed.model import ServerModel
from fsm_smtp.owed.partial import PartialMachine
from fsm_smtp.table.server_model import Answer, Entry, Standing, word_of

#: Plays a sequence of inputs on a new connection, behind its greeting, and returns the outcome of
#: each: a reply code, ``none`` (no reply is due: content), ``closed``, or ``unsent`` (the input is
#: not sent in the mode that the last reply has led to: 354 content, 334 sasl, else command).
Ask = Callable[[tuple[str, ...]], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """An outcome that is not owed.

    Attributes:
        entry: what is owed there; its ``rfc``, ``level`` and ``says`` are the requirement.
        sequence: the inputs, up to the one with this outcome.
        outcome: what was seen.
        judgement: never `Judgement.ALLOWED`.
    """

    entry: Entry
    sequence: tuple[str, ...]
    outcome: str
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Probe:
    """A point, what was played and seen for it, and the answer that it shows.

    Attributes:
        sequences: each sequence that was played, and its outcomes.
        certain: False when what was seen does not tell which answer it is (the outcome answers
            any input, or is not owed), or when nothing tells the answers apart.
    """

    point: str
    sequences: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    chosen: str
    certain: bool


@dataclass(frozen=True)
class Calibration:
    """What a server has chosen."""

    choices: Mapping[str, str]
    probes: tuple[Probe, ...]
    findings: tuple[Finding, ...]


def calibrate(model: ServerModel, extensions: frozenset[str], ask: Ask) -> Calibration:
    """Probe every point that the server can come to.

    Args:
        model: what servers owe.
        extensions: the EHLO keywords that the server offers, of those that inputs need.
        ask: plays a sequence.
    """
    questions = probes(model, extensions)
    try:
        sequence = next(questions)
        while True:
            sequence = questions.send(ask(sequence))
    except StopIteration as stop:
        found = stop.value
        assert isinstance(found, Calibration)
        return found


#: Yields sequences of inputs, receives their outcomes, returns the calibration.
Questions = Generator[tuple[str, ...], Sequence[str], Calibration]


def probes(model: ServerModel, extensions: frozenset[str]) -> Questions:
    """The questions of `calibrate`, for one who plays them in another way (asyncio, say)."""
    return (yield from _Calibrator(model, extensions).run())


@dataclass(slots=True)
class _Open:
    """A point that is being probed: where it is met, and the answers that it may still be."""

    point: str
    standing: Standing
    entry: Entry
    sequence: tuple[str, ...]
    candidates: tuple[Answer, ...] = ()
    sequences: list[tuple[tuple[str, ...], tuple[str, ...]]] = field(
        default_factory=list[tuple[tuple[str, ...], tuple[str, ...]]]
    )
    certain: bool = True


_Asking = Generator[tuple[str, ...], Sequence[str], None]


class _Calibrator:
    def __init__(self, model: ServerModel, extensions: frozenset[str]) -> None:
        self.model = model
        self.extensions = extensions
        self.choices: dict[str, str] = {}
        self.probes: list[Probe] = []
        self.findings: dict[tuple[str, str, str], Finding] = {}
        self.waiting: dict[str, _Open] = {}

    def run(self) -> Questions:
        while True:
            machine = self._machine()
            met = self._next(machine)
            if met is None:
                if not self.waiting:
                    break
                # Nothing else is left to learn from: no continuation tells these answers apart.
                met = next(iter(self.waiting.values()))
                met.certain = False
                self._choose(met)
                continue
            if not met.candidates:
                yield from self._probe(machine, met)
            yield from self._tell(met)
        return Calibration(self.choices, tuple(self.probes), tuple(self.findings.values()))

    def _machine(self, *met: _Open) -> PartialMachine:
        """What is known, also of the choices that are not made out yet."""
        narrowed = {
            one.point: [answer.name for answer in one.candidates]
            for one in (*self.waiting.values(), *met)
        }
        return PartialMachine(self.model, self.choices, self.extensions, narrowed)

    def _next(self, machine: PartialMachine) -> _Open | None:
        """The nearest point that can be probed, or one that waits and can now be told."""
        told: _Open | None = None
        for standing, access in machine.ways():
            for name in machine.inputs:
                entry = self.model.owed(standing, name)
                point = entry and self.model.point_id(standing, name, entry)
                if not entry or not point or point in self.choices:
                    continue
                if point not in self.waiting:
                    return _Open(point, standing, entry, (*access, name))
                # The same choice shows at every standing where it is met, and perhaps tells there.
                here = replace(self.waiting[point], standing=standing, sequence=(*access, name))
                if told is None and self._telling(machine, here):
                    told = here
        return told

    def _probe(self, machine: PartialMachine, met: _Open) -> _Asking:
        """Play the way to a point and its input; what is left are the answers it may have been."""
        outcomes = yield from self._ask(machine, met, met.sequence)
        answers = met.entry.answers
        way = met.sequence[:-1]
        start = self.model.server.initial
        if len(outcomes) < len(met.sequence) or machine.agreement(start, way, outcomes) < len(way):
            met.candidates, met.certain = answers[:1], False
            return
        seen = outcomes[-1]
        met.candidates = tuple(answer for answer in answers if answer.allows(seen))
        if not met.candidates:
            met.certain = False
            same_class = tuple(answer for answer in answers if answer.word == word_of(seen))
            # What it does next says more than this outcome; that only decides what is left equal.
            alike = sorted(answers, key=lambda answer: _kind(answer.word) != _kind(seen))
            met.candidates = same_class or tuple(alike)

    def _tell(self, met: _Open) -> _Asking:
        """Play continuations until one behaviour is left, or nothing tells the rest apart."""
        # What the outcome has shown already may tell as well: the same input once more, say.
        machine = self._machine(met)
        while continuation := self._telling(machine, met):
            sequence = (*met.sequence, *continuation)
            outcomes = (yield from self._ask(machine, met, sequence))[len(met.sequence) :]
            after = self.model.server.after
            depth = {
                answer.name: machine.agreement(after(met.standing, answer), continuation, outcomes)
                for answer in met.candidates
            }
            best = max(depth.values())
            met.certain = met.certain and best == len(continuation)
            nearest = tuple(one for one in met.candidates if depth[one.name] == best)
            if len(nearest) == len(met.candidates):  # it behaved like none of them
                met.certain = False
                nearest = nearest[:1]
            met.candidates = nearest
            machine = self._machine(met)
        behind = {self.model.server.after(met.standing, answer) for answer in met.candidates}
        if len(behind) == 1:
            self._choose(met)
        else:
            self.waiting[met.point] = met

    def _telling(self, machine: PartialMachine, met: _Open) -> tuple[str, ...] | None:
        behind = [self.model.server.after(met.standing, answer) for answer in met.candidates]
        for one, other in combinations(dict.fromkeys(behind), 2):
            continuation = machine.telling(one, other)
            if continuation is not None:
                return continuation
        return None

    def _choose(self, met: _Open) -> None:
        self.waiting.pop(met.point, None)
        chosen = met.candidates[0].name
        self.choices[met.point] = chosen
        self.probes.append(Probe(met.point, tuple(met.sequences), chosen, met.certain))

    def _ask(
        self, machine: PartialMachine, met: _Open, sequence: tuple[str, ...]
    ) -> Generator[tuple[str, ...], Sequence[str], tuple[str, ...]]:
        outcomes = tuple((yield sequence))
        met.sequences.append((sequence, outcomes))
        self._judge(machine, sequence, outcomes)
        return outcomes

    def _judge(
        self, machine: PartialMachine, sequence: tuple[str, ...], outcomes: tuple[str, ...]
    ) -> None:
        """Note what is not owed, as far as it is known where the server stands."""
        standing: Standing | None = self.model.server.initial
        for number, (name, outcome) in enumerate(zip(sequence, outcomes, strict=False)):
            if standing is None:
                return
            entry = self.model.owed(standing, name)
            if entry is not None:
                judgement = judge(self.model.server, entry, outcome)
                if judgement is not Judgement.ALLOWED:
                    key = (entry.id, name, outcome)
                    finding = Finding(entry, sequence[: number + 1], outcome, judgement)
                    self.findings.setdefault(key, finding)
            standing = machine.following(standing, name, outcome)


def _kind(word: str) -> str | None:
    """Whether a word is positive or a refusal; None when it is no reply."""
    if word[:1] in ("2", "3"):
        return "positive"
    return "refusal" if word[:1] in ("4", "5") else None
