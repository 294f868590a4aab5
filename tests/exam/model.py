"""Derived tests for m = n + 1 against real servers; writes docs/model.md.

Exit 1 if a server that was wanted is not here.
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fsm_smtp.cli import run
from tests.servers import registry
from tests.servers.base import RECIPIENTS, SENDER, UNKNOWN, Server
from tests.servers.fixtures import park

PAGE = Path(__file__).parents[2] / "docs" / "model.md"
SERVERS = ("aiosmtpd", "exim", "postfix")
#: One case of the suite runs beside the model: the command plays cases first.
CASE = "5321-4.1.1.9-noop"

_HEAD = """\
# Tests derived from the model

`fsm-smtp check --model` derives its tests from the `server` section of
[`specs/transitions.yaml`](../specs/transitions.yaml): what a server owes in each mode, as a Mealy
machine. It first asks the server what it chose where an RFC leaves a choice with consequences,
fixes the machine of these choices, minimises it to n states, and plays the suite of the Wp-method
(Fujiwara et al. 1991). If all sequences pass, no deterministic server of at most m states differs
from that machine in the class of any reply to any sequence of the inputs. Each sequence has a
connection of its own; nothing waits for silence, since the next reply shows one that came too many.

This page is what `make exam` saw on {date}, with one extra state (m = n + 1), for the commands of
RFC 5321.

| server | inputs | n | m | sequences | symbols | s | disagreements | cut off by policy |
|---|--:|--:|--:|--:|--:|--:|--:|--:|"""


def examine(server: Server, folder: Path) -> Mapping[str, Any]:
    """The report of one server."""
    file = folder / f"{server.name}.json"
    target = f"{server.host}:{server.port}"
    options = ["--model", "--extra-states", "1", "--only", f"{CASE}*", "--json", str(file)]
    addresses = ["--recipient", RECIPIENTS[0], "--unknown-recipient", UNKNOWN, "--sender", SENDER]
    run(["check", target, *options, *addresses])
    report: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return report


def page(reports: Mapping[str, Mapping[str, Any]], date: str) -> Iterator[str]:
    """The page, line by line."""
    yield _HEAD.format(date=date)
    for name, report in reports.items():
        model = report["model"]
        numbers = [model[key] for key in ("inputs", "n", "m", "sequences", "symbols")]
        numbers += [f"{model['duration_s']:.1f}", len(derived(report)), sum(model["cut"].values())]
        yield f"| {name} | {' | '.join(map(str, numbers))} |"
    for name, report in reports.items():
        model = report["model"]
        yield f"\n## {name}\n\n{model['guarantee']}"
        if derived(report):
            yield ""
        for one in derived(report):
            where = f"RFC {one['rfc']} §{one['section']}"
            yield f"- **{one['id']}** ({one['verdict']}, {where}):"
            yield f"  expected {code(one['expected'])}, got {code(one['actual'])}"
        chosen = ", ".join(f"{point}: {choice}" for point, choice in model["choices"].items())
        yield f"\nIts choices: {chosen}."


def derived(report: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """What disagreed."""
    return [one for one in report["cases"] if one["id"].startswith("model-")]


def code(text: str) -> str:
    """*text* in a page, as it came."""
    return f"`` {text.replace('`', chr(39))} ``"


def main() -> int:
    """Examine the servers that are here; only all of them make the page."""
    reports: dict[str, Mapping[str, Any]] = {}
    with park() as servers, tempfile.TemporaryDirectory() as folder:
        for name in SERVERS:
            if (why := registry.unavailable(name)) is not None:
                sys.stderr.write(f"{name}: {why}\n")
                continue
            reports[name] = examine(servers.start(name), Path(folder))
    if len(reports) < len(SERVERS):
        return 1
    lines = page(reports, f"{datetime.now(UTC):%Y-%m-%d}")
    PAGE.write_text("\n".join(lines) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
