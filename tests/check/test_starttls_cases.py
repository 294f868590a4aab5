"""The STARTTLS cases on a server that forgets nothing when TLS comes up.

The scripted server reads on from the buffer that it had before the handshake (CVE-2011-0411 and
its kin), knows no order, and answers EHLO the same inside TLS.
"""

import asyncio
import ssl
from dataclasses import replace

import pytest

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.cases.suite import load_suite
from fsm_smtp.specs import spec_path
from fsm_smtp.testing.server.certificate import server_context
from tests.check.playing import SETTINGS, answering, play

SUITE = load_suite([spec_path("conformance", "rfc3207.yaml")])
REPLIES = {
    "EHLO": "250-mx.example.test|250-STARTTLS|250-PIPELINING|250-AUTH PLAIN|250 CHUNKING",
    **dict.fromkeys(("MAIL", "RCPT", "RSET", "NOOP", "BDAT"), "250 fine"),
    "STARTTLS": "220 go ahead",
    "AUTH": "503 already",
    "QUIT": "221 bye",
}
#: What each of them would let through: a command from before TLS, or what it had done.
CARRIED_OVER = [
    "3207-4.2-injected-noop",
    "3207-4.2-injected-ehlo",
    "3207-4.2-injected-mail",
    "3207-4.2-injected-half-a-line",
    "3207-4.2-sender-forgotten",
    "3207-4.2-chunks-forgotten",
    "3207-4.2-not-offered-under-tls",
    "3207-4.2-second-starttls",
]


def verdict(name: str, replies: dict[str, str], context: ssl.SSLContext | None) -> Verdict:
    settings = replace(SETTINGS, quiet=0.15)

    with answering(replies, tls=context) as server:
        (result,) = asyncio.run(play(SUITE.select([name]), server.port, settings)).values()
    return result.verdict


@pytest.mark.parametrize("name", CARRIED_OVER)
def test_what_tls_carries_over_is_seen(name: str) -> None:
    assert verdict(name, REPLIES, server_context()) is Verdict.FAIL


def test_a_refused_starttls_carries_nothing_over() -> None:
    refusing = {**REPLIES, "STARTTLS": "503 not with something behind it"}
    for name in CARRIED_OVER[:4]:
        assert verdict(name, refusing, None) is Verdict.LATITUDE, name


def test_a_keyword_with_a_parameter_is_seen() -> None:
    strange = {**REPLIES, "EHLO": "250-mx.example.test|250 STARTTLS now"}
    assert verdict("3207-3-keyword-*", strange, server_context()) is Verdict.FAIL
