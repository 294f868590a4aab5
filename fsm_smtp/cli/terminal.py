"""What every command shares: the console, the options that choose a table, and JSON output."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from fsm_smtp.table import Table, load_table

_F = TypeVar("_F", bound=Callable[..., Any])


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the program, which ends quietly; rich would exit with 1, a verdict here."""
        raise BrokenPipeError

    def print(self, *objects: Any, **options: Any) -> None:
        """Print; in a file or pipe without the spaces that fill a line up."""
        if self.is_terminal:
            super().print(*objects, **options)
            return
        with self.capture() as captured:
            super().print(*objects, **options)
        self.file.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def console(*, stderr: bool = False) -> Console:
    """A console on stdout or stderr: colours on a terminal only, and never under NO_COLOR."""
    return _Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def table_options(command: _F) -> _F:
    """Add ``--table`` and ``--overlay``; the command gets *table_file* and *overlays*."""
    for option in (
        click.option(
            "--overlay",
            "overlays",
            multiple=True,
            metavar="NAME|FILE",
            help="Lay a shipped policy or a file of yours over the table. Repeatable.",
        ),
        click.option(
            "--table",
            "table_file",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Another table than the shipped one.",
        ),
    ):
        command = option(command)
    return command


def json_option(command: _F) -> _F:
    """Add ``--json``; the command gets *json_file*."""
    return click.option(
        "--json",
        "json_file",
        metavar="FILE|-",
        help="Write the result as JSON; - writes it to stdout, in place of the text.",
    )(command)


def chosen_table(
    table_file: Path | None, overlays: tuple[str, ...], *, whole: bool = False
) -> Table:
    """The table that the options name; *whole*: with what it says of servers, whoever asks.

    Raises:
        SpecError: it has a mistake.
    """
    table = load_table(table_file, overlays)
    if whole or table_file is not None:  # a mistake in what it says of servers shows here too
        _ = table.server
    return table


def write_json(value: object, file: str) -> None:
    """Write *value* to a file, or to stdout for ``-``.

    Raises:
        OSError: the file cannot be written.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    if file == "-":
        sys.stdout.write(text)
    else:
        Path(file).write_text(text, encoding="utf-8")
