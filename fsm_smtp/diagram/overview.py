"""The overview: every state on one page, with what leads from one to another in few words.

Three things keep it readable. What stays in a state is written in its node. What may be sent from
almost any state at rest is drawn once, from a node that stands for all of them; a reply that leads
back to where the command was sent leads to that node. And what holds almost everywhere (closing,
421, lost connections) and violations are left out, and named in a note.

Rows are layout: where on the page a state stands. What leads where is the table's alone.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from fsm_smtp.diagram.model import Diagram, Edge, Line, Node, Step, plain
from fsm_smtp.diagram.ways import Way, Ways
from fsm_smtp.diagram.words import answered, label, row_labels
from fsm_smtp.table import Row, Table, Trigger
from fsm_smtp.table.model import Party

REST = "at_rest"

_ROWS = (
    ("SMTP_NONE",),
    ("SMTP_BANNER",),
    ("SMTP_EHLO", "SMTP_HELO"),
    ("SMTP_CONNECTED",),
    ("SMTP_MAIL", "SMTP_AUTH"),
    ("SMTP_RCPT", REST),
    ("SMTP_DATA",),
    ("SMTP_SEND_STREAM", "SMTP_CUSTOM", "SMTP_RSET", "SMTP_QUIT"),
    ("SMTP_DOT",),
    ("SMTP_SEND_MESSAGE",),
)
_ROW_OF = {state: number for number, row in enumerate(_ROWS) for state in row}

#: A row with this share of the states as sources holds "everywhere".
_EVERYWHERE = 2 / 3
#: A client row with this many sources is drawn once for all of them.
_BUNDLED = 4
#: With this many sources it is drawn from the nearest one above, and named in the others.
_SHARED = 3


@dataclass(slots=True)
class _Drawn:
    """An edge that is being put together: labels by command, and the steps behind it."""

    by: Party
    labels: dict[str, None] = field(default_factory=dict[str, None])
    steps: set[Step] = field(default_factory=set[Step])


def overview(ways: Ways, run: Collection[Step] = ()) -> Diagram:
    """The picture of all states.

    Args:
        ways: the ways of the table.
        run: steps to draw in colour, also those that an overview otherwise leaves out.
    """
    return _Overview(ways, frozenset(run)).diagram()


def states_at_rest(ways: Ways) -> frozenset[str]:
    """The states in which commands may begin: those that share what may be sent at any time."""
    return frozenset(_Overview(ways, frozenset()).rest)


class _Overview:
    def __init__(self, ways: Ways, run: frozenset[Step]) -> None:
        self.ways = ways
        self.table: Table = ways.table
        self.run = run
        self.out = {state: list(ways.out_of(state)) for state in self.table.states}
        self.sources: dict[str, set[str]] = {}
        for state, found in self.out.items():
            for way in found:
                self.sources.setdefault(way.row.id, set()).add(state)
        self.rest = {
            state
            for row in self.table.rows
            if self._bundled(row)
            for state in self.sources.get(row.id, ())
        }
        self.edges: dict[tuple[str, str, Party], _Drawn] = {}
        self.loops: dict[str, dict[Line, None]] = {state: {} for state in self.table.states}

    def diagram(self) -> Diagram:
        for state, found in self.out.items():
            shown = [way for way in found if self._shown(way)]
            # A state that nothing else leaves shows what holds everywhere.
            leaves = any(way.dests != (state,) for way in shown)
            for way in shown if leaves else (w for w in found if not w.row.violation):
                self._draw(way, last=not leaves)
        self._draw_missing()
        laid = f" with {', '.join(self.table.overlays)}" if self.table.overlays else ""
        return Diagram(
            title=f"{self.table.name}{laid}: the states of an SMTP client",
            nodes=[*map(self._node, self.table.states), *self._rest_node()],
            edges=[self._edge(*key, drawn) for key, drawn in self.edges.items()],
            notes=self._notes(),
        )

    # -- what is drawn ---------------------------------------------------------------------------

    def _everywhere(self, row: Row) -> bool:
        return len(self.sources.get(row.id, ())) >= _EVERYWHERE * len(self.table.states)

    def _bundled(self, row: Row) -> bool:
        by_client = self.table.triggers[row.triggers[0]].by == "client"
        many = len(self.sources.get(row.id, ())) >= _BUNDLED
        return by_client and many and not row.violation and not self._everywhere(row)

    def _shown(self, way: Way) -> bool:
        lost = way.dests == (way.state,) and len(way.row.forgets) == len(self.table.variables)
        return not way.row.violation and not self._everywhere(way.row) and not lost

    def _draw(self, way: Way, *, last: bool) -> None:
        labels = self._labels(way)
        by = way.triggers[0].by
        if way.dests == (way.state,):
            if not self._everywhere(way.row):
                self.loops[way.state].update(dict.fromkeys(Line(text, by) for text in labels))
            return
        if way.row.dest.startswith("$"):
            self._add(way.state, REST, by, labels, way)
            return
        if last or self._named_only(way):
            where = f" {plain(way.dests[0])}" if last else ""
            self.loops[way.state][Line(f"→{where}: {' '.join(labels)}", by)] = None
            return
        for dest in way.dests:
            if self._bundled(way.row):
                missing = sorted(plain(s) for s in self.rest - self.sources[way.row.id])
                but = f" (not from {', '.join(missing)})" if missing else ""
                self._add(REST, dest, by, [f"{text}{but}" for text in labels], way)
                if _ROW_OF.get(dest, 0) - _ROW_OF.get(way.state, 0) != 1:
                    continue
            self._add(way.state, dest, by, labels, way)

    def _follows(self, source: str, dest: str) -> bool:
        """Whether *dest* stands beside *source* or in the next row."""
        one, other = _ROW_OF.get(source), _ROW_OF.get(dest)
        return one is not None and other is not None and other - one in (0, 1)

    def _named_only(self, way: Way) -> bool:
        """Whether another source of the row stands nearer to where it leads."""
        sources = self.sources[way.row.id]
        by_client = way.triggers[0].by == "client"
        near = any(self._follows(s, d) for s in sources for d in way.dests)
        return (
            by_client
            and len(sources) >= _SHARED
            and near
            and not self._follows(way.state, way.dests[0])
            and not self._bundled(way.row)
        )

    def _add(self, source: str, dest: str, by: Party, labels: Iterable[str], way: Way) -> None:
        drawn = self.edges.setdefault((source, dest, by), _Drawn(by))
        drawn.labels.update(dict.fromkeys(labels))
        drawn.steps.update((way.state, t.name, dest) for t in way.triggers for dest in way.dests)

    def _draw_missing(self) -> None:
        """Draw the steps of the run that are not on the page for themselves."""
        direct = {s for (source, _, _), d in self.edges.items() if source != REST for s in d.steps}
        for source, name, dest in sorted(self.run):
            trigger = self.table.triggers[name]
            if (source, name, dest) not in direct:
                drawn = self.edges.setdefault((source, dest, trigger.by), _Drawn(trigger.by))
                drawn.labels.setdefault(label(trigger))
                drawn.steps.add((source, name, dest))

    # -- words -----------------------------------------------------------------------------------

    def _labels(self, way: Way) -> list[str]:
        if way.triggers[0].by == "client":
            return [_short(trigger) for trigger in way.triggers]
        labels = row_labels(self.table, way.row, way.state)
        mine = list(answered(self.table, way.row, way.state))
        others = {
            _short(command)
            for other in self.out[way.state]
            if self._shown(other)
            for command in answered(self.table, other.row, way.state)
        }
        whose = _whose(mine)
        if way.triggers[0].by == "server" and whose and len(others) > len(set(map(_short, mine))):
            return [f"{whose}: {' '.join(labels)}"]
        return labels

    def _node(self, name: str) -> Node:
        state = self.table.states[name]
        return Node(
            id=name,
            kind="state",
            title=plain(name),
            aside=str(state.value),
            lines=tuple(self._loop_lines(name)),
            row=_ROW_OF.get(name),
            at_rest=name in self.rest,
            lit=any(name in (source, dest) for source, _, dest in self.run),
        )

    def _loop_lines(self, name: str) -> Iterable[Line]:
        """What stays in the state, a line for each who acts."""
        for by in ("client", "server", "link"):
            words = [line.text for line in self.loops[name] if line.by == by]
            stays = [word for word in words if not word.startswith("→")]
            yield from (Line(f"↻ {text}", by) for text in _wrapped(stays, 22, by))
            onward: dict[str, list[str]] = {}
            for word in words:
                if word.startswith("→"):
                    arrow, _, text = word.partition(": ")
                    onward.setdefault(arrow, []).append(text)
            for arrow, texts in onward.items():
                yield Line(f"{arrow}{' ' if arrow == '→' else ': '}{', '.join(texts)}", by)

    def _rest_node(self) -> list[Node]:
        return [Node(REST, "rest", "any state at rest", row=_ROW_OF[REST])] if self.rest else []

    def _edge(self, source: str, dest: str, by: Party, drawn: _Drawn) -> Edge:
        lit = source != REST and bool(drawn.steps & self.run)
        return Edge(source, dest, by, tuple(_wrapped(_grouped(drawn.labels), 20, by)), lit=lit)

    def _notes(self) -> list[str]:
        drawn = {step[1] for edge in self.edges.values() for step in edge.steps}
        left_out = dict.fromkeys(
            label(self.table.triggers[name])
            for row in self.table.rows
            if self._everywhere(row) and not row.violation and len(row.triggers) == 1
            for name in row.triggers
            if name not in drawn
        )
        return [
            "Not drawn: violations, and what may happen almost everywhere: "
            f"{', '.join(left_out)}, the session lost.",
            "A code that is not listed is handled by its first digit.",
        ]


def _short(trigger: Trigger) -> str:
    return label(replace(trigger, parameter=None))


def _whose(commands: Collection[Trigger]) -> str | None:
    """A name for these commands: the only one's, or the verb that they share."""
    names = {_short(command) for command in commands}
    if len(names) == 1:
        return names.pop()
    verbs = {command.verb for command in commands}
    return verbs.pop() if len(verbs) == 1 else None


def _grouped(labels: Iterable[str]) -> list[str]:
    """Labels with the same remark in brackets share it: it follows the last of them."""
    plain_ones: list[str] = []
    remarks: dict[str, list[str]] = {}
    for text in labels:
        head, bracket, remark = text.partition(" (")
        if bracket:
            remarks.setdefault(remark, []).append(head)
        else:
            plain_ones.append(head)
    return [*plain_ones, *(f"{', '.join(heads)} ({rest}" for rest, heads in remarks.items())]


def _wrapped(words: Iterable[str], width: int, by: Party) -> list[str]:
    """Labels put on lines of about *width*; a label is not broken."""
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= width and ":" not in lines[-1] + word:
            lines[-1] += f"{', ' if by == 'client' else ' '}{word}"
        else:
            lines.append(word)
    return lines
