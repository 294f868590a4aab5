"""The servers that are judged, and how each is set and approached."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.cases.suite import Suite, load_suite
from fsm_smtp.check.engine.connection import Target, TLSMode
from fsm_smtp.check.engine.events import CaseResult, SuiteFinished, SuiteStarted
from fsm_smtp.check.engine.runner import run_suite
from fsm_smtp.check.engine.session import Settings
from tests.servers.base import PASSWORD, RECIPIENTS, SENDER, UNKNOWN, USER, Server
from tests.servers.dovecot import Dovecot

#: What asks for a reason.
NOT_WELL = frozenset({Verdict.FAIL, Verdict.WARN, Verdict.TIMEOUT, Verdict.ERROR})


@dataclass(frozen=True)
class Way:
    """One server with its settings, and how it is approached.

    Attributes:
        server: its name in `tests.servers.registry`.
        settings: what they are, in words.
        options: what `ServerPark.start` is given.
        authenticate: whether the cases run behind AUTH.
        tls: how TLS comes up.
        lmtp: whether the server's LMTP port is judged; then by the cases for LMTP alone.
    """

    server: str
    settings: str
    options: Mapping[str, bool] = field(default_factory=dict[str, bool])
    authenticate: bool = False
    tls: TLSMode = TLSMode.NONE
    lmtp: bool = False


_AUTH = {"auth_required": True}
_TLS = {"tls_required": True}

WAYS: Mapping[str, Way] = MappingProxyType(
    {
        "aiosmtpd": Way("aiosmtpd", "a handler that refuses unknown recipients"),
        "aiosmtpd-auth": Way("aiosmtpd", "auth_required; judged behind AUTH", _AUTH, True),
        "dovecot": Way("dovecot", "the submission service; judged behind AUTH", authenticate=True),
        "dovecot-lmtp": Way("dovecot", "the LMTP service; the cases of RFC 2033", lmtp=True),
        "exim": Way("exim", "as it comes, unknown recipients refused"),
        "exim-auth": Way(
            "exim", "acl_smtp_mail wants authentication; judged behind AUTH", _AUTH, True
        ),
        "haraka": Way("haraka", "as it comes, with a plugin that knows the recipients"),
        "haraka-auth": Way("haraka", "the same; judged behind AUTH", authenticate=True),
        "opensmtpd": Way("opensmtpd", "as it comes, a table of virtual users"),
        "postfix": Way("postfix", "as it comes, DNS off"),
        "postfix-auth": Way(
            "postfix",
            "smtpd_sender_restrictions = permit_sasl_authenticated, reject; judged behind AUTH",
            _AUTH,
            True,
        ),
        "postfix-hardened": Way(
            "postfix",
            "smtpd_forbid_bare_newline, smtpd_forbid_unauth_pipelining, smtpd_helo_required and "
            "strict_rfc821_envelopes on, smtpd_delay_reject off",
            {"hardened": True},
        ),
        "postfix-tls": Way(
            "postfix",
            "smtpd_tls_security_level = encrypt; judged behind STARTTLS and AUTH",
            _TLS,
            True,
            TLSMode.STARTTLS,
        ),
        "sendmail": Way("sendmail", "as it comes, DNS off"),
        "sendmail-auth": Way("sendmail", "M=a; judged behind AUTH", _AUTH, True),
        "smtp-server": Way("smtp-server", "onRcptTo refuses unknown recipients"),
        "smtp-server-auth": Way("smtp-server", "authOptional off; judged behind AUTH", _AUTH, True),
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
    port = server.lmtp_port if way.lmtp and isinstance(server, Dovecot) else server.port
    # The certificate is right, and its authority is the tests' own.
    target = Target(server.host, port, way.tls, verify=False)
    suite = load_suite().select(["2033-*"]) if way.lmtp else load_suite()
    return asyncio.run(_judge(suite, target, settings))


async def _judge(suite: Suite, target: Target, settings: Settings) -> Judgement:
    started: SuiteStarted | None = None
    async for event in run_suite(suite, target, settings):
        match event:
            case SuiteStarted():
                started = event
            case SuiteFinished() if started is not None:
                return Judgement(started, event.results)
            case _:
                pass
    raise AssertionError("the suite did not end")
