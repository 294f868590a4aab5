"""Derived tests of real servers: what they are known to do, and nothing else is reported."""

import asyncio
from dataclasses import replace

import pytest

from fsm_smtp.check.derived.resetting import Reset
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


def examined(servers: ServerPark, name: str, reset: Reset = Reset.AUTO) -> Report:
    return asyncio.run(examine(servers.start(name).port, ADDRESSED, reset=reset))


@pytest.mark.parametrize(
    ("name", "reset"),
    [("aiosmtpd", Reset.CONNECTION), ("aiosmtpd", Reset.RSET), ("exim", Reset.RSET)],
)
def test_a_server_that_keeps_to_its_choices(servers: ServerPark, name: str, reset: Reset) -> None:
    report = examined(servers, name, reset)
    assert report.results == {}
    assert report.finished.cut == {}
    assert report.finished.guarantee.startswith("All ")
    reset_by = report.finished.document["reset"]
    assert reset_by["used"] == reset.value
    if name == "exim":
        # It bears ten commands that mail nothing, and three mistakes, in a session.
        assert reset_by["cut_off"] > 0


@pytest.mark.parametrize("reset", [Reset.CONNECTION, Reset.RSET])
def test_postfix_takes_mail_before_hello(servers: ServerPark, reset: Reset) -> None:
    """A choice that RFC 5321 §4.1.4 leaves open: the machine has fewer states then.

    It hangs up with 221 on a line that looks like a header field (smtpd_forbidden_commands),
    which RFC 5321 §3.8 does not provide for; nothing else is wrong.
    """
    report = examined(servers, "postfix", reset)
    choices = report.finished.document["choices"]
    assert choices["mail-before-hello[tls=no]"] == "accepted"
    assert report.results
    assert all(name.endswith("-content") for name in report.results)
    assert all(result.actual.startswith("221 ") for result in report.results.values())
