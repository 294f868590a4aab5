"""A picture as a Mermaid flowchart, which code forges draw inside Markdown.

Kept to what every version reads: quoted labels, ``<br/>`` for line ends, ids of letters, digits
and underscores behind a prefix, since ``end`` and other words are reserved.
"""

from collections.abc import Iterable

from fsm_smtp.diagram.model import Diagram, Edge, Node

_COLOURS = {"client": "#0b5cad", "server": "#b04500", "link": "#5b6470"}
_FAINT = "#9aa3ad"
_LIT = "#d1006c"


def to_mermaid(diagram: Diagram) -> str:
    """The Mermaid text of a diagram."""
    direction = "LR" if diagram.across else "TB"
    lines = [f"%% {diagram.title}", *(f"%% {note}" for note in diagram.notes)]
    lines.append(f"flowchart {direction}")
    lines += [f"  {_node(node)}" for node in diagram.nodes]
    lines += [f"  {_edge(edge)}" for edge in diagram.edges]
    for number, edge in enumerate(diagram.edges):
        lines.append(f"  linkStyle {number} {_link_style(edge)}")
    lines += [
        "  classDef state fill:#ffffff,stroke:#1c2430,color:#1c2430",
        "  classDef rest fill:#fff6d6,stroke:#1c2430,stroke-width:3px,color:#1c2430",
        "  classDef way fill:#ffffff,stroke:#5b6470,color:#1c2430",
        f"  classDef faint fill:#ffffff,stroke:{_FAINT},color:#6b7280",
        f"  classDef lit fill:#ffffff,stroke:{_LIT},stroke-width:4px,color:#1c2430",
    ]
    return "\n".join([*lines, ""])


def _node(node: Node) -> str:
    aside = f" ({node.aside})" if node.aside else ""
    text = _label([f"{node.title}{aside}", *(line.text for line in node.lines)])
    return f"{_id(node.id)}({text}):::{_class(node)}"


def _class(node: Node) -> str:
    if node.lit:
        return "lit"
    if node.faint:
        return "faint"
    if node.at_rest or node.kind == "rest":
        return "rest"
    return "way" if node.kind == "way" else "state"


def _edge(edge: Edge) -> str:
    text = f"|{_label(edge.lines)}|" if edge.lines else ""
    return f"{_id(edge.source)} -->{text} {_id(edge.dest)}"


def _link_style(edge: Edge) -> str:
    colour = _LIT if edge.lit else _FAINT if edge.faint else _COLOURS[edge.by]
    width = ",stroke-width:4px" if edge.lit else ""
    return f"stroke:{colour},color:{colour}{width}"


def _id(name: str) -> str:
    return f"n_{name}"


def _label(lines: Iterable[str]) -> str:
    return '"' + "<br/>".join(_escaped(line) for line in lines) + '"'


def _escaped(text: str) -> str:
    """Text between quotes; what Mermaid or HTML would read as markup becomes an entity."""
    for character, entity in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;")):
        text = text.replace(character, entity)
    return text
