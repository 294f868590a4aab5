"""A picture as DOT, the language of Graphviz; needs nothing installed."""

from collections.abc import Iterable
from html import escape

from fsm_smtp.diagram.model import Diagram, Edge, Node

#: Who acts, in colours that differ in lightness too.
_COLOURS = {"client": "#0b5cad", "server": "#b04500", "link": "#5b6470"}
_INK = "#1c2430"
_FAINT = "#9aa3ad"
_FAINT_INK = "#6b7280"
_LIT = "#d1006c"
_FONT = "Helvetica,Arial,sans-serif"


def to_dot(diagram: Diagram) -> str:
    """The DOT text of a diagram."""
    lines = [
        "digraph smtp {",
        f"  graph [rankdir={'LR' if diagram.across else 'TB'}, fontname={_quoted(_FONT)},"
        f" fontsize=20, fontcolor={_quoted(_INK)},",
        f"    nodesep={0.16 if diagram.across else 0.45},",
        '    bgcolor="white", pad=0.25, ranksep=0.35, newrank=true, labelloc=t,',
        f"    label={_caption(diagram)}];",
        f"  node [fontname={_quoted(_FONT)}, fontsize=14, fontcolor={_quoted(_INK)}, shape=plain];",
        f"  edge [fontname={_quoted(_FONT)}, fontsize=13, arrowsize=0.8, penwidth=1.4];",
    ]
    rows: dict[int, list[str]] = {}
    for node in diagram.nodes:
        if node.row is not None:
            rows.setdefault(node.row, []).append(_quoted(node.id))
    lines += [f"  {_node(node)}" for node in diagram.nodes]
    lines += [f"  {{ rank=same; {'; '.join(ids)} }}" for _, ids in sorted(rows.items())]
    row_of = {node.id: node.row or 0 for node in diagram.nodes}
    for edge in diagram.edges:
        lines.append(f"  {_edge(edge, up=row_of[edge.source] > row_of[edge.dest])}")
    return "\n".join([*lines, "}", ""])


def _caption(diagram: Diagram) -> str:
    def swatch(by: str, text: str) -> str:
        return f'<font color="{_COLOURS[by]}"><b>{text}</b></font>'

    legend = "  ·  ".join(
        [
            swatch("client", "the client sends"),
            swatch("server", "the server answers"),
            swatch("link", "the connection"),
            "bold frame: at rest, a command may begin",
            "thin frame: something is in flight",
            "↻ the state stays",
        ]
    )
    notes = "".join(f"<br/>{escape(note)}" for note in diagram.notes)
    title = f'<b>{escape(diagram.title)}</b><br/><font point-size="13">{legend}{notes}</font>'
    return f"<{title}<br/> >"


def _node(node: Node) -> str:
    colour, width, fill = _INK, 1, "#ffffff"
    if node.kind == "rest" or node.at_rest:
        width, fill = 3, "#fff6d6"
    if node.kind == "way":
        colour = _COLOURS[node.by or "link"]
    if node.main:
        fill = "#ffe9a8"
    if node.faint:
        colour = _FAINT
    if node.lit:
        colour, width = _LIT, 4
    style = ' style="rounded,dashed"' if node.kind == "rest" else ' style="rounded"'
    text = _FAINT_INK if node.faint else _INK
    grey = _FAINT_INK if node.faint else "#5b6470"
    aside = (
        f'  <font point-size="11" color="{grey}">{escape(node.aside)}</font>' if node.aside else ""
    )
    size = 20 if node.main else 15 if node.kind != "way" else 13
    title_colour = colour if node.kind == "way" and not node.faint else text
    rows = [
        f'<tr><td><font point-size="{size}" color="{title_colour}">'
        f"<b>{escape(node.title)}</b></font>{aside}</td></tr>"
    ]
    for line in node.lines:
        ink = _FAINT_INK if node.faint else _COLOURS[line.by] if node.kind != "way" else _INK
        rows.append(
            f'<tr><td><font point-size="12" color="{ink}">{escape(line.text)}</font></td></tr>'
        )
    table = (
        f'<table border="{width}" cellborder="0" cellspacing="0" cellpadding="3"'
        f' color="{colour}" bgcolor="{fill}"{style}>{"".join(rows)}</table>'
    )
    return f"{_quoted(node.id)} [label=<{table}>];"


def _edge(edge: Edge, *, up: bool) -> str:
    """An edge; one that leads *up* is written the other way round, to keep the rows in order."""
    colour = _LIT if edge.lit else _FAINT if edge.faint else _COLOURS[edge.by]
    attributes = [f'color="{colour}"', f'fontcolor="{colour}"']
    if edge.lines:
        attributes.append(f"label={_quoted(_lines(edge.lines))}")
    if edge.lit:
        attributes.append("penwidth=4")
    ends = (edge.dest, edge.source) if up else (edge.source, edge.dest)
    if up:
        attributes.append("dir=back")
    return f"{_quoted(ends[0])} -> {_quoted(ends[1])} [{', '.join(attributes)}];"


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(f" {line} " for line in lines)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
