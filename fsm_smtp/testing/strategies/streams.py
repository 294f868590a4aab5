"""Streams of octets in pieces, as a network delivers them."""

from collections.abc import Iterable
from itertools import pairwise

from hypothesis import strategies as st


def chunkings(
    octets: bytes, *, max_pieces: int = 8, empty: bool = False
) -> st.SearchStrategy[tuple[bytes, ...]]:
    """*octets* in pieces; in one piece at the simplest.

    Args:
        octets: the stream.
        max_pieces: the most pieces.
        empty: pieces of no octets too, as no network has them, but callers do.
    """
    if empty:
        anywhere = st.lists(st.integers(0, len(octets)), max_size=max_pieces - 1)
        return st.builds(_cut, st.just(octets), anywhere)
    if len(octets) < 2:
        return st.just((octets,) if octets else ())
    cuts = st.sets(st.integers(1, len(octets) - 1), max_size=max_pieces - 1)
    return st.builds(_cut, st.just(octets), cuts)


def _cut(octets: bytes, places: Iterable[int]) -> tuple[bytes, ...]:
    ends = [0, *sorted(places), len(octets)]
    return tuple(octets[start:end] for start, end in pairwise(ends))
