"""A map of the states: small, laid out once, every step that can happen with an id of its own.

It is SVG to be put into a page, so that a session can be shown on it without Graphviz: a page draws
``<use href="#smtp-map"/>``, then ``<use href="#e-SMTP_MAIL-SMTP_RCPT"/>`` and ``<use
href="#n-SMTP_RCPT"/>`` over it in other colours (``color``, ``--node``, ``--ink`` are inherited).
What leads where is the table's alone; only where a state stands is written here.

``python -m fsm_smtp.diagram.map > fsm_smtp/check/reports/templates/states.svg`` makes the file that
the reports use.
"""

import math
import sys
from collections.abc import Iterable

from fsm_smtp.diagram.model import plain
from fsm_smtp.diagram.overview import overview
from fsm_smtp.diagram.ways import Ways
from fsm_smtp.table import load_table

#: Column and row of each state.
_PLACES = {
    "SMTP_NONE": (1, 0),
    "SMTP_EHLO": (0, 1),
    "SMTP_BANNER": (1, 1),
    "SMTP_HELO": (2, 1),
    "SMTP_AUTH": (0, 2),
    "SMTP_CONNECTED": (1, 2),
    "SMTP_CUSTOM": (2, 2),
    "SMTP_MAIL": (1, 3),
    "SMTP_RSET": (2, 3),
    "SMTP_SEND_MESSAGE": (0, 4),
    "SMTP_RCPT": (1, 4),
    "SMTP_QUIT": (2, 4),
    "SMTP_DOT": (0, 5),
    "SMTP_DATA": (1, 5),
    "SMTP_SEND_STREAM": (1, 6),
}
_COLUMN, _ROW = 132.0, 56.0
_WIDTH, _HEIGHT = 106.0, 28.0
_MARGIN = 8.0
SIZE = (2 * _COLUMN + _WIDTH + 2 * _MARGIN, 6 * _ROW + _HEIGHT + 2 * _MARGIN)

_ARROW = 6.0
#: How far a step bends from the straight line: to its own side, so that two ways stay apart.
_BEND = 10.0
#: … and past the states that stand between.
_DETOUR = 74.0

Point = tuple[float, float]


def state_map(ways: Ways) -> str:
    """The SVG text, with a line end.

    Raises:
        KeyError: the table has a state that has no place here.
    """
    states = list(ways.table.states)
    steps = steps_between_states(ways)
    shown = {(edge.source, edge.dest) for edge in overview(ways).edges}
    width, height = SIZE
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}">',
        "<defs>",
        *(_edge(*step) for step in steps),
        *(_node(state) for state in states),
        "</defs>",
        '<g id="smtp-map">',
        *(f'<use href="#e-{a}-{b}"/>' for a, b in steps if (a, b) in shown),
        *(f'<use href="#n-{state}"/>' for state in states),
        "</g>",
        "</svg>",
    ]
    return "\n".join(body) + "\n"


def steps_between_states(ways: Ways) -> list[tuple[str, str]]:
    """Every change of state that some run makes, in the table's order of states."""
    states = list(ways.table.states)
    found = {(state, dest) for state in states for way in ways.out_of(state) for dest in way.dests}
    return [(a, b) for a in states for b in states if a != b and (a, b) in found]


def _centre(state: str) -> Point:
    column, row = _PLACES[state]
    return (
        _MARGIN + _WIDTH / 2 + column * _COLUMN,
        _MARGIN + _HEIGHT / 2 + row * _ROW,
    )


def _node(state: str) -> str:
    x, y = _centre(state)
    return (
        f'<g id="n-{state}"><rect x="{x - _WIDTH / 2:g}" y="{y - _HEIGHT / 2:g}"'
        f' width="{_WIDTH:g}" height="{_HEIGHT:g}" rx="7" fill="var(--node, #fff)"'
        f' stroke="currentColor"/><text x="{x:g}" y="{y + 4:g}" text-anchor="middle"'
        f' font-size="11" font-family="system-ui, sans-serif" fill="var(--ink, #111)">'
        f"{plain(state)}</text></g>"
    )


def _edge(source: str, dest: str) -> str:
    start, end = _centre(source), _centre(dest)
    control = _control(start, end)
    tail, tip = _border(start, control), _border(end, control)
    angle = math.atan2(tip[1] - control[1], tip[0] - control[0])
    neck = (tip[0] - _ARROW * math.cos(angle), tip[1] - _ARROW * math.sin(angle))
    wings = [
        (
            tip[0] - _ARROW * 1.3 * math.cos(angle + turn),
            tip[1] - _ARROW * 1.3 * math.sin(angle + turn),
        )
        for turn in (0.45, -0.45)
    ]
    return (
        f'<g id="e-{source}-{dest}"><path d="M{_at(tail)}Q{_at(control)} {_at(neck)}" fill="none"'
        f' stroke="currentColor"/><path d="M{_at(tip)}L{_points(wings)}Z" fill="currentColor"/></g>'
    )


def _control(start: Point, end: Point) -> Point:
    """Where the curve is drawn to: beside the middle, on the right hand of who walks along."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy)
    rows, columns = abs(dy) / _ROW, abs(dx) / _COLUMN
    between = (columns < 0.5 and rows > 1.5) or (rows < 0.5 and columns > 1.5)
    bend = _DETOUR * (1.2 if between else 0) + _BEND * max(1.0, length / 120)
    if rows < 0.5 and between:
        bend = _ROW * 0.9
    return (
        (start[0] + end[0]) / 2 - dy / length * bend,
        (start[1] + end[1]) / 2 + dx / length * bend,
    )


def _border(centre: Point, towards: Point) -> Point:
    """Where the line from the centre of a state leaves its frame."""
    dx, dy = towards[0] - centre[0], towards[1] - centre[1]
    across = _WIDTH / 2 / abs(dx) if dx else math.inf
    along = _HEIGHT / 2 / abs(dy) if dy else math.inf
    share = min(across, along)
    return centre[0] + dx * share, centre[1] + dy * share


def _at(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"


def _points(points: Iterable[Point]) -> str:
    return " ".join(map(_at, points))


if __name__ == "__main__":
    sys.stdout.write(state_map(Ways(load_table())))
