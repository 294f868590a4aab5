"""Other projects' own test suites pass with the guard inside; what must differ is listed here.

And the guard's own tests pass with other versions of aiosmtplib. CPython's suite comes with the
interpreter, everything else by `.ci/fetch-suites`.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.servers import registry

ROOT = Path(__file__).parents[2]
SUITES = registry.fetched_folder() / "suites"

#: What CPython's tests do that no client may: the test, and the section.
DIFFERENT_CPYTHON = {
    # AUTH before EHLO, so that nothing has been offered
    "SMTPAUTHInitialResponseSimTests.testAUTH_PLAIN_initial_response_auth": "4954 §4",
}

#: What aiosmtplib's tests do that no client may.
DIFFERENT_AIOSMTPLIB = {
    # NOTIFY to a server that does not offer DSN
    "tests/test_commands.py::test_rcpt_options_ok": "3461 §4",
    "tests/test_sendmail.py::test_sendmail_with_rcpt_option": "3461 §4",
}


def _absent(what: str) -> None:
    if registry.required():
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


def _suite(name: str) -> Path:
    path = SUITES / name
    if not path.is_dir() or not (SUITES / "site").is_dir():
        _absent(f"{name}'s test suite is not here: .ci/fetch-suites")
    return path


def _run(
    *arguments: str, cwd: Path = ROOT, path: tuple[Path, ...] = (), python: str = sys.executable
) -> str:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *path)))}
    env.pop("PYTEST_ADDOPTS", None)
    command = [python, *arguments]
    run = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=110, check=False
    )
    return run.stdout + run.stderr


def _cpython(how: str, python: str = sys.executable, path: tuple[Path, ...] = ()) -> dict[str, Any]:
    output = _run(
        "-W", "ignore", "-m", "tests.guard.borrowed.cpython", how, python=python, path=path
    )
    lines = [line for line in output.splitlines() if line.startswith('{"expected"')]
    assert lines, output
    answer: dict[str, Any] = json.loads(lines[0])
    return answer


@pytest.mark.parametrize("how", ["classes", "install"])
def test_cpythons_own_tests_of_smtplib(how: str) -> None:
    if importlib.util.find_spec("test.test_smtplib") is None:
        version = sysconfig.get_python_version()
        _absent(f"CPython's tests are not here (Debian: libpython{version}-testsuite)")
    answer = _cpython(how)
    assert answer["run"] == answer["expected"] > 80
    assert answer["guarded"] > 50
    found = {each.removeprefix("test.test_smtplib.") for each in answer["different"]}
    assert found == set(DIFFERENT_CPYTHON), answer["why"]


@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_newer_interpreters(version: str) -> None:
    python = shutil.which(f"python{version}")
    probe = "import sys, test.test_smtplib; print(sys.version_info[:2])"
    if sysconfig.get_python_version() == version or python is None:
        pytest.skip(f"no other interpreter of Python {version} here")
    here = subprocess.run([python, "-c", probe], capture_output=True, text=True, check=False)
    if here.returncode != 0:
        pytest.skip(f"Python {version} is here without its tests")
    answer = _cpython("classes", python, (Path(sysconfig.get_path("purelib")),))
    assert answer["run"] == answer["expected"] > 80
    found = {each.removeprefix("test.test_smtplib.") for each in answer["different"]}
    assert found == set(DIFFERENT_CPYTHON), answer["why"]


def test_djangos_own_tests_of_mail() -> None:
    suite = _suite("Django")
    output = _run(
        *("-m", "tests.guard.borrowed.django", "mail", "--parallel", "1"),
        cwd=suite / "tests",
        path=(suite, SUITES / "site"),
    )
    assert re.search(r"^Ran \d{3} tests", output, re.MULTILINE), output[-3000:]
    assert re.search(r"^OK( \(skipped=\d+\))?$", output, re.MULTILINE), output[-3000:]
    guarded = re.search(r"^guarded (\d+)$", output, re.MULTILINE)
    assert guarded is not None
    assert int(guarded[1]) > 20


def test_aiosmtplibs_own_tests() -> None:
    suite = _suite("aiosmtplib")
    options = ("-q", "-p", "no:cacheprovider", "--timeout", "60")
    path = (SUITES / "site", suite / "src", Path(__file__).parent / "borrowed")
    plugin = ("-p", "aiosmtplib_plugin")
    output = _run("-m", "pytest", *options, *plugin, cwd=suite, path=path)
    passed = re.search(r"(\d+) passed", output)
    assert passed is not None, output[-3000:]
    assert int(passed[1]) > 350
    different = set(re.findall(r"^different (\S+)$", output, re.MULTILINE))
    assert set(DIFFERENT_AIOSMTPLIB) <= different
    others = sorted(different - set(DIFFERENT_AIOSMTPLIB))
    if others:  # some fail without the guard, with this interpreter: no others may
        again = _run("-m", "pytest", *options, *others, cwd=suite, path=path)
        failed = re.search(r"(\d+) failed", again)
        assert failed is not None, again[-3000:]
        assert int(failed[1]) == len(others), again[-3000:]
        assert "passed" not in again, again[-3000:]


#: The tests of the guard inside aiosmtplib; not how the version that is installed behaves without.
OURS = "(aiosmtplib or both_are_immune) and not plain and not control_octets and not between"


@pytest.mark.parametrize("version", ["3.0.2", "4.0.2"])
def test_other_versions_of_aiosmtplib(version: str) -> None:
    """A version from each series that is not the one installed: the guard touches private names."""
    folder = SUITES / "versions" / f"aiosmtplib=={version}"
    if not folder.is_dir():
        _absent(f"aiosmtplib {version} is not here: .ci/fetch-suites")
    names = ("aiosmtplib", "attacks", "lying_servers", "reply_counts")
    files = [f"tests/guard/test_{name}.py" for name in names]
    options = ("-q", "-p", "no:cacheprovider", "-p", "aiosmtplib_version", "-k", OURS)
    path = (folder, Path(__file__).parent / "borrowed")
    output = _run("-m", "pytest", *options, *files, path=path)
    assert f"aiosmtplib {version}\n" in output, output[-3000:]
    passed = re.search(r"^(\d+) passed", output, re.MULTILINE)
    assert passed is not None, output[-3000:]
    assert int(passed[1]) > 60
