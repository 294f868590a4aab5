"""Sessions of a client as the inputs of the table's section ``server``, legal and not quite."""

from functools import cache
from typing import NamedTuple

from hypothesis import strategies as st

from fsm_smtp.owed import ServerModel
from fsm_smtp.table import load_table

#: Without extensions, and with all that the table has inputs for.
CORE: frozenset[str] = frozenset()
EXTENSIONS = frozenset({"AUTH", "CHUNKING", "STARTTLS"})


class Illegal(NamedTuple):
    """A session with one illegal step.

    Attributes:
        inputs: names of inputs.
        step: which of them is the illegal one, counted from 0.
    """

    inputs: tuple[str, ...]
    step: int


@cache
def _model() -> ServerModel:
    return ServerModel.of(load_table())


def legal_sessions(
    extensions: frozenset[str] = CORE, *, max_size: int = 12
) -> st.SearchStrategy[tuple[str, ...]]:
    """Inputs in an order in which an exacting server refuses none.

    Args:
        extensions: EHLO keywords that the server offers; inputs that need others do not occur.
        max_size: the most inputs.
    """

    @st.composite
    def session(draw: st.DrawFn) -> tuple[str, ...]:
        server = _Exacting(extensions)
        return _legal(draw, server, draw(st.integers(0, max_size)))

    return session()


def illegal_sessions(
    extensions: frozenset[str] = CORE, *, max_size: int = 12
) -> st.SearchStrategy[Illegal]:
    """The same with exactly one step that an exacting server refuses, and which one it is."""

    @st.composite
    def session(draw: st.DrawFn) -> Illegal:
        server = _Exacting(extensions)
        before = _legal(draw, server, draw(st.integers(0, max_size)), without="quit")
        if server.mode == "content":  # where nothing is refused
            before = (*before, server.take("end_of_data"))
        step = server.take(draw(st.sampled_from(server.refused)))
        behind = _legal(draw, server, draw(st.integers(0, 3)))
        return Illegal((*before, step, *behind), len(before))

    return session()


def _legal(draw: st.DrawFn, server: "_Exacting", length: int, without: str = "") -> tuple[str, ...]:
    inputs: tuple[str, ...] = ()
    for _ in range(length):
        names = [name for name in server.legal if name != without]
        if names:
            inputs = (*inputs, server.take(draw(st.sampled_from(names))))
    return inputs


class _Exacting:
    """A server that gives the first answer everywhere."""

    def __init__(self, extensions: frozenset[str]) -> None:
        self._names = [one.name for one in _model().inputs(extensions)]
        self._standing = _model().server.initial

    @property
    def mode(self) -> str:
        return self._standing[0]

    def _word(self, name: str) -> str | None:
        entry = _model().owed(self._standing, name)
        return None if entry is None else entry.answers[0].word

    @property
    def legal(self) -> list[str]:
        """What it does not refuse; nothing when it has closed."""
        words = {name: self._word(name) for name in self._names}
        return [name for name, word in words.items() if word and word[0] not in "45c"]

    @property
    def refused(self) -> list[str]:
        """What it refuses."""
        words = {name: self._word(name) for name in self._names}
        return [name for name, word in words.items() if word and word[0] in "45"]

    def take(self, name: str) -> str:
        """Answer; gives *name* back."""
        entry = _model().owed(self._standing, name)
        assert entry is not None
        self._standing = _model().server.after(self._standing, entry.answers[0])
        return name


def groups() -> st.SearchStrategy[tuple[str, ...]]:
    """Command groups that RFC 2920 §3.1 allows: RSET, MAIL, RCPT…, and one more command last."""
    inside = st.sampled_from(("rset", "mail", "rcpt", "rcpt_unknown"))
    last = st.sampled_from(("noop", "data", "ehlo", "vrfy", "quit"))
    return st.builds(_group, st.lists(inside, min_size=1, max_size=6), last)


def _group(first: list[str], last: str) -> tuple[str, ...]:
    return (*first, last)
