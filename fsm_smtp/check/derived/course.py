"""Plays sequences, several at a time: each on a connection of its own, or in chains behind RSET.

A chain counts as a whole. If anything in it is not as the machine has it, each of its sequences is
played on a connection of its own, and only what shows there is held against the server. If nothing
does, the chain tells of RSET: the server has hung up on a long session, which is policy, or RSET
does not reset it, and then every sequence that has counted behind RSET is played again.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import replace
from typing import TypeVar

from fsm_smtp.check.derived.playing import Remark, Run, Site, play
from fsm_smtp.check.derived.reference import Word
from fsm_smtp.check.derived.resetting import Chain, Resets

ItemT = TypeVar("ItemT")


class Course:
    """How the sequences of one suite are played.

    Attributes:
        behind_rset: sequences that count and began behind RSET.
        cut_off: sessions of several sequences that the server has ended before their end.
        doubts: why RSET is not relied upon, in words; without any it is.
    """

    def __init__(self, site: Site, resets: Resets | None) -> None:
        self._site = site
        self._resets = resets
        self._unproven = set(resets.proof) if resets is not None else set[Word]()
        self._counted: list[Word] = []
        self.behind_rset = 0
        self.cut_off = 0
        self.doubts: list[str] = []

    async def singly(self, words: Iterable[Word]) -> AsyncGenerator[Run]:
        """The run on each word, on a connection of its own, as they end."""

        async def single(word: Word) -> tuple[Run, ...]:
            return (await self._patiently(word),)

        async with aclosing(self._together(words, single)) as runs:
            async for run in runs:
                if run.is_clean:
                    self._unproven.discard(run.word)
                yield run

    async def chained(
        self, words: Iterable[Word], is_known: Callable[[Remark], bool]
    ) -> AsyncGenerator[Run]:
        """The run on each word, behind RSET where that is proven.

        A remark that *is_known* need not be seen on a connection of its own.
        """
        resets = self._resets
        if resets is None or self._unproven:
            self._doubt_the_proof()
            runs = self.singly(words)
        else:

            async def chain(one: Chain) -> tuple[Run, ...]:
                return await self._chain(one, resets, is_known)

            runs = self._together(resets.chains(words), chain)
        async with aclosing(runs):
            async for run in runs:
                yield run

    async def again(self) -> AsyncGenerator[Run]:
        """The runs on what has counted behind RSET, on new connections, if RSET is in doubt."""
        if not self.doubts:
            return
        self.behind_rset = 0
        async with aclosing(self.singly(self._counted)) as runs:
            async for run in runs:
                yield run

    def _doubt_the_proof(self) -> None:
        if self._resets is not None:
            some = min(self._unproven, key=lambda word: (len(word), word))
            self.doubts.append(f"the server does not pass {', '.join(some)}, which would show it")

    async def _chain(
        self, chain: Chain, resets: Resets, is_known: Callable[[Remark], bool]
    ) -> tuple[Run, ...]:
        first, *others = chain.words
        if not others or self.doubts:
            return tuple([await self._patiently(word) for word in chain.words])
        run = await play(self._site, chain.whole, hanging_up=True, grouped=chain.grouped)
        if run.is_clean and all(map(is_known, run.remarks)):
            self._counted += chain.words
            self.behind_rset += len(others)
            return tuple(map(Run, chain.words))
        runs = [await self._patiently(word) for word in chain.words]
        if run.is_clean or not all(one.is_clean for one in runs):
            return tuple(runs)  # a remark, or a sequence that is at fault by itself
        if run.disagreement is None or run.hung_up:
            self.cut_off += 1
            resets.cut_off(run.reached)
        else:
            state = resets.state_before(chain, run.reached)
            if state is None:  # no RSET was before it: the server is not deterministic
                runs[0] = replace(run, word=first)
            else:
                self.doubts.append(
                    f"behind RSET in the state “{state}” the server has answered "
                    f"{run.disagreement.name} otherwise than on a new connection"
                )
        return tuple(runs)

    async def _patiently(self, word: Word) -> Run:
        """One that is cut off is played once more: other sessions may have been the reason."""
        run = await play(self._site, word)
        return run if run.cut is None else await play(self._site, word)

    async def _together(
        self, items: Iterable[ItemT], one: Callable[[ItemT], Awaitable[tuple[Run, ...]]]
    ) -> AsyncGenerator[Run]:
        """The runs on each item, ``settings.jobs`` items at a time, as they end."""
        waiting = iter(items)
        running: set[asyncio.Future[tuple[Run, ...]]] = set()
        try:
            while True:
                while len(running) < self._site.settings.jobs:
                    item = next(waiting, None)
                    if item is None:
                        break
                    running.add(asyncio.ensure_future(one(item)))
                if not running:
                    return
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    for run in task.result():
                        yield run
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
