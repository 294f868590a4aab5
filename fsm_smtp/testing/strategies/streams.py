"""Streams of octets in pieces, as a network delivers them."""

from itertools import pairwise

from hypothesis import strategies as st


def chunkings(octets: bytes, *, max_pieces: int = 8) -> st.SearchStrategy[tuple[bytes, ...]]:
    """*octets* in pieces that are not empty; in one piece at the simplest.

    Args:
        octets: the stream.
        max_pieces: the most pieces.
    """
    if len(octets) < 2:
        return st.just((octets,) if octets else ())
    cuts = st.sets(st.integers(1, len(octets) - 1), max_size=max_pieces - 1)
    return st.builds(_cut, st.just(octets), cuts)


def _cut(octets: bytes, places: set[int]) -> tuple[bytes, ...]:
    ends = [0, *sorted(places), len(octets)]
    return tuple(octets[start:end] for start, end in pairwise(ends))
