"""What the core needs, and what importing the package costs nothing of."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fsm_smtp import specs
from fsm_smtp.version import __version__

CORE = [
    *("fsm_smtp.command", "fsm_smtp.configuration", "fsm_smtp.errors", "fsm_smtp.machine"),
    *("fsm_smtp.refusal", "fsm_smtp.specs", "fsm_smtp.table", "fsm_smtp.verify"),
    "fsm_smtp.yaml_source",
]

#: Prints the names of the top-level packages that are loaded and not the standard library's.
PROBE = """
import json, sys
before = set(sys.modules)
{code}
loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(json.dumps(sorted(loaded - sys.stdlib_module_names)))
"""


def loaded_by(code: str) -> set[str]:
    """The packages beyond the standard library that a fresh interpreter loads."""
    run = subprocess.run(
        [sys.executable, "-c", PROBE.format(code=code)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(specs.__file__).parents[1],
        timeout=60,
    )
    found = set(json.loads(run.stdout))
    # What the library for transitions brings along by itself.
    return found - {"six"}


def test_importing_the_package_loads_nothing_else() -> None:
    assert loaded_by("import fsm_smtp") == {"fsm_smtp"}


def test_importing_the_core_reads_no_yaml() -> None:
    code = "\n".join(f"import {name}" for name in CORE)
    assert loaded_by(code) == {"fsm_smtp", "transitions"}


def test_the_core_needs_two_packages() -> None:
    code = "from fsm_smtp.machine import shared_machine; shared_machine()\n"
    code += "from fsm_smtp.verify import verify; assert verify(shared_machine().table).holds"
    found = {name for name in loaded_by(code) if not name.startswith("_ruamel")}
    assert found == {"fsm_smtp", "transitions", "ruamel"}


def test_the_version_is_the_one_of_the_package() -> None:
    major, minor, patch = __version__.split(".")
    assert all(part.isdecimal() for part in (major, minor, patch))


def test_a_wheel_carries_the_data_inside_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "fsm_smtp"
    package.mkdir()
    monkeypatch.setattr(specs, "_PACKAGE", package)
    assert specs.spec_path("transitions.yaml") == tmp_path / "specs" / "transitions.yaml"
    (package / "specs").mkdir()
    assert specs.spec_path("overlays", "x.yaml") == package / "specs" / "overlays" / "x.yaml"
