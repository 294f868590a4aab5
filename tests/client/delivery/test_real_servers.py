"""Real servers, connections cut at random: what was accepted is what arrived, once."""

import pytest

from fsm_smtp.client import Depth
from tests.client.delivery.cutting import account
from tests.servers.fixtures import ServerPark

MESSAGES = 300


@pytest.mark.parametrize(
    ("name", "depth"),
    [
        ("postfix", None),
        ("postfix", "window"),
        ("exim", None),
        ("exim", "window"),
        ("haraka", None),
        ("opensmtpd", None),
    ],
)
def test_what_was_accepted_is_what_arrived(
    servers: ServerPark, name: str, depth: Depth | None
) -> None:
    # A cut leaves a whole window unknown: with many cuts nothing else would be left.
    octets = 150_000 if depth == "window" else 40_000
    found = account(servers.start(name), MESSAGES, seed=len(name), depth=depth, octets=octets)
    found.check()
    # Exim ends windows by itself: it takes ten RSET on a connection.
    assert found.cuts or (found.ends and (name, depth) == ("exim", "window"))
    assert len(found.accepted) > MESSAGES / 4
    assert len(found.refused) > MESSAGES / 8
    lost = {token for token, _ in found.unknown}
    assert len(lost) <= found.ends * (32 if depth == "window" else 1)
