"""``fsm-smtp export``: by format or by the ending of a file, with overlays, to a file or a pipe."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from fsm_smtp.cli.export import export
from fsm_smtp.export import to_json, to_promela, to_scxml, to_tla
from fsm_smtp.table import load_table

_ENDINGS = {"a.pml": to_promela, "a.TLA": to_tla, "a.scxml": to_scxml, "a.json": to_json}


@pytest.mark.parametrize("name", _ENDINGS)
def test_the_ending_of_the_file_names_the_format(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    result = CliRunner().invoke(export, ["-o", str(file)])
    assert (result.exit_code, result.output) == (0, "")
    assert file.read_text(encoding="utf-8") == _ENDINGS[name](load_table())


def test_to_a_pipe_it_is_the_same_text() -> None:
    result = CliRunner().invoke(export, ["--format", "json", "--overlay", "require_tls"])
    assert result.exit_code == 0
    assert result.stdout_bytes.decode() == to_json(load_table(overlays=["require_tls"]))
    assert json.loads(result.stdout_bytes)["overlays"] == ["require_tls"]


def test_the_format_must_be_known() -> None:
    result = CliRunner().invoke(export, [])
    assert result.exit_code == 2
    assert "--format" in result.output
