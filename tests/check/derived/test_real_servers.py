"""Derived tests of real servers: what they are known to do, and nothing else is reported."""

import asyncio
from dataclasses import replace

import pytest

from tests.check.derived.running import SETTINGS, Report, examine
from tests.servers.base import RECIPIENTS, SENDER, UNKNOWN
from tests.servers.fixtures import ServerPark

ADDRESSED = replace(
    SETTINGS,
    sender=SENDER,
    recipient=RECIPIENTS[0],
    unknown_recipient=UNKNOWN,
    timeout=10.0,
    jobs=4,
)


def examined(servers: ServerPark, name: str) -> Report:
    return asyncio.run(examine(servers.start(name).port, ADDRESSED))


@pytest.mark.parametrize("name", ["aiosmtpd", "exim"])
def test_a_server_that_keeps_to_its_choices(servers: ServerPark, name: str) -> None:
    report = examined(servers, name)
    assert report.results == {}
    assert report.finished.guarantee.startswith("All ")


def test_postfix_takes_mail_before_hello(servers: ServerPark) -> None:
    """A choice that RFC 5321 §4.1.4 leaves open: the machine has fewer states then.

    It hangs up with 221 on a line that looks like a header field (smtpd_forbidden_commands),
    which RFC 5321 §3.8 does not provide for; nothing else is wrong.
    """
    report = examined(servers, "postfix")
    choices = report.finished.document["choices"]
    assert choices["mail-before-hello[tls=no]"] == "accepted"
    assert report.results
    assert all(name.endswith("-content") for name in report.results)
    assert all(result.actual.startswith("221 ") for result in report.results.values())
