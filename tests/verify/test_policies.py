"""The worked examples of docs/policies.md: tables of one's own, with properties of their own."""

import re
from pathlib import Path

import pytest

from fsm_smtp.table import load_table
from fsm_smtp.verify import verify
from tests.verify.tables import failed

DOCS = Path(__file__).parents[2] / "docs"
POLICIES = DOCS / "policies"


@pytest.mark.parametrize("file", sorted(POLICIES.glob("*.yaml")), ids=lambda file: file.stem)
def test_an_example_verifies_with_its_own_properties(file: Path) -> None:
    table = load_table(overlays=[file])
    verification = verify(table)
    assert not failed(verification)
    own = {one.id for one in table.properties if one.place.startswith(str(file))}
    assert own
    assert own <= {check.id for check in verification.checks}


def _changed(name: str, old: str, new: str, folder: Path) -> Path:
    text = (POLICIES / name).read_text(encoding="utf-8")
    assert text.count(old) == 1
    path = folder / name
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "old", "new", "id_", "last"),
    [
        (
            "tls_before_auth.yaml",
            "when: {tls: yes}",
            "when: {tls: no}",
            "tls-before-auth",
            "send_auth",
        ),
        (
            "tls_before_auth.yaml",
            "narrow:\n  - {properties: auth-permitted, while: under-tls, rfc: 4954 §4}",
            "",
            "auth-permitted",
            "offers_end",
        ),
        (
            "xclient.yaml",
            "forget: [envelope, offers, flight, greeted, authenticated]",
            "forget: [envelope, offers, flight, authenticated]",
            "mail-after-hello",
            "send_mail",
        ),
        (
            "xclient.yaml",
            "source: idle\n",
            "source: greeted_rest\n",
            "xclient-when-offered",
            "send_xclient",
        ),
    ],
)
def test_a_slip_in_an_example_is_refuted(
    name: str, old: str, new: str, id_: str, last: str, tmp_path: Path
) -> None:
    found = failed(verify(load_table(overlays=[_changed(name, old, new, tmp_path)])))
    assert found[id_].counterexample[-1].trigger == last


def test_a_policy_that_forbids_all_is_vacuous(tmp_path: Path) -> None:
    path = tmp_path / "never.yaml"
    path.write_text(
        "schema: 1\nname: never\nmeans: no content at all\ndrop: [data-opened]\n", encoding="utf-8"
    )
    check = failed(verify(load_table(overlays=[path])))["content-only"]
    assert check.vacuous
    assert check.holds
    assert not check.passed


def test_the_page_shows_the_file() -> None:
    page = (DOCS / "policies.md").read_text(encoding="utf-8")
    shown = re.search(r"```yaml\n(.*?)```", page, re.S)
    assert shown
    written = (POLICIES / "tls_before_auth.yaml").read_text(encoding="utf-8")
    kept = [line for line in written.splitlines() if line and not line.startswith("#")]
    shown_lines = [line for line in shown[1].splitlines() if line]
    assert shown_lines == kept[3:]


def test_the_code_of_the_page_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (DOCS / "policies.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", page, re.S)
    assert code
    monkeypatch.chdir(DOCS.parent)
    exec(compile(code[1], "policies.md", "exec"), {})
