"""The README's Python runs, and prints what the README says."""

import re
from pathlib import Path

import pytest

from tests.servers.base import RECIPIENTS
from tests.servers.fixtures import ServerPark

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
# The guard's has its test beside the guard's.
PYTHON = [
    text for language, text in BLOCKS if language == "python" and "fsm_smtp.guard" not in text
]


def test_there_is_something_to_run() -> None:
    assert len(PYTHON) == 2


def test_sending(servers: ServerPark, capsys: pytest.CaptureFixture[str]) -> None:
    server = servers.start("aiosmtpd")
    # aiosmtpd's test certificate is signed by an authority of the tests: in clear, then.
    code = PYTHON[0].replace('security="opportunistic"', 'security="none"')
    code = code.replace('"localhost", 2525', f'"{server.host}", {server.port}')
    code = code.replace("b@example.test", RECIPIENTS[0])
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith(f"{RECIPIENTS[0]} accepted 250 ")


def test_asking_the_machine(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(PYTHON[1], "README.md", "exec"), {})
    printed = capsys.readouterr().out
    shown = BLOCKS[[text for _, text in BLOCKS].index(PYTHON[1]) + 1][1]
    before_the_ellipsis = " ".join(shown.split()).removesuffix(", …")
    assert printed.startswith(before_the_ellipsis)
