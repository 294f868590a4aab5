"""Tables broken as a person would break them: each is refuted, by the right shortest run."""

from itertools import pairwise
from pathlib import Path

import pytest

from fsm_smtp.table import load_table
from fsm_smtp.verify import verify
from fsm_smtp.yaml_source import Node, read_yaml
from tests.verify.tables import edited, failed

BROKEN = sorted(Path(__file__).with_name("broken").glob("*.yaml"))


def _edits(node: Node) -> list[tuple[str, str]]:
    edits: list[tuple[str, str]] = []
    for item in node.sequence("edits"):
        f = item.fields("an edit", required=("replace", "by"))
        edits.append((f["replace"].text("replace"), f["by"].text("by")))
    return edits


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_a_broken_table_is_refuted_by_the_shortest_run(file: Path, tmp_path: Path) -> None:
    f = read_yaml(file).fields("a case", required=("what", "edits", "fails", "run", "ends"))
    verification = verify(load_table(edited(tmp_path, *_edits(f["edits"]))))
    assert not verification.holds
    check = failed(verification)[f["fails"].text("fails")]
    run = check.counterexample
    assert [edge.trigger for edge in run] == [n.text("a trigger") for n in f["run"].sequence("run")]
    assert run[-1].target[0] == f["ends"].text("ends")
    assert all(one.target == other.source for one, other in pairwise(run))


def test_there_are_enough_of_them() -> None:
    assert len(BROKEN) >= 25
