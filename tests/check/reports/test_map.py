"""The shipped map of states, held against the table."""

from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

from fsm_smtp.check.reports import page
from fsm_smtp.diagram.map import state_map
from fsm_smtp.diagram.ways import Ways
from fsm_smtp.table import load_table
from fsm_smtp.verify.explore import explore

SHIPPED = Path(page.__file__).parent / "templates" / "states.svg"
SVG = "{http://www.w3.org/2000/svg}"


def test_it_is_what_the_script_makes() -> None:
    """If not: ``python -m fsm_smtp.diagram.map > fsm_smtp/check/reports/templates/states.svg``."""
    assert SHIPPED.read_text(encoding="utf-8") == state_map(Ways(load_table()))


def test_it_has_every_state_and_every_step() -> None:
    """The steps are those of the explored table: the verifier's own reading of the rows."""
    table = load_table()
    explored = {
        f"e-{edge.source[0]}-{edge.target[0]}"
        for edges in explore(table).edges.values()
        for edge in edges
        if edge.source[0] != edge.target[0]
    }
    ids = {str(one.get("id")) for one in ElementTree.parse(SHIPPED).iter(f"{SVG}g")}
    assert ids == {*explored, *(f"n-{state}" for state in table.states), "smtp-map"}
    assert len(table.states) == 15


def test_no_state_lies_on_another_or_outside() -> None:
    root = ElementTree.parse(SHIPPED).getroot()
    _, _, width, height = map(float, str(root.get("viewBox")).split())
    boxes = sorted(
        (
            float(str(rect.get("y"))),
            float(str(rect.get("x"))),
            float(str(rect.get("width"))),
            float(str(rect.get("height"))),
        )
        for rect in root.iter(f"{SVG}rect")
    )
    assert len(boxes) == 15
    for (y, x, w, h), (next_y, next_x, _, _) in pairwise(boxes):
        assert next_y >= y + h or next_x >= x + w
    for y, x, w, h in boxes:
        assert 0 <= x <= width - w
        assert 0 <= y <= height - h
