"""The SCXML document: well formed, and a reading of it alone reaches the same configurations."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from fsm_smtp.export import to_scxml
from fsm_smtp.export.scxml import NAMESPACE, OWN_NAMESPACE
from fsm_smtp.table import load_table
from fsm_smtp.verify.explore import explore
from tests.export.walk import Values, reachable

_TERM = re.compile(r"(\w+) == '([^']*)'")


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _test(condition: str | None) -> list[tuple[str, set[str]]]:
    """The variables and the values that each may have."""
    tests: list[tuple[str, set[str]]] = []
    for conjunct in condition.split(" && ") if condition else []:
        terms = [_TERM.fullmatch(term) for term in conjunct.strip("()").split(" || ")]
        assert all(terms), conjunct
        names = {term[1] for term in terms if term}
        assert len(names) == 1, conjunct
        tests.append((names.pop(), {term[2] for term in terms if term}))
    return tests


@pytest.mark.parametrize("overlays", [(), ("auth_wanted",), ("require_tls",)], ids=str)
def test_a_reading_of_the_document_reaches_the_same(overlays: tuple[str, ...]) -> None:
    table = load_table(overlays=overlays)
    root = ElementTree.fromstring(to_scxml(table))
    assert root.tag == _tag("scxml")
    assert (root.get("version"), root.get("datamodel")) == ("1.0", "ecmascript")
    ways: dict[str, list[tuple[list[str], list[tuple[str, set[str]]], str | None, Values]]] = {}
    for state in root.iter(_tag("state")):
        ways[state.attrib["id"]] = [
            (
                transition.attrib["event"].split(),
                _test(transition.get("cond")),
                transition.get("target"),
                {
                    assign.attrib["location"]: assign.attrib["expr"].strip("'")
                    for assign in transition.iter(_tag("assign"))
                },
            )
            for transition in state.iter(_tag("transition"))
        ]

    def steps(values: Values) -> Iterator[tuple[str, Values]]:
        for events, tests, target, assigned in ways[values["state"]]:
            if all(values[name] in allowed for name, allowed in tests):
                after = {**values, **assigned, "state": target or values["state"]}
                for event in events:
                    yield event, after

    data = {data.attrib["id"]: data.attrib["expr"].strip("'") for data in root.iter(_tag("data"))}
    found = reachable({"state": root.attrib["initial"], **data}, steps)
    assert {tuple(value for _, value in values) for values in found} == {
        (state, *memory) for state, memory in explore(table).places
    }


def test_one_transition_for_each_row_and_source() -> None:
    table = load_table()
    root = ElementTree.fromstring(to_scxml(table))
    written = [
        (transition.attrib[f"{{{OWN_NAMESPACE}}}row"], state.attrib["id"])
        for state in root.iter(_tag("state"))
        for transition in state.iter(_tag("transition"))
    ]
    assert set(written) == {(row.id, source) for row in table.rows for source in row.sources}
    # A row that returns has one for each place to return to.
    for row in table.rows:
        for source in row.sources:
            dests = {m.dest for m in table.moves if (m.row.id, m.source) == (row.id, source)}
            assert written.count((row.id, source)) == len(dests)
    targets = {t.get("target") for t in root.iter(_tag("transition"))} - {None}
    assert targets <= set(table.states)
