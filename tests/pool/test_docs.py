"""The examples of docs/pool.md run."""

import re
from pathlib import Path

import pytest

from tests.pool.serving import offering

TEXT = (Path(__file__).parents[2] / "docs" / "pool.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
PRINTED = ["True\n", "250\n", "", "b'mx.example.test'\n"]


@pytest.mark.parametrize(("example", "printed"), list(zip(EXAMPLES, PRINTED, strict=True)))
def test_examples(example: str, printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with offering() as server:
        exec(compile(example.replace("2525", str(server.port)), "docs/pool.md", "exec"), {})
    assert capsys.readouterr().out == printed
