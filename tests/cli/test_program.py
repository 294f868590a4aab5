"""The program as a whole: help, version, exit codes, one line for an error, colours, pipes."""

import importlib.util
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import click
import pytest
from click.testing import CliRunner

import fsm_smtp.cli as program_module
from fsm_smtp.cli import BAD, COMMANDS, FINE, INTERRUPTED, PIPE_CLOSED, UNUSABLE, cli, run
from fsm_smtp.cli.lazy import LazyCommand
from fsm_smtp.version import __version__

Outcome = tuple[int, str, str]
Program = Callable[..., Outcome]


def test_help_lists_every_command_with_examples_and_exit_codes(program: Program) -> None:
    code, out, err = program("--help")
    assert (code, err) == (FINE, "")
    assert set(COMMANDS) == {
        *("check", "compare", "send", "serve", "verify", "explain", "graph", "export", "mutate")
    }
    for name, command in COMMANDS.items():
        assert f"  {name} " in out
        assert command.short_help in out
    assert "Examples:\n  " in out.replace("  Examples:\n  ", "Examples:\n")
    for code_line in ("0  fine", "1  what was checked is bad", "2  wrong usage"):
        assert code_line in out


def test_help_is_quick_and_imports_nothing_heavy(shell: Program) -> None:
    began = time.perf_counter()
    code, out, _ = shell("--help")
    # Measured at 0.06 s; the bound leaves room for a machine that does other things too.
    assert time.perf_counter() - began < 2
    assert code == FINE
    assert "Commands:" in out
    probe = (
        "import sys\nfrom fsm_smtp.cli import run\nrun(['--help'])\n"
        "heavy = {'rich', 'transitions', 'ruamel', 'asyncio', 'ssl'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_and_has_help(name: str, program: Program) -> None:
    module = COMMANDS[name].target.partition(":")[0]
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not here yet")
    code, out, err = program(name, "--help")
    assert (code, err) == (FINE, "")
    assert f"fsm-smtp {name}" in out


def test_version(program: Program) -> None:
    code, out, _ = program("--version")
    assert code == FINE
    assert __version__ in out


def test_no_command_shows_help_and_is_wrong_usage(program: Program) -> None:
    code, out, err = program()
    assert (code, out) == (UNUSABLE, "")
    assert "Usage: fsm-smtp" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["verfy"], "there is no command 'verfy'; did you mean verify?"),
        (["verify", "--frob"], "--frob"),
        (["verify", "--table", "/nowhere.yaml"], "/nowhere.yaml:1:1: the file cannot be read"),
        (["verify", "--overlay", "requir_tls"], "did you mean require_tls?"),
        (["explain"], "Missing argument"),
        (["graph", "MIAL"], "did you mean SMTP_MAIL?"),
        (["graph", "--format", "gif"], "gif"),
        (["verify", "--json", "/nowhere/report.json"], "/nowhere/report.json"),
    ],
)
def test_an_error_is_one_line_on_stderr(arguments: list[str], says: str, program: Program) -> None:
    code, out, err = program(*arguments)
    assert (code, out) == (UNUSABLE, "")
    assert len(err.splitlines()) == 1
    assert err.startswith("fsm-smtp")
    assert says in err


def _command_that_raises(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    @click.command()
    def bad() -> None:
        raise error

    monkeypatch.setattr(program_module, "bad", bad, raising=False)
    monkeypatch.setitem(COMMANDS, "bad", LazyCommand("fsm_smtp.cli:bad", "Raises."))


def test_control_c_is_130(monkeypatch: pytest.MonkeyPatch, program: Program) -> None:
    _command_that_raises(monkeypatch, KeyboardInterrupt())
    assert program("bad") == (INTERRUPTED, "", "")


def test_an_error_of_ours_is_no_verdict(monkeypatch: pytest.MonkeyPatch, program: Program) -> None:
    _command_that_raises(monkeypatch, RuntimeError("broken inside"))
    code, _, err = program("bad")
    assert code == UNUSABLE
    assert "RuntimeError: broken inside" in err
    assert "an error of ours" in err.splitlines()[-1]


def test_a_command_may_leave_by_system_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    _command_that_raises(monkeypatch, SystemExit(BAD))
    with pytest.raises(SystemExit) as left:
        run(["bad"])
    assert left.value.code == BAD


def test_a_lazy_command_must_be_a_command() -> None:
    with pytest.raises(TypeError, match="no click command"):
        LazyCommand("fsm_smtp.cli:FINE", "").load()


@pytest.mark.parametrize("arguments", ["explain RCPT", "graph --format dot", "--help"])
def test_a_closed_pipe_is_quiet(arguments: str) -> None:
    """The reader is gone before anything is written."""
    reader, writer = os.pipe()
    os.close(reader)
    code = [sys.executable, "-c", "from fsm_smtp.cli import main; main()", *arguments.split()]
    with os.fdopen(writer, "wb") as stdout:
        done = subprocess.run(code, stdout=stdout, stderr=subprocess.PIPE, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (PIPE_CLOSED, b"")


def _on_a_terminal(*arguments: str, **environment: str) -> str:
    ours, theirs = pty.openpty()
    kept = {n: v for n, v in os.environ.items() if n not in {"NO_COLOR", "FORCE_COLOR"}}
    with subprocess.Popen(
        [sys.executable, "-c", "from fsm_smtp.cli import main; main()", *arguments],
        stdout=theirs,
        stderr=theirs,
        env={**kept, "TERM": "xterm-256color", **environment},
    ) as process:
        os.close(theirs)
        written = b""
        with suppress(OSError):  # Linux says EIO, not EOF, when the other side is closed
            while chunk := os.read(ours, 65536):
                written += chunk
        os.close(ours)
        assert process.wait(30) == FINE
    return written.decode()


def test_colour_on_a_terminal_only_and_not_under_no_color(program: Program) -> None:
    colours = "\x1b[32m", "\x1b[1;32m"
    on_terminal = _on_a_terminal("verify")
    assert any(colour in on_terminal for colour in colours)
    without = _on_a_terminal("verify", NO_COLOR="1")
    assert not any(colour in without for colour in colours)
    assert "holds" in without
    assert "\x1b" not in program("verify")[1]


def test_an_ascii_terminal_is_enough(shell: Program) -> None:
    code, out, err = shell("explain", "MAIL", PYTHONIOENCODING="ascii")
    assert (code, err) == (FINE, "")
    assert "5321 ?4.1.1.2" in out


def test_the_commands_work_under_click_alone() -> None:
    result = CliRunner().invoke(cli, ["explain", "MAIL"])
    assert result.exit_code == FINE
    assert result.stdout.startswith("SMTP_MAIL, documented number 7")
