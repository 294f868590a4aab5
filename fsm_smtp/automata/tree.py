"""Words as a prefix tree: a word that begins another one costs nothing."""

from collections.abc import Iterable, Iterator
from typing import Generic

from fsm_smtp.automata.mealy import InputT


class _Node(dict[InputT, "_Node[InputT]"]):
    """The children of a node: of such small things some hundred thousand are nothing special."""

    __slots__ = ()


class PrefixTree(Generic[InputT]):
    """A set of words without those that begin another one.

    `len` is the number of words, `symbols` the sum of their lengths; both are known at any time.
    """

    def __init__(self, words: Iterable[tuple[InputT, ...]] = ()) -> None:
        self._root: _Node[InputT] = _Node()
        self._words = 0
        self.symbols = 0
        for word in words:
            self.add(word)

    def add(self, word: tuple[InputT, ...]) -> bool:
        """Add *word*; whether that says anything new."""
        node = self._root
        grown: int | None = None
        was_leaf = False
        for place, symbol in enumerate(word):
            child = node.get(symbol)
            if child is None:
                if grown is None:
                    grown, was_leaf = place, not node and bool(place)
                child = node[symbol] = _Node()
            node = child
        if grown is None:
            return False
        self._words += not was_leaf
        self.symbols += len(word) - (grown if was_leaf else 0)
        return True

    def __len__(self) -> int:
        return self._words

    def __iter__(self) -> Iterator[tuple[InputT, ...]]:
        """The words, depth first: words that begin alike come one behind the other."""
        if self._words:
            yield from _leaves(self._root, [])


def _leaves(node: _Node[InputT], way: list[InputT]) -> Iterator[tuple[InputT, ...]]:
    for symbol, child in node.items():
        way.append(symbol)
        if child:
            yield from _leaves(child, way)
        else:
            yield tuple(way)
        way.pop()
