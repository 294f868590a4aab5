"""The pytest plugin: two fixtures, and ready-made tests by ``--smtp-target``.

pytest imports this at every start, so it imports nothing but pytest; the kit loads when it is used.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fsm_smtp.guard.installing import Installation
    from fsm_smtp.testing.served import SMTPServer

PROFILES = ("quick", "thorough")


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
