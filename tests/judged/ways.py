"""The servers that are judged, and how each is set and approached."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.cases.suite import load_suite
from fsm_smtp.check.engine.connection import Target
from fsm_smtp.check.engine.events import CaseResult, SuiteFinished, SuiteStarted
from fsm_smtp.check.engine.runner import run_suite
from fsm_smtp.check.engine.session import Settings
from tests.servers.base import PASSWORD, RECIPIENTS, SENDER, UNKNOWN, USER, Server

#: What asks for a reason.
NOT_WELL = frozenset({Verdict.FAIL, Verdict.WARN, Verdict.TIMEOUT, Verdict.ERROR})


@dataclass(frozen=True)
class Way:
    """One server with its settings.

    Attributes:
        server: its name in `tests.servers.registry`.
        options: what `ServerPark.start` is given.
        settings: what they are, in words.
        authenticate: whether the cases run behind AUTH.
    """

    server: str
    settings: str
    options: Mapping[str, bool] = field(default_factory=dict[str, bool])
    authenticate: bool = False


WAYS: Mapping[str, Way] = MappingProxyType(
    {
        "aiosmtpd": Way("aiosmtpd", "a handler that refuses unknown recipients"),
        "dovecot": Way("dovecot", "the submission service, which wants AUTH", authenticate=True),
        "exim": Way("exim", "as it comes, unknown recipients refused"),
        "haraka": Way("haraka", "as it comes, with a plugin that knows the recipients"),
        "opensmtpd": Way("opensmtpd", "as it comes, a table of virtual users"),
        "postfix": Way("postfix", "as it comes, DNS off"),
        "postfix-hardened": Way(
            "postfix",
            "smtpd_forbid_bare_newline, smtpd_forbid_unauth_pipelining, smtpd_helo_required and "
            "strict_rfc821_envelopes on, smtpd_delay_reject off",
            {"hardened": True},
        ),
        "sendmail": Way("sendmail", "as it comes, DNS off"),
        "smtp-server": Way("smtp-server", "onRcptTo refuses unknown recipients"),
    }
)


@dataclass(frozen=True)
class Judgement:
    """A server and what `check` says of it."""

    started: SuiteStarted
    results: tuple[CaseResult, ...]

    def not_well(self) -> dict[str, CaseResult]:
        """By case id, what asks for a reason."""
        return {one.case.id: one for one in self.results if one.verdict in NOT_WELL}


def judge(server: Server, way: Way) -> Judgement:
    """Play every case on *server*, which is running."""
    settings = Settings(
        sender=SENDER,
        recipient=RECIPIENTS[0],
        unknown_recipient=UNKNOWN,
        user=USER if way.authenticate else None,
        password=PASSWORD if way.authenticate else None,
    )
    # The certificate is right, and its authority is the tests' own.
    target = Target(server.host, server.port, verify=False)
    return asyncio.run(_judge(target, settings))


async def _judge(target: Target, settings: Settings) -> Judgement:
    started: SuiteStarted | None = None
    async for event in run_suite(load_suite(), target, settings):
        match event:
            case SuiteStarted():
                started = event
            case SuiteFinished() if started is not None:
                return Judgement(started, event.results)
            case _:
                pass
    raise AssertionError("the suite did not end")
