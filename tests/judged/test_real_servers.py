"""No real server fails unexplained: that would be a bug of theirs that we hide, or one of ours."""

import pytest

from tests.judged.reasons import load_reasons
from tests.judged.ways import WAYS, judge
from tests.servers.fixtures import ServerPark

EXPLAINED = load_reasons()


@pytest.mark.parametrize("name", WAYS)
def test_what_is_not_well_is_explained_and_what_is_explained_is_there(
    servers: ServerPark, name: str
) -> None:
    way = WAYS[name]
    found = judge(servers.start(way.server, **way.options), way).not_well()
    reasons = EXPLAINED.of(name)
    unexplained = {case: str(one.actual) for case, one in found.items() if case not in reasons}
    assert unexplained == {}
    outlived = {case for case, reason in reasons.items() if reason.steady} - set(found)
    assert outlived == set()


def test_every_reason_is_about_a_server_that_is_judged() -> None:
    assert set(EXPLAINED.versions) == set(WAYS)
