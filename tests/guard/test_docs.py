"""The Python in docs/guard.md, and the README's words on the guard, run."""

import re
from pathlib import Path

import pytest

from tests.servers.base import RECIPIENTS
from tests.servers.fixtures import ServerPark

ROOT = Path(__file__).parents[2]


def _blocks(name: str, language: str) -> list[str]:
    text = (ROOT / name).read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def _here(code: str, servers: ServerPark) -> str:
    server = servers.start("aiosmtpd")
    code = code.replace('"localhost", 2525', f'"{server.host}", {server.port}')
    code = code.replace('"localhost", port=2525', f'"{server.host}", port={server.port}')
    return code.replace("b@example.test", RECIPIENTS[0])


@pytest.mark.parametrize("number", range(len(_blocks("docs/guard.md", "python"))))
def test_every_example_runs(
    servers: ServerPark, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    code = _here(_blocks("docs/guard.md", "python")[number], servers)
    exec(compile(code, "guard.md", "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    if "refused.state" in code:
        assert printed.startswith("SMTP_CONNECTED 5321 §3.3 ('send_ehlo', 'send_helo')")
    if "findings[0]" in code:
        assert "is not legal in SMTP_CONNECTED" in printed


def test_the_readmes_error_is_what_comes(servers: ServerPark) -> None:
    (code,) = [text for text in _blocks("README.md", "python") if "fsm_smtp.guard" in text]
    with pytest.raises(Exception, match="is not legal") as caught:
        exec(compile(_here(code, servers), "README.md", "exec"), {})
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = " ".join(readme.partition("fsm_smtp.guard.smtplib.SMTPCommandRefused: ")[2].split())
    until = str(caught.value).replace(RECIPIENTS[0], "b@example.test")
    assert shown.startswith(until.partition(", send_helo")[0])
