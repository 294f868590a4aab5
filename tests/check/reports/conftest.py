"""One faulty run, for the tests of all reports."""

import pytest

from fsm_smtp.check.engine.events import Event
from tests.check.playing import SUITE
from tests.check.reports.running import LATER, events_of


@pytest.fixture(scope="session")
def faulty() -> list[Event]:
    """A server that breaks one rule, and greets with what a terminal would obey."""
    some = SUITE.select(["5321-4.1.4-*", "5321-3.1-*"], LATER)
    return events_of(some, "refuses a second EHLO", "greets with markup and controls")
