"""The claims in Promela: spin agrees on every property, and on every broken table."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fsm_smtp.export import promela_claims, to_promela
from fsm_smtp.table import Table, load_table
from fsm_smtp.table.properties import Atom
from fsm_smtp.verify import verify
from fsm_smtp.verify.explore import explore
from fsm_smtp.verify.product import walk
from fsm_smtp.yaml_source import read_yaml
from tests.export.spin import Pan
from tests.sampling import sampled
from tests.verify.tables import edited, failed

_KEYS = ("what", "edits", "fails", "run", "ends")
BROKEN = sorted((Path(__file__).parents[1] / "verify" / "broken").glob("*.yaml"))


@pytest.mark.parametrize(
    "overlays", [(), ("auth_wanted",), ("no_auth_retry",), ("require_tls",)], ids=str
)
def test_spin_finds_the_same_histories(overlays: tuple[str, ...], tmp_path: Path) -> None:
    table = load_table(overlays=overlays)
    product = walk(table, explore(table))
    found = Pan(to_promela(table), tmp_path, defines=["HISTORY"], safety=True).search()
    assert found.stored == len(product.nodes)
    assert found.transitions == sum(map(len, product.next)) + 1  # and the step into the start


def test_every_property_holds_in_spin(tmp_path: Path) -> None:
    table = load_table()
    configurations = len(explore(table).places)
    pan = Pan(to_promela(table), tmp_path, defines=["CLAIMS"])
    claims = [claim for claim in promela_claims(table) if not claim.refuted]
    assert {claim.property for claim in claims} == {
        *(one.id for one in table.properties if one.pattern != "existence"),
        *(entry.id for entry in table.always),
    }
    for claim in sampled(claims, one_in=6):
        found = pan.search(claim.name)
        assert found.errors == 0, claim.name
        assert found.stored > configurations, claim.name  # it went all the way


def test_no_property_is_vacuous_in_spin(tmp_path: Path) -> None:
    table = load_table()
    pan = Pan(to_promela(table), tmp_path, defines=["REFUTED"])
    claims = [claim for claim in promela_claims(table) if claim.refuted]
    assert len(claims) == len(table.properties) + len(table.always)
    for claim in claims:
        assert pan.search(claim.name).errors == 1, claim.name


@pytest.mark.parametrize("overlay", ["auth_wanted", "no_auth_retry", "require_tls"])
def test_an_overlay_brings_its_own_properties(overlay: str, tmp_path: Path) -> None:
    base = {one.id for one in load_table().properties}
    table = load_table(overlays=[overlay])
    own = [one.id for one in table.properties if one.id not in base]
    assert own
    _agree(table, own, tmp_path)


@pytest.mark.parametrize("file", sampled(BROKEN, one_in=4), ids=lambda file: file.stem)
def test_a_broken_table_is_refuted(file: Path, tmp_path: Path) -> None:
    """Ours refutes it too, and by which run: `tests.verify.test_broken`."""
    table = _broken(file, tmp_path)
    case = read_yaml(file).fields("a case", optional=_KEYS)
    named = case["fails"].text("fails")
    claim = promela_claims(table, [named])[0]
    existence = claim.refuted
    pan = Pan(to_promela(table, [named]), tmp_path, defines=["REFUTED" if existence else "CLAIMS"])
    assert pan.search(claim.name).errors == (0 if existence else 1)


def test_on_a_broken_table_both_agree_on_every_property(tmp_path: Path) -> None:
    file = next(file for file in BROKEN if file.stem == "rcpt_from_connected")
    table = _broken(file, tmp_path)
    wrong = failed(verify(table))
    # whatever fails, and some of those that hold
    holding = [one.id for one in table.properties if one.id not in wrong]
    failing = [one.id for one in table.properties if one.id in wrong]
    assert failing
    _agree(table, [*failing, *holding[:: len(holding) // 10]], tmp_path)


def test_responses_that_do_not_come(tmp_path: Path) -> None:
    """Without their assumption, or with less that may follow, they fail: in spin as in ours."""
    table = load_table()
    changed: dict[str, dict[str, Any]] = {
        "authentication-ends": {"bounded": ()},  # challenges for ever
        "content-ends": {"bounded": ()},  # content for ever
        "every-command-is-answered": {"follows": (Atom(("reply_2yz", "close")),)},
        "one-fate": {"before": (Atom(("eof",)),)},  # which comes first, and ends the wait too
    }
    broken = replace(
        table,
        properties=tuple(replace(one, **changed.get(one.id, {})) for one in table.properties),
    )
    wrong = failed(verify(broken))
    assert {"authentication-ends", "content-ends", "every-command-is-answered"} <= set(wrong)
    _agree(broken, [*changed, "handshake-ends"], tmp_path)


def _agree(table: Table, properties: list[str], folder: Path) -> None:
    """spin's verdict on each of the properties is ours: it holds, is vacuous, or fails."""
    ours = {check.id: check for check in verify(table).checks}
    configurations = len(explore(table).places)
    chosen = promela_claims(table, properties)
    for refuted in (False, True):
        claims = [claim for claim in chosen if claim.refuted == refuted]
        if refuted:  # only where no claim of the other kind has settled it
            claims = [
                claim
                for claim in claims
                if ours[claim.property].holds or ours[claim.property].pattern == "existence"
            ]
        if not claims:
            continue
        text = to_promela(table, properties)
        pan = Pan(text, folder / str(refuted), defines=["REFUTED" if refuted else "CLAIMS"])
        for claim in claims:
            found = pan.search(claim.name)
            check = ours[claim.property]
            assert found.errors or found.stored >= configurations, f"{claim.name}: not all visited"
            if not refuted:
                assert (found.errors == 0) == check.holds, claim.name
            elif check.pattern == "existence":
                assert (found.errors == 1) == check.holds, claim.name
            else:
                assert (found.errors == 0) == check.vacuous, claim.name


def _broken(file: Path, folder: Path) -> Table:
    edits = read_yaml(file).fields("a case", optional=_KEYS)
    pairs: list[tuple[str, str]] = []
    for item in edits["edits"].sequence("edits"):
        edit = item.fields("an edit", required=("replace", "by"))
        pairs.append((edit["replace"].text("replace"), edit["by"].text("by")))
    return load_table(edited(folder, *pairs))
