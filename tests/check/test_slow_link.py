"""The pace of a run: quick on loopback, and without false verdicts over a slow and lossy link."""

import asyncio
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fsm_smtp.check.cases.case import Action, Verdict
from fsm_smtp.check.cases.suite import Suite, load_suite
from fsm_smtp.check.engine.connection import Target
from fsm_smtp.check.engine.events import SuiteFinished, SuiteStarted
from fsm_smtp.check.engine.pace import GAP_CEILING, GAP_FLOOR, QUIET_CEILING, QUIET_FLOOR, pace_of
from fsm_smtp.check.engine.runner import run_suite
from fsm_smtp.testing.server.certificate import server_context
from fsm_smtp.testing.server.listening import model_server
from fsm_smtp.testing.server.options import HOST, Options
from tests.check.playing import SETTINGS, SUITE
from tests.check.slow_link import slow_link
from tests.check.strict_server import strict_server

#: The pace is measured, not given; and everything waits long enough for a slow link.
MEASURED = replace(SETTINGS, timeout=10.0, quiet=None)

#: Those kinds of step that the cases chosen below do not have.
KINDS = """\
rfc: 3030
title: Every other kind of step
sections:
  - section: "2"
    title: Steps
    cases:
      - id: 3030-2-chunks
        level: MUST
        requirements: [R070]
        requirement: Two chunks make a message.
        needs: CHUNKING
        steps:
          - setup: ["MAIL FROM:<{sender}>", "RCPT TO:<{recipient}>"]
          - chunk: "Subject: chunks\\r\\n\\r\\n"
            expect: 250
          - chunk: "text\\r\\n"
            last: true
            expect: 250
      - id: 3030-2-starttls
        level: MUST
        requirements: [R070]
        requirement: TLS comes up, and EHLO does not offer it any more.
        start: plain
        needs: STARTTLS
        steps:
          - group:
              - send: STARTTLS
                expect: 220
              - tls: handshake
                expect: secured
            when: clear
          - send: "EHLO {ehlo_name}"
            expect: 250
            form: lacks STARTTLS
      - id: 3030-2-sessions
        level: MUST
        requirements: [R070]
        requirement: What happens to a session does not touch another one.
        steps:
          - setup: "MAIL FROM:<{sender}>"
          - setup: "MAIL FROM:<{sender}>"
            session: b
          - drop: reset
            session: b
          - pause: 0.05
          - send: "RCPT TO:<{recipient}>"
            expect: 250
"""
CHOSEN = (
    "5321-2.3.8-bare-lf-command",
    "5321-2.4-no-action-before-crlf",
    "5321-2.4-command-in-pieces",
    "5321-3.1-greeting",
    "5321-3.3-full-transaction",
    "5321-3.3-data-before-mail",
    "5321-3.8-several-unknown-commands",
    "5321-4.1.1.4-lf-dot-lf",
    "5321-4.1.1.10-quit",
    "5321-4.1.4-noop-before-ehlo",
    "5321-4.1.4-nested-mail",
    "5321-4.2-input-behind-a-command",
    "5321-4.3.2-unknown-recipient",
)


def test_a_slow_and_lossy_link_makes_no_false_verdict(tmp_path: Path) -> None:
    path = tmp_path / "kinds.yaml"
    path.write_text(KINDS, encoding="utf-8")
    suite = Suite((*SUITE.select(CHOSEN).cases, *load_suite([path]).cases))
    kinds = {
        step.action
        for case in suite.cases
        for one in case.steps
        for step in (one, *one.steps, *(each for _, branch in one.branches for each in branch))
    }
    assert kinds == set(Action)

    async def run() -> tuple[SuiteStarted, SuiteFinished, int]:
        async with (
            model_server(Options(context=server_context())) as server,
            slow_link(server.port, delay=0.1, loses_each=7) as link,
        ):
            target = Target(HOST, link.port)
            events = [event async for event in run_suite(suite, target, MEASURED)]
            assert isinstance(events[0], SuiteStarted)
            assert isinstance(events[-1], SuiteFinished)
            return events[0], events[-1], link.lost

    started, finished, lost = asyncio.run(run())
    assert lost >= 2
    assert 0.2 <= started.rtt_s < 0.4
    assert started.quiet_s >= QUIET_FLOOR + 4 * 0.2
    wrong = {
        result.case.id: (result.verdict, result.actual)
        for result in finished.results
        if result.verdict not in (Verdict.PASS, Verdict.LATITUDE)
    }
    assert wrong == {}


def test_loopback_is_judged_quickly() -> None:
    async def run() -> SuiteStarted:
        async with strict_server() as port:
            run = run_suite(SUITE.select(["5321-2.3.8-*"]), Target(HOST, port), MEASURED)
            events = [event async for event in run]
            assert isinstance(events[0], SuiteStarted)
            return events[0]

    started = asyncio.run(run())
    assert 0 < started.rtt_s < 0.2
    assert QUIET_FLOOR <= started.quiet_s < 1.5


@given(st.lists(st.floats(0, 60), max_size=4), st.floats(0.01, 60), st.none() | st.floats(0.01, 60))
def test_a_pace_has_its_bounds(
    round_trips: list[float], timeout: float, quiet: float | None
) -> None:
    pace = pace_of(round_trips, timeout, quiet)
    assert pace.rtt == min(round_trips, default=0.0)
    assert pace.quiet <= timeout
    assert GAP_FLOOR <= pace.gap <= GAP_CEILING
    if quiet is None:
        assert min(QUIET_FLOOR, timeout) <= pace.quiet <= QUIET_CEILING
    else:
        assert pace.quiet == min(quiet, timeout)
