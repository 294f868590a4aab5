"""Thousands of messages to real servers, connections cut at random; writes docs/delivery.md.

Exit 1 if a server that was wanted is not here, or if anything was lost, doubled or guessed.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from fsm_smtp.client import Depth
from tests.client.delivery.cutting import Account, account
from tests.servers import registry
from tests.servers.fixtures import park

PAGE = Path(__file__).parents[2] / "docs" / "delivery.md"
MESSAGES = 10_000
RUNS: tuple[tuple[str, Depth | None, int], ...] = (
    ("postfix", None, 40_000),
    ("postfix", "window", 400_000),
    ("exim", None, 40_000),
    ("exim", "window", 400_000),
    ("haraka", None, 40_000),
    ("opensmtpd", None, 40_000),
)

_HEAD = """\
# Nothing lost, nothing doubled, nothing guessed

`Client.send_many` has sent {count} messages to each of these servers, over loopback, through a
proxy that cuts the connection after a random number of octets. Each message goes to a random choice
of three recipients that exist and one that does not. Afterwards the mailboxes were read. In every
run each pair of message and recipient that the client called accepted had arrived, exactly once;
none that it called refused had arrived; and of those that it called unknown, which the end of a
connection had left without a reply to the end of the content, none had arrived twice.

This page is what `make exam` saw on {date}. Depth: how far the client ran ahead of replies; `auto`
is what it does by itself where it may: with Haraka it takes back what it tried, and OpenSMTPD
offers no PIPELINING. `window` is never a default; it departs from RFC 3030 §2, and here one sees
its price: whatever ends the connection leaves up to {window} messages unknown. Exim ends it by
itself, too: each message of a window begins with RSET, and Exim takes ten such commands on a
connection (`smtp_accept_max_nonmail`).

| server | depth | messages | cuts | accepted | refused | unknown | of these arrived | s |
|---|---|--:|--:|--:|--:|--:|--:|--:|"""


def page(found: list[tuple[str, Depth | None, Account]], date: str) -> Iterator[str]:
    """The page, line by line; figures count pairs of message and recipient."""
    yield _HEAD.format(count=MESSAGES, date=date, window=32)
    for name, depth, one in found:
        arrived = len(one.unknown & set(one.arrived))
        figures = [one.messages, one.cuts, len(one.accepted), len(one.refused), len(one.unknown)]
        cells = [name, depth or "auto", *map(str, figures), str(arrived), f"{one.seconds:.0f}"]
        yield f"| {' | '.join(cells)} |"


def main() -> int:
    """Send to the servers that are here; only all of them make the page."""
    found: list[tuple[str, Depth | None, Account]] = []
    with park() as servers:
        for number, (name, depth, octets) in enumerate(RUNS):
            if (why := registry.unavailable(name)) is not None:
                sys.stderr.write(f"{name}: {why}\n")
                continue
            one = account(servers.start(name), MESSAGES, number, depth, octets=octets)
            one.check()
            sys.stdout.write(f"{name} {depth}: {one.cuts} cuts, {one.seconds:.0f} s\n")
            sys.stdout.flush()
            found.append((name, depth, one))
    if len(found) < len(RUNS):
        return 1
    text = "\n".join(page(found, f"{datetime.now(UTC):%Y-%m-%d}"))
    PAGE.write_text(text + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
