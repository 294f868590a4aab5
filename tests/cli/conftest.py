"""What the tests of the command line share."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from fsm_smtp.cli import run
from fsm_smtp.diagram.ways import Ways
from fsm_smtp.specs import spec_path
from fsm_smtp.table import Table, load_table

Outcome = tuple[int, str, str]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def program(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Runs a command line in this process: exit code, stdout, stderr."""

    def call(*arguments: str) -> Outcome:
        code = run(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def shell() -> Callable[..., Outcome]:
    """Runs a command line in a process of its own, with these changes of the environment."""

    def call(*arguments: str, **environment: str) -> Outcome:
        kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR"}}
        done = subprocess.run(
            [sys.executable, "-c", "from fsm_smtp.cli import main; main()", *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=30,
            check=False,
            cwd=ROOT,
            env={**kept, "PYTHONPATH": str(ROOT), **environment},
        )
        return done.returncode, done.stdout, done.stderr

    return call


@pytest.fixture
def table_with(tmp_path: Path) -> Callable[[str, str], Path]:
    """The shipped table with one piece of text replaced; it must be there, once."""

    def write(old: str, new: str) -> Path:
        text = spec_path("transitions.yaml").read_text(encoding="utf-8")
        assert text.count(old) == 1
        path = tmp_path / "changed.yaml"
        path.write_text(text.replace(old, new), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session", autouse=True)
def _tables_read_once() -> Iterator[None]:
    """Tables never change, and each test writes its own: read and explore each one once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fsm_smtp.cli.terminal.load_table", lru_cache(load_table))
        for module in ("explain", "graph"):
            patch.setattr(f"fsm_smtp.cli.{module}.Ways", _ways_once)
        yield


_explored: dict[int, Ways] = {}


def _ways_once(table: Table) -> Ways:
    if id(table) not in _explored:  # the ways keep their table, so that no other has its id
        _explored[id(table)] = Ways(table)
    return _explored[id(table)]


@pytest.fixture(scope="session")
def ways() -> Ways:
    return Ways(load_table())
