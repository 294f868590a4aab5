"""``fsm-smtp mutate``: does verification notice every single change of the table?"""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fsm_smtp.cli.terminal import chosen_table, console, json_option, table_options, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsm_smtp.mutate import Mutant, Score
    from fsm_smtp.table import Table

EPILOG = """\b
Examples:
  fsm-smtp mutate                       a sample of 1,000 changes
  fsm-smtp mutate --all                 every change; half an hour on two cores
  fsm-smtp mutate --overlay require_tls --sample 200 --seed 7

\b
Exit codes:
  0  every change that makes a difference was noticed
  1  one was not; the shortest run that shows it is printed
  2  wrong usage, or a bad table
"""


@click.command(epilog=EPILOG)
@table_options
@click.option("--all", "everything", is_flag=True, help="Every mutant in place of a sample.")
@click.option(
    "--sample",
    "count",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="How many mutants.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Which sample.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes.  [default: one for each core]")
@json_option
def mutate(
    table_file: Path | None,
    overlays: tuple[str, ...],
    everything: bool,
    count: int,
    seed: int,
    jobs: int | None,
    json_file: str | None,
) -> None:
    """Change the table in every single way, and see whether verification notices.

    A change that the loader refuses, or that nobody could ever observe (proven by bisimulation),
    is counted apart and not scored.
    """
    from fsm_smtp.mutate import all_mutants, sample

    table = chosen_table(table_file, overlays)
    mutants = list(all_mutants(table)) if everything else sample(table, count, seed)
    began = time.monotonic()
    score = _run(table, mutants, jobs or os.cpu_count() or 1)
    seconds = time.monotonic() - began
    if json_file is not None:
        write_json(_as_dict(score, seconds), json_file)
    if json_file != "-":
        _show(score, seconds)
    click.get_current_context().exit(1 if score.survivors else 0)


def _run(table: "Table", mutants: "Sequence[Mutant]", jobs: int) -> "Score":
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from fsm_smtp.mutate import run_campaign

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    survived = 0
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("mutants", total=len(mutants))

        def heard(trial: Any) -> None:
            nonlocal survived
            survived += trial.difference is not None
            what = f"mutants, {survived} survived" if survived else "mutants"
            bar.update(task, advance=1, description=what)

        return run_campaign(table, mutants, jobs=jobs, on_trial=heard)


def _show(score: "Score", seconds: float) -> None:
    from rich.table import Table as Grid

    from fsm_smtp.mutate import Outcome

    out = console()
    grid = Grid(box=None, pad_edge=False)
    grid.add_column("change")
    for outcome in Outcome:
        grid.add_column(outcome.value, justify="right")
    for operator in dict.fromkeys(trial.operator for trial in score.trials):
        counts = (score.count(outcome, operator) for outcome in Outcome)
        grid.add_row(operator, *map(str, counts))
    grid.add_row("all", *(str(score.count(outcome)) for outcome in Outcome), style="bold")
    out.print(grid)
    for trial in score.survivors:
        assert trial.difference is not None
        out.print(f"\nsurvived: {trial.name}", style="red")
        out.print(f"  after {', '.join(trial.difference.run) or 'nothing'}:", soft_wrap=True)
        out.print(f"  {trial.difference.what}", soft_wrap=True)
    out.print(
        f"{len(score.trials):,} mutants, score {score.percent:.1f} %, {seconds:.0f} s "
        f"(refused and equivalent ones are not scored)"
    )


def _as_dict(score: "Score", seconds: float) -> dict[str, Any]:
    from fsm_smtp.mutate import Outcome

    return {
        "mutants": len(score.trials),
        "outcomes": {outcome.value: score.count(outcome) for outcome in Outcome},
        "score_percent": score.percent,
        "killers": dict(score.killers.most_common()),
        "survivors": [
            {
                "name": trial.name,
                "operator": trial.operator,
                "run": list(trial.difference.run),
                "what": trial.difference.what,
            }
            for trial in score.survivors
            if trial.difference is not None
        ],
        "duration_s": round(seconds, 3),
    }
