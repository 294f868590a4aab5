"""A pytest plugin that says which aiosmtplib was tried."""

import aiosmtplib
import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The version, on a line."""
    terminalreporter.write_line(f"aiosmtplib {aiosmtplib.__version__}")
