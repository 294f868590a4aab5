"""A pytest plugin for aiosmtplib's suite: our class stands in the place of its `SMTP`."""

import aiosmtplib
import aiosmtplib.api
import aiosmtplib.smtp
import pytest

from fsm_smtp.guard.aiosmtplib import SMTP

for module in (aiosmtplib, aiosmtplib.api, aiosmtplib.smtp):
    vars(module)["SMTP"] = SMTP


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what failed, one a line."""
    for kind in ("failed", "error"):
        for report in terminalreporter.stats.get(kind, []):
            terminalreporter.write_line(f"different {report.nodeid}")
