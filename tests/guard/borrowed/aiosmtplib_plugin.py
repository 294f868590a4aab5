"""A pytest plugin for aiosmtplib's suite: our class stands in the place of its `SMTP`."""

import aiosmtplib
import aiosmtplib.api
import aiosmtplib.smtp
import pytest
from hypothesis import settings

from fsm_smtp.guard.aiosmtplib import SMTP

for module in (aiosmtplib, aiosmtplib.api, aiosmtplib.smtp):
    vars(module)["SMTP"] = SMTP

# What its suite tries with Hypothesis are encodings, which the guard has no part in.
settings.register_profile("few", max_examples=5, deadline=None)
settings.load_profile("few")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what failed, one a line."""
    for kind in ("failed", "error"):
        for report in terminalreporter.stats.get(kind, []):
            terminalreporter.write_line(f"different {report.nodeid}")
