"""Derived tests against real servers; writes docs/model.md and docs/model-extensions.md.

With one extra state for the commands of RFC 5321, and with none for AUTH, BDAT and STARTTLS too;
``python -m tests.exam.model core`` or ``extensions`` does one of them alone.

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
from fsm_smtp.testing.server.certificate import server_context
from fsm_smtp.testing.server.listening import ModelServer, model_server_in_thread
from fsm_smtp.testing.server.options import HOST, Options
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
from that machine in the class of any reply to any sequence of the inputs. Nothing waits for
silence, since the next reply shows one that came too many.

The guarantee needs a server that is the same at the beginning of each sequence. That is what
`--reset` is about: `connection` opens a new one for each sequence; `rset` sends RSET between
sequences that begin alike, once this server has shown, on connections of their own, that RSET leads
from every state of the machine where it should. For a server of at most n states that is a proof,
and the guarantee is the same; with `--extra-states` it is an assumption, and the report says so.
Each transition is taken on a new connection in any case, and so is again whatever does not pass
behind RSET: if it passes then, RSET is not safe on this server, and all is played on new
connections. `auto`, the default, takes RSET where it is a proof and saves seconds.

This page is what `make exam` saw on {date}, {what}.

| server | inputs | n | m | sequences | symbols | s | disagreements | cut off by policy |
|---|--:|--:|--:|--:|--:|--:|--:|--:|"""


_COMPARISON = """
## What RSET saves

The same suites with `--reset connection` and with `--reset rset`, over loopback. To begin behind
RSET costs one round trip where PIPELINING is offered, at most three where it is not; a new
connection costs the handshakes, the greeting, EHLO and QUIT. Servers that bear few commands, or few
mistakes, in a session leave less to save.

| server | s, connections | s, RSET | began behind RSET | sessions ended early | disagreements |
|---|--:|--:|--:|--:|--:|"""


@dataclass(frozen=True)
class Exam:
    """What is played, what the page says of it, its options, and whether it says all."""

    page: str
    what: str
    options: tuple[str, ...]
    whole: bool

    @property
    def compares(self) -> bool:
        """Whether both ways to reset are compared."""
        return "connection" in self.options


CORE = Exam(
    "model.md",
    "with one extra state (m = n + 1), for the commands of\nRFC 5321",
    ("--extra-states", "1", "--reset", "connection"),
    whole=True,
)
EXTENSIONS = Exam(
    "model-extensions.md",
    "without extra states (m = n), for the commands of\n"
    "RFC 5321 and, as far as they are offered, AUTH, BDAT and STARTTLS",
    ("--model-extensions", "--user", USER, "--password", PASSWORD, "--jobs", "8"),
    whole=False,  # hundreds of choices; `--html` shows them where they are wanted
)


def examine(
    server: Server | ModelServer, exam: Exam, folder: Path, *others: str
) -> Mapping[str, Any]:
    """The report of one server, with *others* among the options."""
    file = folder / "report.json"
    target = f"{HOST}:{server.port}"
    options = ["--model", *exam.options, *others, "--only", f"{CASE}*", "--json", str(file)]
    addresses = ["--recipient", RECIPIENTS[0], "--unknown-recipient", UNKNOWN, "--sender", SENDER]
    file.unlink(missing_ok=True)  # the one before must not be taken for this one's
    code = run(["check", target, *options, *addresses])
    if not file.exists():
        raise RuntimeError(f"the check of {target} ended with {code} and without a report")
    report: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return report


def comparison(reports: Mapping[str, Mapping[str, Any]], folder: Path) -> Iterator[str]:
    """The part of the page on what RSET saves; *reports* are those with new connections."""
    yield _COMPARISON
    for name, report in reports.items():
        with park() as servers:
            yield _row(name, report, examine(servers.start(name), CORE, folder, "--reset", "rset"))
    options = Options(context=server_context(), implicit_tls=True, watches=False)
    with model_server_in_thread(options) as server:
        both = (
            examine(server, CORE, folder, "--tls", "--insecure", "--reset", reset)
            for reset in ("connection", "rset")
        )
        yield _row("the model server under TLS", *both)


def _row(name: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    single, behind = one["model"], other["model"]
    cells = (
        f"{single['duration_s']:.1f}",
        f"{behind['duration_s']:.1f}",
        f"{behind['reset']['behind_rset']} of {behind['sequences']}",
        behind["reset"]["cut_off"],
        f"{len(derived(one))} / {len(derived(other))}",
    )
    return f"| {name} | {' | '.join(map(str, cells))} |"


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
        yield f"\n## {name}\n\n{model['guarantee']}\n\n{model['reset']['said']}"
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
        lines = list(page(reports, exam, f"{datetime.now(UTC):%Y-%m-%d}"))
        if exam.compares:
            lines += comparison(reports, Path(folder))
    (PAGES / exam.page).write_text("\n".join(lines) + "\n", "utf-8")
    return 0


def main() -> int:
    """Hold both, or the ones that are asked for."""
    exams = {"core": CORE, "extensions": EXTENSIONS}
    return max([hold(exams[name]) for name in sys.argv[1:] or exams])


if __name__ == "__main__":
    sys.exit(main())
