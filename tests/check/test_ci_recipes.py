"""The recipes of the README run, against a server that keeps the rules and one that does not."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.check.strict_server import strict_server_in_thread

PAGE = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
YAMLS: list[Any] = [YAML(typ="safe").load(text) for name, text in BLOCKS if name == "yaml"]
SHELL = [text for name, text in BLOCKS if name == "sh"]


def bash(script: str, folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    """Run *script* as a CI does, with the program on the path and the server in its place."""
    program = folder / "bin" / "fsm-smtp"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m fsm_smtp "$@"\n')
    program.chmod(0o755)
    root = str(Path(__file__).parents[2])
    script = script.replace("localhost:2525", f"127.0.0.1:{port} --jobs 16 --only 5321-[34].1*")
    script = script.replace("localhost/2525", f"127.0.0.1/{port}")
    env = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": root}
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=folder, env=env, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


def steps() -> dict[str, list[str]]:
    """What the two pipelines run, but for installing and starting the server."""
    github = [step.get("run", "") for step in YAMLS[0]["jobs"]["conformance"]["steps"]]
    return {
        name: [line for line in lines if line.startswith(("timeout", "fsm-smtp"))]
        for name, lines in {"github": github, "gitlab": YAMLS[1]["smtp"]["script"]}.items()
    }


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_a_pipeline(name: str, tmp_path: Path) -> None:
    assert len(steps()[name]) == 2
    with strict_server_in_thread() as port:
        for step in steps()[name]:
            done = bash(step, tmp_path, port)
            assert done.returncode == 0, done.stderr
    assert (tmp_path / "smtp.xml").exists()
    assert (tmp_path / "smtp.html").exists()


def test_plain_shell(tmp_path: Path) -> None:
    with strict_server_in_thread("refuses a second EHLO") as port:
        done = bash(SHELL[0], tmp_path, port)
    assert done.returncode == 0, done.stderr
    said = done.stdout.split("broken:\n")[1].split()
    assert "5321-4.1.4-second-ehlo" in said
    with strict_server_in_thread() as port:
        assert bash(SHELL[0], tmp_path, port).stdout.endswith("no rule is broken\n")
    assert bash(SHELL[0], tmp_path, port).stdout.endswith("the server was not judged\n")


def test_before_a_release(tmp_path: Path) -> None:
    with strict_server_in_thread("refuses a second EHLO") as port:
        assert bash(SHELL[1], tmp_path, port).returncode == 0
        assert bash(SHELL[2], tmp_path, port).returncode == 0
    with strict_server_in_thread("refuses a second EHLO", "greets without a name") as port:
        worse = bash(SHELL[2], tmp_path, port)
    assert worse.returncode == 1
    gate = json.loads((tmp_path / "smtp-now.json").read_text())["gate"]
    assert "5321-4.1.4-second-ehlo" in gate["known"]
    assert "5321-3.1-greeting" in gate["new"]
