"""The Promela text: spin finds exactly the configurations, runs and last triggers that we find."""

from itertools import combinations
from pathlib import Path

import pytest

from fsm_smtp.export.promela import to_promela
from fsm_smtp.specs import spec_path
from fsm_smtp.table import load_table
from fsm_smtp.verify.explore import explore
from tests.export.spin import Pan, SearchFailed

OVERLAYS = sorted(file.stem for file in spec_path("overlays").glob("*.yaml"))
OVERLAYS.remove("lmtp")  # another protocol: in a combination of its own, below
COMBINATIONS = [
    chosen for count in range(len(OVERLAYS) + 1) for chosen in combinations(OVERLAYS, count)
]
COMBINATIONS.append(("lmtp", "require_tls"))


@pytest.mark.parametrize("overlays", COMBINATIONS, ids=lambda chosen: "+".join(chosen) or "base")
def test_spin_stores_as_many_states_as_there_are_configurations(
    overlays: tuple[str, ...], tmp_path: Path
) -> None:
    table = load_table(overlays=overlays)
    graph = explore(table)
    found = Pan(to_promela(table), tmp_path, safety=True).search()
    assert found.errors == 0
    assert found.stored == len(graph.places)
    # pan counts the step into the start as well
    assert found.transitions == graph.edge_count + 1


@pytest.mark.parametrize(
    "overlays", COMBINATIONS[: len(OVERLAYS) + 1], ids=lambda chosen: "+".join(chosen) or "base"
)
def test_with_the_last_trigger_it_stores_a_state_for_each_way_in(
    overlays: tuple[str, ...], tmp_path: Path
) -> None:
    table = load_table(overlays=overlays)
    graph = explore(table)
    ways_in = {(edge.trigger, edge.target) for edges in graph.edges.values() for edge in edges}
    found = Pan(to_promela(table), tmp_path, defines=["LAST"], safety=True).search()
    assert found.stored == len(ways_in) + 1  # and the start, which no trigger led to
    steps = sum(len(graph.edges[target]) for _, target in ways_in) + len(
        graph.edges[graph.places[0]]
    )
    assert found.transitions == steps + 1


def test_a_search_that_is_cut_short_is_no_verdict(tmp_path: Path) -> None:
    pan = Pan(to_promela(load_table()), tmp_path, safety=True)
    with pytest.raises(SearchFailed, match="max search depth too small"):
        pan.search(depth=20)
