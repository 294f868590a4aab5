"""The command line: arguments, colours and exit codes. Each command loads only when it is called.

``fsm-smtp --help`` must be quick, so this module imports click and nothing heavier, and lists the
commands with their short help instead of loading them.
"""

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from io import TextIOWrapper

import click

from fsm_smtp.cli.lazy import LazyCommand, LazyGroup
from fsm_smtp.errors import ProtocolError, SpecError
from fsm_smtp.version import __version__

PROGRAM = "fsm-smtp"

#: Exit codes, as ``--help`` documents them.
FINE, BAD, UNUSABLE = 0, 1, 2
INTERRUPTED = 130
#: What a shell reports of a program that SIGPIPE has ended; 1 would claim a verdict.
PIPE_CLOSED = 141

COMMANDS = {
    "check": LazyCommand("fsm_smtp.cli.check:check", "Judge whether a server keeps to the RFCs."),
    "compare": LazyCommand(
        "fsm_smtp.cli.compare:compare", "Show reports of several checks side by side."
    ),
    "send": LazyCommand("fsm_smtp.cli.send:send", "Send a message through the machine."),
    "serve": LazyCommand("fsm_smtp.cli.serve:serve", "Run a server that judges its clients."),
    "verify": LazyCommand("fsm_smtp.cli.verify:verify", "Check every claim about the table."),
    "explain": LazyCommand(
        "fsm_smtp.cli.explain:explain", "Say what a state or trigger means, and what may follow."
    ),
    "graph": LazyCommand("fsm_smtp.cli.graph:graph", "Draw the states, or one of them."),
    "export": LazyCommand(
        "fsm_smtp.cli.export:export", "Write the table as Promela, TLA+, SCXML or JSON."
    ),
    "mutate": LazyCommand(
        "fsm_smtp.cli.mutate:mutate", "Change the table in every way, and see what notices."
    ),
}

HELP = """SMTP as an explicit, verified finite-state machine.

One table says what an SMTP client may do next. These commands check a server
against it, send mail by it, verify it, explain it and draw it.

\b
Examples:
  fsm-smtp check                      judge an embedded server
  fsm-smtp check mx.example.org:25    judge a server
  fsm-smtp send --server mx.example.org --from a@example.org --to b@example.org mail.eml
  fsm-smtp serve                      a strict server that tells what clients do wrong
  fsm-smtp verify                     every claim, in every configuration
  fsm-smtp explain MAIL               what the state means, what may follow
  fsm-smtp explain BANNER STARTTLS    where it leads, or why not
  fsm-smtp graph -o smtp.svg          the fifteen states on one page

\b
Exit codes:
  0  fine
  1  what was checked is bad: a claim fails, a case fails, a message was refused
  2  wrong usage, a file or a target that cannot be used, or an error of ours
"""


@click.group(
    cls=LazyGroup,
    commands_by_name=COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=HELP,
)
@click.version_option(__version__, "-V", "--version", prog_name=PROGRAM)
@click.pass_context
def cli(context: click.Context) -> None:
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(UNUSABLE)


def main() -> None:
    """The program ``fsm-smtp``; leaves through ``SystemExit`` with one of the exit codes."""
    if f"_{PROGRAM.replace('-', '_').upper()}_COMPLETE" in os.environ:
        cli.main(prog_name=PROGRAM)  # a shell asks for completions
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # an ASCII terminal shows ? for what it lacks
            stream.reconfigure(errors="replace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; an error becomes one line on stderr."""
    try:
        return _guarded(lambda: _run(arguments))
    except BrokenPipeError:
        _silence_stdout()
        return PIPE_CLOSED


def _run(arguments: Sequence[str]) -> int:
    with cli.make_context(PROGRAM, list(arguments)) as context:
        cli.invoke(context)
    return FINE


def _guarded(action: Callable[[], int]) -> int:
    try:
        try:
            code = action()
        except click.exceptions.Exit as done:
            code = done.exit_code
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx is not None else PROGRAM
        _complain(f"{where}: {error.format_message().rstrip('.')} (see {where} --help)")
    except click.ClickException as error:
        _complain(f"{PROGRAM}: {error.format_message()}")
    except (SpecError, ProtocolError, OSError) as error:
        _complain(f"{PROGRAM}: {error}")
    except Exception:  # noqa: BLE001 -- Python would exit with 1, which means a verdict here
        traceback.print_exc()
        _complain(f"{PROGRAM}: this is an error of ours; please report it with the lines above")
    else:
        return code
    return UNUSABLE


def _complain(line: str) -> None:
    click.echo(" ".join(line.split()), err=True)


def _silence_stdout() -> None:
    """Let nothing more be written, not even by the interpreter as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
