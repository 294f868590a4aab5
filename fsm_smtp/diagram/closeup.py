"""One state in the middle, and every way in and out with its conditions and RFC sections."""

import textwrap
from collections.abc import Collection, Iterable
from dataclasses import replace

from fsm_smtp.diagram.model import Diagram, Edge, Line, Node, Step, plain
from fsm_smtp.diagram.overview import states_at_rest
from fsm_smtp.diagram.ways import Way, Ways
from fsm_smtp.diagram.words import label, row_labels

#: Characters of a condition on one line of a picture.
_WIDTH = 62

#: As the source or destination of a way with more states than this, they are counted, not named.
_MANY = 6


def closeup(ways: Ways, state: str, run: Collection[Step] = ()) -> Diagram:
    """The picture of one state.

    Args:
        ways: the ways of the table.
        state: its name in the table.
        run: steps to draw in colour.

    Raises:
        KeyError: the table has no such state.
    """
    about = ways.table.states[state]
    laid = f" with {', '.join(ways.table.overlays)}" if ways.table.overlays else ""
    diagram = Diagram(
        title=f"{state}{laid}: {about.means}",
        notes=["In grey: violations, and where they lead."],
        across=True,
    )
    rests = state in states_at_rest(ways)
    lit = any(state in (source, dest) for source, _, dest in run)
    diagram.nodes.append(
        Node(state, "state", plain(state), str(about.value), at_rest=rests, main=True, lit=lit)
    )
    _Closeup(ways, state, frozenset(run), diagram).draw()
    return diagram


class _Closeup:
    def __init__(self, ways: Ways, state: str, run: frozenset[Step], diagram: Diagram) -> None:
        self.ways = ways
        self.state = state
        self.run = run
        self.diagram = diagram

    def draw(self) -> None:
        for number, group in enumerate(_alike(self._ways_in(), by_dest=False)):
            self._draw_in(f"in_{number}", group)
        for number, group in enumerate(_alike(self.ways.out_of(self.state), by_dest=True)):
            self._draw_out(f"out_{number}", group)

    def _ways_in(self) -> Iterable[Way]:
        for source in self.ways.table.states:
            if source != self.state:
                for way in self.ways.out_of(source):
                    if self.state in way.dests:
                        yield way

    def _draw_in(self, name: str, group: list[Way]) -> None:
        node = self._way_node(name, group, (self.state,))
        self.diagram.nodes.append(node)
        other = self._other("from", list(dict.fromkeys(way.state for way in group)), node)
        self._edge(other, name, node)
        self._edge(name, self.state, node)

    def _draw_out(self, name: str, group: list[Way]) -> None:
        dests = list(dict.fromkeys(dest for way in group for dest in way.dests))
        node = self._way_node(name, group, dests)
        self.diagram.nodes.append(node)
        self._edge(self.state, name, node)
        if dests != [self.state]:
            self._edge(name, self._other("to", dests, node), node)

    def _other(self, side: str, states: list[str], way: Node) -> str:
        """The id of the node for these states on this side, made when it is first needed."""
        table = self.ways.table
        name = "_".join([side, *(str(table.states[state].value) for state in states)])
        made = {node.id: number for number, node in enumerate(self.diagram.nodes)}
        if name in made:
            old = self.diagram.nodes[made[name]]
            faint, lit = old.faint and way.faint, old.lit or way.lit
            self.diagram.nodes[made[name]] = replace(old, faint=faint, lit=lit)
            return name
        many = len(states) > _MANY
        title = f"{len(states)} states" if many else ", ".join(map(plain, states))
        aside = str(table.states[states[0]].value) if len(states) == 1 else ""
        node = Node(name, "state", title, aside, faint=way.faint, lit=way.lit)
        self.diagram.nodes.append(node)
        return name

    def _edge(self, source: str, dest: str, way: Node) -> None:
        by = way.by or "link"
        self.diagram.edges.append(Edge(source, dest, by, faint=way.faint, lit=way.lit))

    def _way_node(self, name: str, group: list[Way], dests: Collection[str]) -> Node:
        first = group[0]
        by = first.triggers[0].by
        steps = {(w.state, t.name, d) for w in group for t in w.triggers for d in w.dests}
        words = list(dict.fromkeys(text for way in group for text in self._labels(way)))
        joined = ", ".join(words) if by == "client" else " ".join(words)
        stays = "↻ " if tuple(dests) == (self.state,) and first.state == self.state else ""
        conditions = "; ".join(self.ways.describe(first))
        notes = [f"({note})" for way in group if (note := way.row.note)]
        rfcs = list(dict.fromkeys(way.row.rfc for way in group))
        texts = [text for one in (conditions, *dict.fromkeys(notes)) for text in _wrapped(one)]
        return Node(
            id=name,
            kind="way",
            title=f"{stays}{joined}",
            aside=_sections(rfcs),
            lines=tuple(Line(text, by) for text in texts),
            by=by,
            faint=first.row.violation is not None,
            lit=any(d in dests and (s, t, d) in self.run for s, t, d in steps),
        )

    def _labels(self, way: Way) -> list[str]:
        if way.triggers[0].by == "server":
            return row_labels(self.ways.table, way.row, way.state)
        return [label(trigger) for trigger in way.triggers]


def _alike(found: Iterable[Way], *, by_dest: bool) -> list[list[Way]]:
    """Ways that differ only in their triggers, or in the states they come from, together."""
    groups: dict[tuple[object, ...], list[Way]] = {}
    for way in found:
        who = (way.triggers[0].by, way.row.violation, way.row.note)
        # Out of a state: what leads to the same place. Into it: one row, from all its sources.
        key = (way.dests, way.when, *who) if by_dest else (way.row.id, *who)
        groups.setdefault(key, []).append(way)
    return list(groups.values())


def _sections(rfcs: Iterable[str]) -> str:
    """References, the number of an RFC once: ``5321 §3.3, §4.1.4; 3207 §4``."""
    by_rfc: dict[str, list[str]] = {}
    for reference in rfcs:
        number, _, section = reference.partition(" ")
        by_rfc.setdefault(number, []).append(section)
    return "; ".join(f"{number} {', '.join(found)}" for number, found in by_rfc.items())


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_long_words=False)
