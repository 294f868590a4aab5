"""``fsm-smtp graph`` and the pictures: golden files, completeness, runs in colour, formats."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fsm_smtp.cli import FINE, UNUSABLE
from fsm_smtp.diagram import Diagram, closeup, overview, to_dot, to_mermaid
from fsm_smtp.diagram.model import Edge, Line, Node
from fsm_smtp.diagram.render import CannotDraw, render
from fsm_smtp.diagram.ways import Ways
from fsm_smtp.table import load_table
from tests.cli.golden import FOLDER, pictures

Outcome = tuple[int, str, str]
Program = Callable[..., Outcome]
STATES = load_table().states
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


@pytest.mark.parametrize("name", ["overview.dot", "overview.mmd", "auth.dot", "auth.mmd"])
def test_golden(name: str, ways: Ways) -> None:
    expected = (FOLDER / name).read_text(encoding="utf-8")
    assert pictures(ways)[name] == expected, "if wanted: python -m tests.cli.golden"


def test_the_text_is_the_same_in_another_process(shell: Program, ways: Ways) -> None:
    """Not by luck of the hash seed: sets must not decide an order."""
    _, out, _ = shell("graph", "--format", "dot", PYTHONHASHSEED="1")
    assert out == to_dot(overview(ways))
    _, out, _ = shell("graph", "NONE", "--format", "dot", PYTHONHASHSEED="2")
    assert out == to_dot(closeup(ways, "SMTP_NONE"))


def test_the_overview_shows_every_state_with_its_number(ways: Ways) -> None:
    shown = {node.id: node.aside for node in overview(ways).nodes if node.kind == "state"}
    assert shown == {name: str(state.value) for name, state in STATES.items()}


def test_every_edge_of_the_overview_is_a_step_of_the_table(ways: Ways) -> None:
    steps = {
        (way.state, dest) for state in STATES for way in ways.out_of(state) for dest in way.dests
    }
    for edge in overview(ways).edges:
        if "at_rest" not in (edge.source, edge.dest):
            assert (edge.source, edge.dest) in steps
            assert edge.lines


@pytest.mark.parametrize("state", STATES)
def test_a_closeup_shows_every_way(state: str, ways: Ways) -> None:
    diagram = closeup(ways, state)
    text = to_mermaid(diagram)
    for way in ways.out_of(state):
        section = way.row.rfc.partition(" ")[2]
        assert section in text, way.row.id
        for dest in way.dests:
            assert dest == state or f"({STATES[dest].value})" in text or "," in text
    ids = {node.id for node in diagram.nodes}
    assert all({edge.source, edge.dest} <= ids for edge in diagram.edges)
    assert len(ids) == len(diagram.nodes)


def test_a_run_is_drawn_in_colour_also_where_the_overview_is_silent(ways: Ways) -> None:
    run = [
        ("SMTP_NONE", "reply_220", "SMTP_BANNER"),
        ("SMTP_BANNER", "send_ehlo", "SMTP_EHLO"),
        ("SMTP_EHLO", "eof", "SMTP_NONE"),
    ]
    lit = {(edge.source, edge.dest) for edge in overview(ways, run).edges if edge.lit}
    assert lit == {(source, dest) for source, _, dest in run}
    assert not any(edge.lit for edge in overview(ways).edges)
    near = closeup(ways, "SMTP_EHLO", run)
    titles = {node.title for node in near.nodes if node.lit}
    # What leads in from several states alike stands there once for all of them.
    several = {title for title in titles if title.startswith("BANNER, CONNECTED, ")}
    assert len(several) == 1
    assert titles - several == {"EHLO", "eof", "NONE"}
    assert "penwidth=4" in to_dot(near)
    assert "stroke-width:4px" in to_mermaid(near)


def test_mermaid_is_of_the_plainest_form(ways: Ways) -> None:
    node = re.compile(r'  n_\w+\("[^"]*"\):::\w+')
    edge = re.compile(r'  n_\w+ -->(\|"[^"]*"\|)? n_\w+')
    rest = re.compile(
        r"%% [^{}]*|flowchart (LR|TB)|  linkStyle \d+ [\w:#,]+|  classDef \w+ [\w:#,-]+"
    )
    for diagram in (overview(ways), *(closeup(ways, state) for state in STATES)):
        lines = to_mermaid(diagram).splitlines()
        assert lines[len(diagram.notes) + 1].startswith("flowchart ")
        for line in lines:
            assert any(form.fullmatch(line) for form in (node, edge, rest)), line


def test_what_is_markup_elsewhere_is_text_in_a_picture() -> None:
    odd = 'a "b" <c> & #d'
    diagram = Diagram(
        title=odd,
        nodes=[Node("x", "state", odd, lines=(Line(odd, "client"),))],
        edges=[Edge("x", "x", "client", (odd,))],
    )
    assert "a #quot;b#quot; #lt;c#gt; & #35;d" in to_mermaid(diagram)
    dot = to_dot(diagram)
    assert "a &quot;b&quot; &lt;c&gt; &amp; #d" in dot
    assert r"a \"b\" <c> & #d" in dot


@needs_dot
@pytest.mark.parametrize("name", ["", "RCPT"])
def test_images(name: str, program: Program, tmp_path: Path) -> None:
    pytest.importorskip("graphviz")
    svg, png = tmp_path / "picture.svg", tmp_path / "picture.png"
    for path in (svg, png):
        assert program("graph", *name.split(), "-o", str(path)) == (FINE, "", "")
    assert png.read_bytes().startswith(b"\x89PNG\r\n")
    text = svg.read_text(encoding="utf-8")
    assert "<svg" in text
    assert "DATA" in text


@needs_dot
def test_the_overview_is_legible_on_a_wide_screen(ways: Ways) -> None:
    """At 1600 pixels width the labels, 13 points, must be 12 pixels high or more."""
    svg = render(to_dot(overview(ways)), "svg").decode()
    match = re.search(r'<svg width="(\d+)pt" height="(\d+)pt"', svg)
    assert match
    width, height = int(match[1]), int(match[2])
    assert 13 * 1600 / width >= 12
    assert height < width


@needs_dot
def test_dot_accepts_every_closeup(ways: Ways) -> None:
    text = "".join(to_dot(closeup(ways, state)) for state in STATES)
    done = subprocess.run(
        ["dot", "-Tcanon"], input=text.encode(), capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_format_follows_the_ending(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "picture.mmd"
    assert program("graph", "-o", str(path))[0] == FINE
    assert "flowchart TB" in path.read_text(encoding="utf-8")


def test_without_the_package_one_line_says_what_to_install(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "graphviz", None)
    code, out, err = program("graph")
    assert (code, out) == (UNUSABLE, "")
    assert err == "fsm-smtp: drawing needs a package: pip install 'fsm-smtp[graph]'\n"
    assert program("graph", "--format", "dot")[0] == FINE


def test_without_the_program_one_line_says_what_to_install(
    program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("graphviz")
    monkeypatch.setenv("PATH", str(tmp_path))
    code, _, err = program("graph", "--format", "svg")
    assert code == UNUSABLE
    assert err == "fsm-smtp: drawing needs Graphviz's program dot: apt install graphviz\n"


@needs_dot
def test_what_dot_cannot_read_is_said_in_one_line() -> None:
    pytest.importorskip("graphviz")
    with pytest.raises(CannotDraw, match=r"dot fails: .*syntax error"):
        render("digraph {", "svg")
