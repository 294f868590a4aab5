"""The pytest plugin: two fixtures, coverage of the machines, ready-made tests by ``--smtp-target``.

pytest imports this at every start, so it imports nothing but pytest; the kit loads when it is used.
"""

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fsm_smtp.guard.installing import Installation
    from fsm_smtp.testing.served import SMTPServer

PROFILES = ("quick", "thorough")
#: Under this name a report carries what its machine has visited.
_COVERAGE = "smtp_coverage"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Our options."""
    group = parser.getgroup("smtp", "SMTP (fsm-smtp)")
    group.addoption("--smtp-target", metavar="HOST:PORT", help="explore the server there")
    group.addoption(
        "--smtp-profile",
        choices=PROFILES,
        default="quick",
        help="how much: quick, or thorough until every transition was visited [quick]",
    )
    group.addoption("--smtp-examples", type=int, metavar="N", help="sessions of each test")
    group.addoption("--smtp-seed", type=int, metavar="N", help="make the exploration repeatable")
    group.addoption("--smtp-recipient", metavar="A", help="a mailbox that the target has")
    group.addoption("--smtp-unknown-recipient", metavar="A", help="a mailbox that it has not")
    group.addoption("--smtp-sender", metavar="A", help="a sender that the target takes")
    group.addoption("--smtp-user", metavar="NAME", help="with $SMTP_PASSWORD: try AUTH too")
    group.addoption(
        "--smtp-known",
        action="append",
        default=[],
        metavar="SECTION",
        help="a section that the target is known to break, such as '5321 §3.8'; repeatable",
    )
    group.addoption("--smtp-strict", action="store_true", help="fail on codes no RFC lists there")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker; load the ready-made tests if they are asked for."""
    config.addinivalue_line(
        "markers",
        "smtp_server(*faults, **options): how the fixture smtp_server is set up: faults by name, "
        "and attributes of fsm_smtp.testing.server.options.Options",
    )
    if config.getoption("smtp_target"):
        from fsm_smtp.testing import target_tests

        config.pluginmanager.register(target_tests.TargetTests(config), "fsm_smtp_target")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test of a machine says what was visited, also from a worker of pytest-xdist."""
    report = yield
    covered = getattr(getattr(item, "cls", None), "smtp_coverage", None)
    if covered is not None and report.when == "call":
        report.user_properties.append((_COVERAGE, "\n".join(covered())))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the machines have visited."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, lines in getattr(report, "user_properties", ()):
                if name == _COVERAGE:
                    terminalreporter.section(f"SMTP: {report.nodeid}")
                    terminalreporter.line(str(lines))


@pytest.fixture
def smtp_server(request: pytest.FixtureRequest) -> "Iterator[SMTPServer]":
    """A model server on a free port: see `fsm_smtp.testing.SMTPServer`."""
    from fsm_smtp.testing.served import SMTPServer

    marker = request.node.get_closest_marker("smtp_server")
    faults = marker.args if marker is not None else ()
    options: dict[str, Any] = dict(marker.kwargs) if marker is not None else {}
    with SMTPServer(*faults, **options) as server:
        yield server


@pytest.fixture
def smtp_guard() -> "Iterator[Installation]":
    """The guard under every smtplib client of the test: what is illegal raises, unsent."""
    from fsm_smtp.guard import install

    with install() as installation:
        yield installation
