"""A click group that knows its commands by name and short help, and loads one when it is called."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from fsm_smtp.yaml_source import nearest


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """Where a command lies (``module:attribute``), and its line in the list of commands."""

    target: str
    short_help: str

    def load(self) -> click.Command:
        """Import the command.

        Raises:
            TypeError: what lies there is no click command.
        """
        module, _, attribute = self.target.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.target} is no click command")
        return command


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not to list them."""

    def __init__(self, *args: Any, commands_by_name: Mapping[str, LazyCommand], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.lazy = commands_by_name

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order given."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported; ``None`` when there is none."""
        found = self.lazy.get(cmd_name)
        return found.load() if found is not None else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but name the command that was perhaps meant."""
        if args[0] not in self.lazy and not ctx.resilient_parsing:
            near = nearest(args[0], self.lazy)
            hint = f"; did you mean {near}?" if near else ""
            ctx.fail(f"there is no command {args[0]!r}{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.short_help) for name, command in self.lazy.items()])
