"""One sequence on one connection, and where the server leaves the machine.

Nothing is waited for in silence: an input that owes no reply is written, and the next reply shows
whether one came too many. Behind the sequence goes what makes the server close, so that every
reply is read. A run that is *careful* does wait, and finds the very input.
"""

import asyncio
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from fsm_smtp.check.derived.opening import opened
from fsm_smtp.check.derived.reference import Reference, Word
from fsm_smtp.check.derived.sending import Sender
from fsm_smtp.check.engine.connection import Connection, Target
from fsm_smtp.check.engine.outcome import Outcome
from fsm_smtp.check.engine.session import Settings
from fsm_smtp.errors import TargetUnreachable
from fsm_smtp.owed import CLOSED, NONE, UNSENT, Entry, Input, Judgement, judge, word_of

#: Refusals, and commands, in one session from which a closed connection is a policy and no
#: mistake: servers are known to hang up on the third unknown command and on the tenth command
#: that mails nothing.
POLICY_REFUSALS = 3
POLICY_COMMANDS = 10
#: What a server may do beside its replies; as an output none of them is ever owed.
SURPLUS, CUT, OPEN = "surplus", "cut", "open"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Where the server left the machine.

    Attributes:
        word: the inputs up to there.
        standing: where the machine stood before the last of them.
        got: the abstract output that came in place of the machine's.
        shown: what came, in words.
    """

    word: Word
    standing: int
    got: str
    shown: str

    @property
    def name(self) -> str:
        """The input that was answered otherwise."""
        return self.word[-1]


@dataclass(frozen=True, slots=True)
class Remark:
    """An outcome that has the machine's abstract output, but is not quite what is owed.

    Attributes:
        word: the inputs up to there.
        standing: where the machine stood before the last of them.
        code: the reply code.
        shown: what came, in words.
        judgement: ``DISCOURAGED`` or ``UNLISTED``.
    """

    word: Word
    standing: int
    code: str
    shown: str
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Run:
    """How a sequence went.

    Attributes:
        word: the sequence.
        disagreement: where the server left the machine, if it did.
        cut: why the sequence could not be played to its end (policy, no connection), if so.
        remarks: what is to be said of the replies.
        transcript: the session.
        reached: the inputs up to the last one that was sent.
        hung_up: whether the server has closed behind the disagreement, if that was asked.
    """

    word: Word
    disagreement: Disagreement | None = None
    cut: str | None = None
    remarks: tuple[Remark, ...] = ()
    transcript: tuple[str, ...] = ()
    reached: Word = ()
    hung_up: bool = False

    @property
    def is_clean(self) -> bool:
        """Whether the sequence was played to its end, and all was as the machine has it."""
        return self.disagreement is None and self.cut is None


@dataclass(frozen=True, slots=True)
class Site:
    """Where sequences are played, against what they are judged, and what counts as silence.

    Attributes:
        quiet: seconds without a reply that are silence, where none is owed.
    """

    target: Target
    settings: Settings
    reference: Reference
    quiet: float


async def play(
    site: Site,
    word: Word,
    *,
    careful: bool = False,
    closing: bool = True,
    patience: float | None = None,
    hanging_up: bool = False,
    grouped: Collection[int] = (),
) -> Run:
    """How *word* goes on a connection of its own; with *closing* on to the closed connection.

    *patience* is how many seconds a reply may take, if not the timeout of the settings. With
    *hanging_up* it is waited for the server to close behind a disagreement. Inputs at *grouped*
    places are sent together with the one before.
    """
    whole = word
    hung_up = False
    if closing:
        whole += site.reference.closing(site.reference.standing_after(word))
    try:
        async with (
            asyncio.timeout(site.settings.case_timeout),
            opened(site.target, site.settings) as connection,
        ):
            player = _Player(site, connection, careful, patience, grouped)
            await player.run(whole)
            if hanging_up and player.disagreement is not None:
                hung_up = await _hangs_up(connection, site.quiet, 1 + len(grouped))
    except TimeoutError:
        return Run(word, cut=f"no end within {site.settings.case_timeout:g} s")
    except TargetUnreachable as error:
        return Run(word, cut=error.why)
    return Run(
        word,
        player.disagreement,
        player.cut,
        tuple(player.remarks),
        connection.transcript.lines,
        player.reached,
        hung_up,
    )


async def _hangs_up(connection: Connection, quiet: float, replies: int) -> bool:
    """Whether the server closes now, behind at most so many *replies*."""
    for _ in range(replies + 1):
        outcome = await connection.outcome(quiet)
        if outcome.word in ("closed", "silence"):
            return outcome.word == "closed"
    return False


class _Player:
    def __init__(
        self,
        site: Site,
        connection: Connection,
        careful: bool,
        patience: float | None,
        grouped: Collection[int],
    ) -> None:
        self._reference = site.reference
        self._connection = connection
        self._redaction = site.settings.redaction()
        self._sender = Sender(connection, site.settings)
        self._patience = patience
        self._grouped = grouped
        self._quiet = site.quiet if careful else None
        self._refusals = 0
        self._word: Word = ()
        self._standing = site.reference.instance.initial
        self.disagreement: Disagreement | None = None
        self.cut: str | None = None
        self.remarks: list[Remark] = []

    async def run(self, word: Word) -> None:
        instance = self._reference.instance
        for number, name in enumerate(word, 1):
            expected = instance.outputs[self._standing, name]
            if expected == CLOSED:
                return
            if expected == UNSENT:
                continue
            self._word = word[:number]
            symbol = self._reference.inputs[name]
            if number - 1 not in self._grouped:
                await self._sender.send(*self._group(word, number - 1))
            if expected != NONE:
                outcome = await self._connection.outcome(self._patience)
                self._compare(name, expected, outcome)
                if self._goes_on and (failed := await self._sender.secure(symbol, outcome)):
                    self.cut = failed
            following = instance.next[self._standing, name]
            if self._goes_on:
                if self._reference.is_closed(following):
                    await self._closed()
                elif number not in self._grouped:
                    await self._no_surplus(expected)
            if not self._goes_on:
                return
            self._standing = following

    def _group(self, word: Word, place: int) -> Iterator[Input]:
        """The input at *place*, and those that are sent together with it."""
        yield self._reference.inputs[word[place]]
        while (place := place + 1) in self._grouped:
            yield self._reference.inputs[word[place]]

    @property
    def reached(self) -> Word:
        """The inputs up to the last one that was sent."""
        return self._word

    @property
    def _goes_on(self) -> bool:
        return self.disagreement is None and self.cut is None

    def _compare(self, name: str, expected: str, outcome: Outcome) -> None:
        got = word_of(outcome.word)
        self._refusals += got in _REFUSALS
        entry = self._reference.entry(self._standing, name)
        if outcome.word == "421":
            self.cut = "421: the service ends"
        elif got == expected:
            self._remark(entry, outcome)
        elif any(one.code == outcome.word for one in self._reference.model.server.anywhere):
            self.cut = f"{outcome.word}: policy"
        elif got == "4yz" and (entry.allows(outcome.word) or expected not in _REFUSALS):
            self.cut = f"{outcome.word}: not now"
        elif outcome.word == "closed" and (
            self._refusals >= POLICY_REFUSALS or len(self._word) >= POLICY_COMMANDS
        ):
            self.cut = _HUNG_UP
        else:
            self._disagree(got, self._shown(outcome))

    def _remark(self, entry: Entry, outcome: Outcome) -> None:
        judgement = judge(self._reference.model.server, entry, outcome.word)
        if judgement in (Judgement.DISCOURAGED, Judgement.UNLISTED):
            self.remarks.append(
                Remark(self._word, self._standing, outcome.word, self._shown(outcome), judgement)
            )

    async def _no_surplus(self, expected: str) -> None:
        """One reply to each input and none to content (RFC 5321 §4.2, §4.1.1.4)."""
        if self._quiet is None:
            surplus = None if expected == NONE else await self._connection.surplus()
        else:
            surplus = await self._connection.outcome(self._quiet)
            if surplus.word == "silence":
                return
        if surplus is None:
            return
        if surplus.word == "421":
            self.cut = "421: the service ends"
        elif surplus.word == "closed" and self._refusals >= POLICY_REFUSALS:
            self.cut = _HUNG_UP
        elif surplus.word == "closed":
            self._disagree(CUT, f"a reply, and behind it {self._shown(surplus)}")
        elif expected == NONE:
            self._disagree(word_of(surplus.word), self._shown(surplus))
        else:
            self._disagree(SURPLUS, f"one more: {self._shown(surplus)}")

    async def _closed(self) -> None:
        """The reply was the last one, and the connection is closed behind it."""
        outcome = await self._connection.outcome(self._patience)
        if outcome.word == "silence":
            self._disagree(OPEN, f"the connection stays open ({self._shown(outcome)})")
        elif outcome.word != "closed":
            self._disagree(SURPLUS, f"one more: {self._shown(outcome)}")

    def _shown(self, outcome: Outcome) -> str:
        return outcome.shown(self._redaction)

    def _disagree(self, got: str, shown: str) -> None:
        self.disagreement = Disagreement(self._word, self._standing, got, shown)


_HUNG_UP = "closed after so many refusals or commands: policy"
_REFUSALS = ("4yz", "5yz")
