"""``fsm-smtp graph``: the states on one page, or one of them with every way in and out."""

import sys
from pathlib import Path
from typing import Literal

import click

from fsm_smtp.cli.names import find_state, unknown
from fsm_smtp.cli.terminal import chosen_table, table_options
from fsm_smtp.diagram import Diagram, closeup, overview, to_dot, to_mermaid
from fsm_smtp.diagram.render import CannotDraw, render
from fsm_smtp.diagram.ways import Ways

Format = Literal["svg", "png", "dot", "mermaid"]

_SUFFIXES: dict[str, Format] = {
    ".svg": "svg",
    ".png": "png",
    ".dot": "dot",
    ".gv": "dot",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
}


@click.command()
@click.argument("state", required=False)
@click.option(
    "--format",
    "chosen",
    type=click.Choice(["svg", "png", "dot", "mermaid"]),
    help="Default: by the ending of the file, else svg.",
)
@click.option(
    "-o", "--output", metavar="FILE", default="-", help="Default: -, which is standard output."
)
@table_options
def graph(
    state: str | None,
    chosen: Format | None,
    output: str,
    table_file: Path | None,
    overlays: tuple[str, ...],
) -> None:
    """Draw the states on one page; or STATE alone, with every way in and out, its
    conditions and its RFC sections.

    Text formats (dot, mermaid) need nothing installed. Images need Graphviz.

    \b
    Examples:
      fsm-smtp graph -o smtp.svg
      fsm-smtp graph RCPT -o rcpt.png
      fsm-smtp graph --format mermaid
      fsm-smtp graph AUTH --overlay require_tls -o auth.svg
    """
    kind = chosen or _SUFFIXES.get(Path(output).suffix.lower(), "svg")
    if output == "-" and kind == "png" and sys.stdout.isatty():
        raise click.UsageError("a PNG is no text for a terminal; name a file with -o")
    table = chosen_table(table_file, overlays)
    if state is None:
        diagram = overview(Ways(table))
    else:
        found = find_state(table, state)
        if found is None:
            raise click.UsageError(str(unknown(table, state, states=True, triggers=False)))
        diagram = closeup(Ways(table), found.name)
    write_picture(diagram, output, kind)


def write_picture(diagram: Diagram, output: str, kind: Format | None = None) -> None:
    """Write *diagram* to a file, or to stdout for ``-``; the ending chooses the format.

    Raises:
        click.ClickException: Graphviz is wanted and not there.
        OSError: the file cannot be written.
    """
    kind = kind or _SUFFIXES.get(Path(output).suffix.lower(), "svg")
    if kind == "mermaid":
        _write(to_mermaid(diagram).encode(), output)
    elif kind == "dot":
        _write(to_dot(diagram).encode(), output)
    else:
        try:
            _write(render(to_dot(diagram), kind), output)
        except CannotDraw as error:
            raise click.ClickException(str(error)) from error


def _write(data: bytes, output: str) -> None:
    if output == "-":
        click.echo(data, nl=False)
    else:
        Path(output).write_bytes(data)
