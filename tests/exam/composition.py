"""Client and server together, eight commands ahead; writes docs/composition.md.

Exit 1 if a claim that is made does not hold.
"""

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from fsm_smtp.ahead import shared_pipeline
from fsm_smtp.composition import Bounds, Composition, Deviation, compose, load_deviations

PAGE = Path(__file__).parents[2] / "docs" / "composition.md"
OUTSTANDING = 8

_HEAD = """\
# Running ahead, verified

The table is verified for lock-step (docs/verified.md). A client that runs ahead (RFC 2920) sends
commands before it knows the replies to earlier ones. `fsm-smtp verify --ahead N` composes its
rules, the code of `fsm_smtp.ahead` itself, with a server that chooses freely among all answers
that the table's `server` section allows, and visits every run in which at most N commands are
outstanding. The client does whatever its rules allow, so what any program on top of them does is
among that.

What is claimed:

- **lock-step**: without the commands that came to nothing, a run is a run of lock-step;
- **same-transaction**: with an honest server and nothing outstanding, both sides hold the same
  sender, recipients and transaction;
- **same-fates**: accepted for the client is taken by the server, recipient by recipient;
- **own-envelope**: each message that is taken has its own sender, recipients and content;
- **no-early-content**: no octet of content is sent before 354.

`within` means that a chunk waits for the replies to its envelope (RFC 3030 §2), as in the depths
`group` and `full`; `window` means that it does not. Servers that deviate are those of
[`specs/deviations.yaml`](../specs/deviations.yaml). A window trusts the server: with some of them
a message can go out mixed with another, which is why it is never a default.

Bounds: {outstanding} commands outstanding, two of each kind of command in a message, any number
of messages. This page is what `make exam` saw on {date}.

| the server | depth | configurations | steps | s | verdict |
|---|---|--:|--:|--:|---|"""


def row(composition: Composition, seconds: float) -> str:
    """A line of the page's table."""
    who = composition.deviation.says if composition.deviation else "owes what the table says"
    depth = "window" if composition.bounds.departing else "within"
    verdict = "holds" if composition.broken is None else f"**{composition.broken.id}** broken"
    sizes = f"{composition.nodes:,} | {composition.edges:,} | {seconds:.0f}"
    return f"| {who} | {depth} | {sizes} | {verdict} |"


def page(date: str, unkept: list[str]) -> Iterator[str]:
    """The page, line by line; *unkept* gathers what was claimed and does not hold."""
    yield _HEAD.format(outstanding=OUTSTANDING, date=date)
    kinds: list[Deviation | None] = [
        None,
        *load_deviations(shared_pipeline().machine.table).values(),
    ]
    for departing in (False, True):
        for deviation in kinds:
            began = time.perf_counter()
            composition = compose(None, Bounds(OUTSTANDING, departing=departing), deviation)
            if composition.broken is not None and not (departing and deviation):
                unkept.append(deviation.id if deviation else "an honest server")
            yield row(composition, time.perf_counter() - began)


def main() -> int:
    """Explore, write the page, show it."""
    unkept: list[str] = []
    lines = []
    for line in page(f"{datetime.now(UTC):%Y-%m-%d}", unkept):
        print(line, flush=True)
        lines.append(line)
    PAGE.write_text("\n".join(lines) + "\n", "utf-8")
    if unkept:
        print(f"broken with: {', '.join(unkept)}", file=sys.stderr)
    return 1 if unkept else 0


if __name__ == "__main__":
    sys.exit(main())
