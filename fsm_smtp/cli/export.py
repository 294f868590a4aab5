"""``fsm-smtp export``: the table in a language that other tools read."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from fsm_smtp.cli.terminal import chosen_table, table_options
from fsm_smtp.export import to_json, to_promela, to_scxml, to_tla
from fsm_smtp.table import Table

_FORMATS: Mapping[str, Callable[[Table], str]] = {
    "promela": to_promela,
    "tla": to_tla,
    "scxml": to_scxml,
    "json": to_json,
}

_SUFFIXES = {
    ".pml": "promela",
    ".promela": "promela",
    ".tla": "tla",
    ".scxml": "scxml",
    ".json": "json",
}


@click.command()
@click.option(
    "--format",
    "chosen",
    type=click.Choice(list(_FORMATS)),
    help="Default: by the ending of the file (.pml, .tla, .scxml, .json).",
)
@click.option(
    "-o", "--output", metavar="FILE", default="-", help="Default: -, which is standard output."
)
@table_options
def export(
    chosen: str | None, output: str, table_file: Path | None, overlays: tuple[str, ...]
) -> None:
    """Write the table for the model checker spin (promela), for TLA+ tools (tla), for
    state chart tools (scxml), or for programs (json).

    \b
    Examples:
      fsm-smtp export -o smtp.pml
      fsm-smtp export --format json --overlay require_tls
      fsm-smtp export --format tla -o smtp_client.tla

    \b
    The head of the Promela text says how to have spin visit every configuration.
    A TLA+ module has the table's name, and its file must have the same.
    """
    kind = chosen or _SUFFIXES.get(Path(output).suffix.lower())
    if kind is None:
        raise click.UsageError("which format? name it with --format, or by the ending of the file")
    text = _FORMATS[kind](chosen_table(table_file, overlays))
    if output == "-":
        # The bytes as they are: a terminal's encoding must not decide what a file says.
        sys.stdout.flush()
        click.echo(text.encode(), nl=False)
    else:
        Path(output).write_text(text, encoding="utf-8", newline="\n")
