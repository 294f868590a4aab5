"""``fsm-smtp verify``: every claim about the table with its verdict, and the run that breaks it."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from fsm_smtp.cli import BAD
from fsm_smtp.cli.terminal import chosen_table, console, json_option, table_options, write_json
from fsm_smtp.cli.transcript import run_grid, transcript
from fsm_smtp.table import Table
from fsm_smtp.verify import Check, Verification
from fsm_smtp.verify import verify as check_claims

if TYPE_CHECKING:
    from fsm_smtp.cli.composition import Composed


@click.command()
@table_options
@json_option
@click.option("--junit", "junit_file", metavar="FILE", help="Write the verdicts as JUnit XML.")
@click.option(
    "--graph",
    "graph_file",
    metavar="FILE",
    help="Draw the shortest run that breaks a claim on the states (.svg, .png, .dot, .mmd).",
)
@click.option(
    "--ahead",
    type=click.IntRange(1, 16),
    metavar="N",
    help="Client and server together too, with up to N commands outstanding.",
)
@click.pass_context
def verify(
    context: click.Context,
    table_file: Path | None,
    overlays: tuple[str, ...],
    json_file: str | None,
    junit_file: str | None,
    graph_file: str | None,
    ahead: int | None,
) -> None:
    """Visit every configuration that any run can reach, under every reply that
    any server could give, and check every claim about the table.

    A claim that fails is shown with the shortest run that breaks it. With
    --ahead the rules of running ahead (RFC 2920) are composed with a server that
    may do whatever it owes, and with servers that deviate in ways seen in the
    field; 8 takes minutes.

    \b
    Examples:
      fsm-smtp verify
      fsm-smtp verify --overlay require_tls --overlay no_auth_retry
      fsm-smtp verify --table mine.yaml --json report.json
      fsm-smtp verify --table mine.yaml --graph why.svg
      fsm-smtp verify --ahead 4

    \b
    Exit codes: 0 every claim holds, 1 one fails or says nothing (vacuous), 2 the
    table cannot be used.
    """
    began = time.perf_counter()
    table = chosen_table(table_file, overlays, whole=True)
    verification = check_claims(table)
    seconds = time.perf_counter() - began
    composed = None if ahead is None else _composed(table, ahead)
    if json_file is not None:
        write_json(report(verification, overlays, seconds, composed), json_file)
    if junit_file is not None:
        write_junit(verification, seconds, Path(junit_file))
    if graph_file is not None:
        _draw(verification, graph_file)
    if json_file != "-":
        out = console()
        _show(verification, overlays, seconds, out)
        if composed is not None:
            _show_composed(composed, out)
    if not (verification.holds and all(one.composition.holds for one in composed or ())):
        context.exit(BAD)


def _composed(table: Table, ahead: int) -> "list[Composed]":
    from fsm_smtp.cli.composition import compositions

    if table.server is None:
        raise click.UsageError(f"--ahead: {table.path} does not say what a server owes")
    with Console(stderr=True).status("client and server together") as status:
        composed: list[Composed] = []
        for one in compositions(table, ahead):
            composed.append(one)
            status.update(f"client and server together: {one.with_whom}")
    return composed


def _show_composed(composed: "list[Composed]", out: Console) -> None:
    from fsm_smtp.cli.composition import show

    outstanding = composed[0].composition.bounds.outstanding
    out.print(Text(f"\nrunning ahead, up to {outstanding} outstanding, with:", "bold"))
    for one in composed:
        show(one, out)


def report(
    verification: Verification,
    overlays: tuple[str, ...],
    seconds: float,
    composed: "list[Composed] | None" = None,
) -> dict[str, Any]:
    """The outcome as JSON; *overlays* as the user named them."""
    table = verification.table
    ahead = {} if composed is None else {"ahead": [one.as_dict() for one in composed]}
    return {
        "properties": [_as_dict(check, table) for check in verification.checks],
        "table": table.path,
        "overlays": list(overlays),
        "configurations": verification.configurations,
        "edges": verification.edges,
        "duration_s": round(seconds, 3),
        **ahead,
    }


def _as_dict(check: Check, table: Table) -> dict[str, Any]:
    run = [line.as_dict() for line in transcript(table, check.counterexample)]
    return {
        "id": check.id,
        "pattern": check.pattern,
        "says": check.says,
        "rfc": check.rfc,
        "requirements": list(check.requirements),
        "holds": check.holds,
        "vacuous": check.vacuous,
        "problem": check.problem,
        "counterexample": run or None,
    }


def _show(
    verification: Verification, overlays: tuple[str, ...], seconds: float, out: Console
) -> None:
    table = verification.table
    out.print(_verdicts(verification, wide=out.width >= _WIDE))
    failed = failures(verification)
    for check in failed[:_IN_FULL]:
        _show_failure(check, table, out)
    if failed[_IN_FULL:]:
        rest = ", ".join(check.id for check in failed[_IN_FULL:])
        out.print(Text(f"and, with longer runs: {rest}\n"), soft_wrap=True)
    verdict = (
        Text(f"{len(failed)} of {len(verification.checks)} claims fail", "bold red")
        if failed
        else Text(f"all {len(verification.checks)} claims hold", "bold green")
    )
    laid = f" + {' + '.join(overlays)}" if overlays else ""
    size = f"{verification.configurations:,} configurations, {verification.edges:,} edges"
    out.print(verdict, Text(f"in {table.name}{laid}: {size}, {seconds:.1f} s"), soft_wrap=True)


def failures(verification: Verification) -> list[Check]:
    """The claims that did not pass, the shortest runs first: there the cause is most often seen."""
    failed = [check for check in verification.checks if not check.passed]
    return sorted(failed, key=lambda check: (check.vacuous, len(check.counterexample)))


def _draw(verification: Verification, file: str) -> None:
    """The states, and on them the run that breaks the first failure that has one."""
    from fsm_smtp.cli.graph import write_picture
    from fsm_smtp.diagram import overview
    from fsm_smtp.diagram.ways import Ways

    edges = next((c.counterexample for c in failures(verification) if c.counterexample), ())
    run = {(edge.source[0], edge.trigger, edge.target[0]) for edge in edges}
    write_picture(overview(Ways(verification.table), run), file)


def write_junit(verification: Verification, seconds: float, file: Path) -> None:
    """One test case for each claim; a claim that fails is a failure.

    Raises:
        OSError: the file cannot be written.
    """
    from xml.etree import ElementTree as Xml

    failed = failures(verification)
    counts = {"tests": str(len(verification.checks)), "failures": str(len(failed))}
    name = f"fsm-smtp verify {verification.table.name}"
    suite = Xml.Element(
        "testsuite", {"name": name, "errors": "0", "time": f"{seconds:.3f}", **counts}
    )
    for check in verification.checks:
        case = Xml.SubElement(suite, "testcase", {"classname": check.pattern, "name": check.id})
        if not check.passed:
            failure = Xml.SubElement(case, "failure", {"message": check.problem or check.says})
            lines = transcript(verification.table, check.counterexample)
            failure.text = "\n".join([check.says, *(f"{one.text}  {one.state}" for one in lines)])
    Xml.ElementTree(suite).write(file, encoding="utf-8", xml_declaration=True)


def _verdicts(verification: Verification, *, wide: bool) -> Grid:
    """A row per claim; on a narrow terminal the sentence stands below the name."""
    grid = Grid(box=None, padding=(0, 2, 0, 0), header_style="bold")
    grid.add_column("", no_wrap=True)
    grid.add_column("claim", no_wrap=wide, ratio=None if wide else 1)
    if wide:
        grid.add_column("pattern", no_wrap=True)
        grid.add_column("what it says", ratio=1)
    grid.add_column("RFC", no_wrap=True)
    for check in verification.checks:
        verdict = Text("holds", "green") if check.holds else Text("FAILS", "bold red")
        if check.vacuous:
            verdict = Text("VACUOUS", "bold red")
        rfc = check.rfc or ""
        if wide:
            grid.add_row(verdict, Text(check.id, "bold"), check.pattern, check.says, rfc)
        else:
            name = Text.assemble((check.id, "bold"), f" ({check.pattern})\n{check.says}")
            grid.add_row(verdict, name, rfc)
    return grid


def _show_failure(check: Check, table: Table, out: Console) -> None:
    out.print()
    out.print(Text.assemble((check.id, "bold red"), ": ", check.says))
    out.print(Padding(Text(check.problem or ""), (0, 0, 0, 2)))
    lines = list(transcript(table, check.counterexample))
    if not lines:
        return
    out.print(Text("  The shortest run:"))
    out.print(Padding(run_grid(lines, table.start_state), (0, 0, 0, 4)))
    out.print()


#: How many failures are shown with their runs; a single slip often breaks a dozen claims.
_IN_FULL = 5

#: From this width on, what a claim says has a column of its own.
_WIDE = 120
