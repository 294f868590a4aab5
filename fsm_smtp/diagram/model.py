"""The model of a picture: nodes and edges with their words, and nothing about how to draw them."""

from dataclasses import dataclass, field
from typing import Literal

from fsm_smtp.table.model import Party

#: A step of a run, to be drawn in colour: the state before, the trigger, the state after.
Step = tuple[str, str, str]

#: ``state``: a state; ``rest``: whichever state the session rests in; ``way``: a row of the table.
Kind = Literal["state", "rest", "way"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text in a node, and who acts in it."""

    text: str
    by: Party


@dataclass(frozen=True, slots=True)
class Node:
    """A node.

    Attributes:
        id: letters, digits and underscores.
        kind: what it stands for.
        title: its name.
        aside: what stands small beside it: a state's documented number, or RFC sections.
        lines: what happens without leaving a state, or the conditions of a way.
        row: the line of the page it stands on; ``None`` leaves it to the renderer.
        at_rest: whether a command may begin in this state.
        main: whether the picture is about this node.
        by: who acts, for a way.
        faint: whether it is drawn lightly: a violation.
        lit: whether it lies on the run that is drawn in colour.
    """

    id: str
    kind: Kind
    title: str
    aside: str = ""
    lines: tuple[Line, ...] = ()
    row: int | None = None
    at_rest: bool = False
    main: bool = False
    by: Party | None = None
    faint: bool = False
    lit: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge; `lines` are its label, `faint` and `lit` as for a node."""

    source: str
    dest: str
    by: Party
    lines: tuple[str, ...] = ()
    faint: bool = False
    lit: bool = False


@dataclass(slots=True)
class Diagram:
    """A picture: from top to bottom in rows, or ``across`` from left to right; notes beside it."""

    title: str
    nodes: list[Node] = field(default_factory=list[Node])
    edges: list[Edge] = field(default_factory=list[Edge])
    notes: list[str] = field(default_factory=list[str])
    across: bool = False


def plain(state: str) -> str:
    """A state's name as pictures show it: without ``SMTP_``, with spaces."""
    return state.removeprefix("SMTP_").replace("_", " ")
