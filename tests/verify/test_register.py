"""The register and the properties name each other; the page is what the table says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fsm_smtp.errors import SpecError
from fsm_smtp.register import load_register
from fsm_smtp.table.properties import Property
from fsm_smtp.verify.page import shipped_page
from tests.verify.tables import OVERLAYS, shipped


def _properties() -> Iterator[Property]:
    yield from shipped().properties
    known = {one.id for one in shipped().properties}
    for name in OVERLAYS:
        yield from (one for one in shipped(name).properties if one.id not in known)


def test_register_and_properties_name_each_other() -> None:
    covered: dict[str, list[str]] = {}
    for one in _properties():
        for requirement in one.requirements:
            covered.setdefault(requirement, []).append(one.id)
    registered = {one.id: list(one.properties) for one in load_register() if one.properties}
    assert {name: sorted(ids) for name, ids in registered.items()} == {
        name: sorted(ids) for name, ids in covered.items()
    }


def test_what_no_property_covers_says_where_it_is_decided() -> None:
    register = [one for one in load_register() if one.of_order]
    assert len(register) == 60
    for one in register:
        assert one.properties or one.elsewhere, one.id
        assert one.who in ("client", "both")
        assert one.kind in ("FSM", "SEC", "TERM")


def test_every_must_of_order_has_a_property_or_is_no_matter_of_this_table() -> None:
    uncovered = {
        one.id
        for one in load_register()
        if one.of_order and "MUST" in one.level and not one.properties
    }
    # Octets, texts, parameters, grouping and LMTP: not events of this table.
    assert uncovered == {"R006", "R010", "R084", "R102", "P06", "P07", "U03", "L08", "T01"}


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ("{id: X, rfc: a, level: b, who: client, kind: FSM, says: e}", "needs 'properties' or"),
        (
            "{id: X, rfc: a, level: b, who: client, kind: FSM, says: e, elsewher: f}",
            "did you mean elsewhere",
        ),
    ],
)
def test_a_mistake_in_the_register_is_refused(entry: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / "client.yaml"
    path.write_text(f"schema: 1\nrequirements:\n  - {entry}\n", encoding="utf-8")
    with pytest.raises(SpecError, match=what):
        load_register([path])


def test_a_requirement_stands_once(tmp_path: Path) -> None:
    path = tmp_path / "client.yaml"
    entry = "  - {id: X, rfc: a, level: b, who: client, kind: FSM, says: e, elsewhere: f}\n"
    path.write_text(f"schema: 1\nrequirements:\n{entry}{entry}", encoding="utf-8")
    with pytest.raises(SpecError, match="stands twice"):
        load_register([path])


def test_the_page_is_what_the_table_says() -> None:
    page = Path(__file__).parents[2] / "docs" / "verified.md"
    assert page.read_text(encoding="utf-8") == shipped_page(), (
        "python -m fsm_smtp.verify.page > docs/verified.md"
    )
