"""The whole suite over a slow and lossy link; writes docs/link.md.

Each server is judged twice: close by, and over 200 ms a round trip with 5 % of the connections
refused. Exit 1 if a verdict over the link accuses the server of what it does not do close by, or
if a server that was wanted is not here.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.cases.suite import load_suite
from fsm_smtp.check.engine.connection import Target
from fsm_smtp.check.engine.events import CaseResult, SuiteFinished
from fsm_smtp.check.engine.runner import run_suite
from fsm_smtp.check.engine.session import Settings
from fsm_smtp.testing.server.certificate import server_context
from fsm_smtp.testing.server.listening import model_server
from fsm_smtp.testing.server.options import HOST, PASSWORD, USER, Options
from tests.check.slow_link import slow_link
from tests.servers import registry
from tests.servers.base import RECIPIENTS, SENDER, UNKNOWN
from tests.servers.fixtures import park

PAGE = Path(__file__).parents[2] / "docs" / "link.md"
#: Seconds each way; each so-many-th connection is reset.
DELAY, LOSES_EACH = 0.1, 20
REAL = "postfix"
#: What accuses a server.
ACCUSING = (Verdict.FAIL, Verdict.WARN, Verdict.TIMEOUT)

_HEAD = """\
# The whole suite over a slow and lossy link

What `make exam` saw on {date}: every case, close by, and through a proxy that delays whatever
passes by {delay:g} ms each way and resets each {each}th connection at once. The time-outs and the
silences follow from the round trip that the first look measures, and a case whose connection is
lost is played again.

| server | cases | s | over it | connections | lost | fail+warn+timeout | over it | false |
|---|--:|--:|--:|--:|--:|--:|--:|--:|"""


@dataclass(frozen=True, slots=True)
class Judged:
    """A server close by and over the link."""

    name: str
    near: tuple[CaseResult, ...]
    far: tuple[CaseResult, ...]
    near_s: float
    far_s: float
    connections: int
    lost: int

    @property
    def false(self) -> tuple[CaseResult, ...]:
        """What it is accused of over the link only."""
        known = {one.case.id: one.verdict for one in self.near}
        return tuple(
            one
            for one in self.far
            if one.verdict in ACCUSING and known[one.case.id] is not one.verdict
        )

    @property
    def changed(self) -> tuple[tuple[CaseResult, CaseResult], ...]:
        """The cases with another verdict, close by and over the link."""
        pairs = zip(self.near, self.far, strict=True)
        return tuple((one, other) for one, other in pairs if one.verdict is not other.verdict)


async def judged(name: str, port: int, settings: Settings) -> Judged:
    """The server at *port*, both ways."""
    near, near_s = await played(port, settings)
    async with slow_link(port, delay=DELAY, loses_each=LOSES_EACH) as link:
        far, far_s = await played(link.port, settings)
    return Judged(name, near, far, near_s, far_s, link.connections, link.lost)


async def played(port: int, settings: Settings) -> tuple[tuple[CaseResult, ...], float]:
    """The results, and the seconds."""
    began = time.monotonic()
    events = [event async for event in run_suite(load_suite(), Target(HOST, port), settings)]
    finished = events[-1]
    assert isinstance(finished, SuiteFinished)
    return finished.results, time.monotonic() - began


async def faithful() -> Judged:
    """The model server with all that it knows."""
    settings = Settings(user=USER, password=PASSWORD, jobs=8)
    async with model_server(Options(context=server_context(), auth_in_clear=True)) as server:
        return await judged("the model server", server.port, settings)


def real() -> Judged:
    """A server in wide use."""
    settings = Settings(sender=SENDER, recipient=RECIPIENTS[0], unknown_recipient=UNKNOWN, jobs=8)
    with park() as servers:
        return asyncio.run(judged(REAL, servers.start(REAL).port, settings))


def page(rows: Sequence[Judged], date: str) -> str:
    """The page."""
    lines = [_HEAD.format(date=date, delay=1000 * DELAY, each=LOSES_EACH)]
    for row in rows:
        near, far = (
            "+".join(str(sum(one.verdict is verdict for one in results)) for verdict in ACCUSING)
            for results in (row.near, row.far)
        )
        cells = (
            *(row.name, len(row.far), f"{row.near_s:.1f}", f"{row.far_s:.1f}"),
            *(row.connections, row.lost, near, far, len(row.false)),
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    for row in rows:
        lines.append(f"\n## {row.name}\n")
        if not row.changed:
            lines.append("Every verdict is the same.")
        for one, other in row.changed:
            what = f"{other.expected}; got {other.actual}".replace("`", "'")
            verdicts = f"{one.verdict.value}, over the link {other.verdict.value}"
            lines.append(f"- **{one.case.id}**: {verdicts}: `` {what} ``")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Judge, write the page, say on the terminal what is false."""
    if (why := registry.unavailable(REAL)) is not None:
        sys.stderr.write(f"{REAL}: {why}\n")
        return 1
    rows = [asyncio.run(faithful()), real()]
    PAGE.write_text(page(rows, f"{datetime.now(UTC):%Y-%m-%d}"), "utf-8")
    false = [(row.name, one) for row in rows for one in row.false]
    for name, one in false:
        sys.stderr.write(f"{name}: {one.case.id}: {one.verdict.value}: {one.actual}\n")
    return 1 if false else 0


if __name__ == "__main__":
    sys.exit(main())
