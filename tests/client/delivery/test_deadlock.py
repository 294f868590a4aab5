"""A server that writes long replies before it reads on, through the smallest of buffers."""

import pytest

from fsm_smtp.client import Client, Depth, Message, Options
from fsm_smtp.testing.scripted import GREETING, Answer, ScriptedServer

RECIPIENTS = tuple(f"recipient-{number}@example.test" for number in range(600))
#: As long as a reply line may be (RFC 5321 §4.5.3.1.5).
LONG = b"250 " + b"x" * 506 + b"\r\n"


OFFERS = b"250-mx\r\n250-CHUNKING\r\n250 PIPELINING\r\n"
NARROW = (*GREETING, Answer({b"EHLO": OFFERS, b".": LONG}, other=LONG))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("depth", ["group", "full", "window"])
def test_large_groups_never_wait_for_each_other(depth: Depth) -> None:
    messages = [
        Message.of(b"Subject: %d\r\n\r\n" % number, "s@example.test", recipients)
        for number, recipients in enumerate((RECIPIENTS, *(RECIPIENTS[:3],) * 100))
    ]
    options = Options(timeout=20.0, ehlo_name="c.test")
    with (
        ScriptedServer(NARROW, buffer=2048) as server,
        Client("127.0.0.1", server.port, options) as client,
    ):
        results = list(client.send_many(messages, depth=depth))
    assert all(result.all_accepted for result in results)
    assert len(results) == 101
