"""Derived tests against real servers; writes docs/model.md and docs/model-extensions.md.

With one extra state for the commands of RFC 5321, and with none for AUTH, BDAT and STARTTLS too;
``python -m tests.exam.model extensions`` does the latter alone.

Exit 1 if a server that was wanted is not here.
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fsm_smtp.cli import run
from tests.servers import registry
from tests.servers.base import PASSWORD, RECIPIENTS, SENDER, UNKNOWN, USER, Server
from tests.servers.fixtures import park

PAGES = Path(__file__).parents[2] / "docs"
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

This page is what `make exam` saw on {date}, {what}.

| server | inputs | n | m | sequences | symbols | s | disagreements | cut off by policy |
|---|--:|--:|--:|--:|--:|--:|--:|--:|"""


@dataclass(frozen=True)
class Exam:
    """What is played, what the page says of it, its options, and whether it says all."""

    page: str
    what: str
    options: tuple[str, ...]
    whole: bool


CORE = Exam(
    "model.md",
    "with one extra state (m = n + 1), for the commands of\nRFC 5321",
    ("--extra-states", "1"),
    whole=True,
)
EXTENSIONS = Exam(
    "model-extensions.md",
    "without extra states (m = n), for the commands of\n"
    "RFC 5321 and, as far as they are offered, AUTH, BDAT and STARTTLS",
    ("--model-extensions", "--user", USER, "--password", PASSWORD, "--jobs", "8"),
    whole=False,  # hundreds of choices; `--html` shows them where they are wanted
)


def examine(server: Server, exam: Exam, folder: Path) -> Mapping[str, Any]:
    """The report of one server."""
    file = folder / f"{server.name}.json"
    target = f"{server.host}:{server.port}"
    options = ["--model", *exam.options, "--only", f"{CASE}*", "--json", str(file)]
    addresses = ["--recipient", RECIPIENTS[0], "--unknown-recipient", UNKNOWN, "--sender", SENDER]
    run(["check", target, *options, *addresses])
    report: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return report


def page(reports: Mapping[str, Mapping[str, Any]], exam: Exam, date: str) -> Iterator[str]:
    """The page, line by line."""
    yield _HEAD.format(date=date, what=exam.what)
    for name, report in reports.items():
        model = report["model"]
        numbers = [model[key] for key in ("inputs", "n", "m", "sequences", "symbols")]
        numbers += [f"{model['duration_s']:.1f}", len(derived(report)), sum(model["cut"].values())]
        yield f"| {name} | {' | '.join(map(str, numbers))} |"
    for name, report in reports.items():
        model = report["model"]
        yield f"\n## {name}\n\n{model['guarantee']}"
        if model["extensions"]:
            yield f"\nOffered, and tried: {', '.join(model['extensions'])}."
        if not exam.whole:
            continue
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


def hold(exam: Exam) -> int:
    """Examine the servers that are here; only all of them make the page."""
    reports: dict[str, Mapping[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in SERVERS:
            if (why := registry.unavailable(name)) is not None:
                sys.stderr.write(f"{name}: {why}\n")
                continue
            with park() as servers:
                reports[name] = examine(servers.start(name), exam, Path(folder))
    if len(reports) < len(SERVERS):
        return 1
    lines = page(reports, exam, f"{datetime.now(UTC):%Y-%m-%d}")
    (PAGES / exam.page).write_text("\n".join(lines) + "\n", "utf-8")
    return 0


def main() -> int:
    """Hold both, or the one that is asked for."""
    exams = [EXTENSIONS] if sys.argv[1:] == ["extensions"] else [CORE, EXTENSIONS]
    return max([hold(exam) for exam in exams])


if __name__ == "__main__":
    sys.exit(main())
