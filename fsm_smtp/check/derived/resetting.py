"""RSET in the place of a new connection: from where it is sent, and how it is shown to reset.

A sequence may follow another one on its connection if RSET leads, in the machine, from where the
first ends to where its opening has led, and the second has the same opening. The opening is the
usual way to that state. Behind RSET goes a *check*, a word that no other state behind an RSET
answers alike, and RSET once more; a sequence that begins with the check is its own.

What must be shown first, each time on a connection of its own (`Resets.proof`): the usual way to
every state, and to every state and RSET behind it, with all of W behind both; and the check with
RSET and W behind it. A deterministic server of at most n states that answers all this as the
machine does has one state for each of the machine's, told apart by W; so RSET leads from each
state of it where it should, and RSET, check, RSET lead from any state to the opening's, or are
answered otherwise than they should be. With more states than n that is known of n of them only.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from fsm_smtp.automata.checking import checking_word
from fsm_smtp.automata.separation import Separation
from fsm_smtp.automata.tree import PrefixTree
from fsm_smtp.check.derived.reference import Reference, Word
from fsm_smtp.owed import CLOSED, NONE, UNSENT

#: The input that resets.
RSET = "rset"
#: Inputs, and refusals, in one session at first: servers in wide use slow down, or hang up, behind
#: ten to twenty mistakes and a hundred commands that mail nothing.
INPUTS, REFUSALS = 50, 8
#: From so many refusals on they may be why a session was cut off; with fewer it is the commands.
FEWEST_REFUSALS = 3
#: Chains that are made at a time: one for each opening that many sequences have, and some.
OPEN_CHAINS = 8
#: Inputs that may stand anywhere in a group (RFC 2920 §3.1), of those that checks are made of.
GROUPED = frozenset({RSET, "mail", "rcpt"})
_REFUSED = ("4yz", "5yz")


class Reset(StrEnum):
    """How a server is brought back to where the next sequence begins."""

    #: By a new connection, always.
    CONNECTION = "connection"
    #: By RSET, where it is shown to reset this server.
    RSET = "rset"
    #: By RSET, where that is a proof for this suite and saves time; else by a new connection.
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Link:
    """How one sequence follows another on its connection.

    Attributes:
        between: what is sent between them: RSET, and the check where one is needed.
        rest: the second without its opening.
        group: how many of the last in *between* may be sent together.
    """

    between: Word
    rest: Word
    group: int = 1


@dataclass(frozen=True, slots=True)
class Chain:
    """Sequences on one connection.

    Attributes:
        words: the sequences.
        whole: all inputs, those between the sequences too.
        ends: where in it the rest of each sequence has ended.
        grouped: places in it of inputs that are sent together with the one before.
    """

    words: tuple[Word, ...]
    whole: Word
    ends: tuple[int, ...]
    grouped: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class _Settled:
    """A way to where RSET is taken, and the standing there."""

    way: Word
    standing: int


class Resets:
    """What RSET does in a machine, and how much a session of this server may bear.

    Args:
        reference: the machine.
        pipelining: whether the server offers PIPELINING: RSET, check and RSET are one group then.

    Attributes:
        inputs: most inputs in one session; a session that was cut off lowers it.
        refusals: most refusals in one session; likewise.
    """

    def __init__(self, reference: Reference, *, pipelining: bool = False) -> None:
        self._reference = reference
        self._pipelining = pipelining
        self._settling: dict[int, _Settled | None] = {}
        self.inputs = INPUTS
        self.refusals = REFUSALS

    @cached_property
    def _behind(self) -> tuple[int, ...]:
        """The states of the machine that RSET leads to, where it is taken."""
        machine = self._reference.machine
        return tuple(
            dict.fromkeys(
                following
                for state in range(machine.size)
                for _, _, output, following in machine.steps((RSET,), state)
                if output == "2yz"
            )
        )

    @cached_property
    def checks(self) -> dict[int, Word]:
        """For each state behind RSET that can be told from the others there, its check."""
        machine = self._reference.machine
        unfit = (CLOSED, NONE, UNSENT)
        found = {
            state: checking_word(machine, state, self._behind, RSET, unfit)
            for state in self._behind
        }
        return {state: word for state, word in found.items() if word is not None}

    @cached_property
    def proof(self) -> tuple[Word, ...]:
        """What must pass, on connections of its own, before RSET is relied upon."""
        reference, machine = self._reference, self._reference.machine
        all_of_w = Separation(machine, UNSENT).characterization_set
        ways: list[Word] = []
        for state, way in enumerate(reference.cover):
            ways.append(way)
            if machine.run((RSET,), state)[0] not in (CLOSED, UNSENT):
                ways.append((*way, RSET))
        ways += [(*reference.cover[state], *word, RSET) for state, word in self.checks.items()]
        checked = [
            (*reference.cover[state], *word)
            for word in self.checks.values()
            for state in self._behind
        ]
        words = [(*way, *word) for way in ways for word in all_of_w]
        return tuple(PrefixTree(reference.playable([*words, *checked])))

    def link(self, word: Word, following: Word) -> Link | None:
        """How *following* comes behind *word*; ``None`` if it needs a connection of its own."""
        reference, instance = self._reference, self._reference.instance
        settled = self._settled(reference.standing_after(word))
        if settled is None:
            return None
        behind = instance.next[settled.standing, RSET]
        state = reference.classes[behind]
        opening = reference.cover[state]
        same = all(one[: len(opening)] == opening for one in (word, following))
        check = self.checks.get(state)
        if not same or check is None or reference.standing_after(opening) != behind:
            return None
        rest = following[len(opening) :]
        if not rest:
            return None
        if rest[: len(check)] == check:
            return Link((*settled.way, RSET), rest)
        group = (RSET, *check, RSET)
        together = len(group) if self._pipelining and GROUPED.issuperset(group) else 1
        return Link((*settled.way, *group), rest, together)

    def chains(self, words: Iterable[Word]) -> Iterator[Chain]:
        """*words*, as many on each connection as it bears by what is known then."""
        building: list[Chain] = []
        for word in words:
            for chain in building:
                longer = self._longer(chain, word)
                if longer is not None:
                    break
            else:
                chain, longer = None, Chain((word,), word, (len(word),))
            if chain is not None:
                building.remove(chain)
            if self._settled(self._reference.standing_after(word)) is None:
                yield longer
                continue
            # The one that has grown last is tried first: words that begin alike come together.
            building.insert(0, longer)
            if len(building) > OPEN_CHAINS:
                yield building.pop()
        yield from building

    def _longer(self, chain: Chain, word: Word) -> Chain | None:
        link = self.link(chain.words[-1], word)
        if link is None:
            return None
        whole = (*chain.whole, *link.between, *link.rest)
        if len(whole) > self.inputs or self._refusals(whole) > self.refusals:
            return None
        begin = len(whole) - len(link.rest)
        grouped = chain.grouped.union(range(begin - link.group + 1, begin))
        return Chain((*chain.words, word), whole, (*chain.ends, len(whole)), grouped)

    def _settled(self, standing: int) -> _Settled | None:
        """The shortest way on to where RSET is taken: out of content, say."""
        if standing not in self._settling:
            self._settling[standing] = self._settle(standing)
        return self._settling[standing]

    def _settle(self, standing: int) -> _Settled | None:
        instance = self._reference.instance
        ways: dict[int, Word] = {standing: ()}
        order = [standing]
        for here in order:  # grows while it is walked
            if instance.outputs[here, RSET] == "2yz":
                return _Settled(ways[here], here)
            for name in instance.inputs:
                following = instance.next[here, name]
                if instance.outputs[here, name] not in (CLOSED, UNSENT) and following not in ways:
                    ways[following] = (*ways[here], name)
                    order.append(following)
        return None

    def cut_off(self, reached: Word) -> None:
        """Learn from a session that was cut off at the last input of *reached*, or nobody knows
        where."""
        refusals = self._refusals(reached[:-1])
        if not reached:
            self.inputs //= 2
        elif refusals >= FEWEST_REFUSALS:
            self.refusals = min(self.refusals, refusals - 1)
        else:
            self.inputs = min(self.inputs, len(reached) - 1)

    def state_before(self, chain: Chain, reached: Word) -> str | None:
        """Where the machine stood, in words, when the last RSET was sent that bears on the last
        input of *reached* in *chain*; ``None`` if it is in the first sequence."""
        ended = sum(end < len(reached) for end in chain.ends[:-1])
        if not ended:
            return None
        settled = self._settled(self._reference.standing_after(chain.words[ended - 1]))
        return self._reference.instance.names[settled.standing] if settled is not None else None

    def _refusals(self, word: Sequence[str]) -> int:
        return sum(output in _REFUSED for output in self._reference.instance.run(word))
