"""The two pages of ten minutes, executed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
_CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("page", "outcome", "covered"),
    [
        ("test-your-server", "1 passed", " transitions ("),
        ("test-your-client", "6 passed", " configurations × triggers × reply classes ("),
    ],
)
def test_the_examples_of_a_page(page: str, outcome: str, covered: str, tmp_path: Path) -> None:
    code = _CODE.findall((DOCS / f"{page}.md").read_text("utf-8"))
    assert code
    (tmp_path / "test_page.py").write_text("\n\n".join(code))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
    )
    assert outcome in done.stdout, done.stdout + done.stderr
    assert covered in done.stdout
