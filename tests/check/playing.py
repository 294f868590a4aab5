"""Playing a suite in a test: the results by case id."""

import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path

from fsm_smtp.check.cases.case import Case, Verdict
from fsm_smtp.check.cases.suite import Suite, load_suite
from fsm_smtp.check.engine.connection import Target
from fsm_smtp.check.engine.events import CaseFinished, CaseResult
from fsm_smtp.check.engine.runner import run_suite
from fsm_smtp.check.engine.session import Settings
from fsm_smtp.testing.scripted import GREETING, Answer, Handshake, ScriptedServer
from tests.check.strict_server import HOST, strict_server

#: Loopback answers within a millisecond; what has not come by then does not come.
SETTINGS = Settings(timeout=2.0, quiet=0.12, jobs=8)
SUITE = load_suite()


async def play(suite: Suite, port: int, settings: Settings = SETTINGS) -> dict[str, CaseResult]:
    """The results on the server at *port*, by case id."""
    results: dict[str, CaseResult] = {}
    async for event in run_suite(suite, Target(HOST, port), settings):
        if isinstance(event, CaseFinished):
            results[event.result.case.id] = event.result
    return results


def play_strict(
    suite: Suite, *faults: str, settings: Settings = SETTINGS, offers: tuple[str, ...] = ()
) -> dict[str, CaseResult]:
    """The results on the strict server with *faults*."""

    async def run() -> dict[str, CaseResult]:
        async with strict_server(*faults, offers=offers or ("PIPELINING", "HELP")) as port:
            return await play(suite, port, settings)

    return asyncio.run(run())


def verdicts(results: dict[str, CaseResult], verdict: Verdict) -> set[str]:
    """The ids of the cases with *verdict*."""
    return {name for name, result in results.items() if result.verdict is verdict}


def suite_of(*cases: Case) -> Suite:
    """A suite of these cases."""
    return Suite(cases)


def suite_from(
    folder: Path, steps: str, *, level: str = "MUST", start: str = "ehlo", extra: str = ""
) -> Suite:
    """A suite of one case, ``5321-4.1.1.9-try``, with *steps* (and *extra* keys) as YAML."""
    indented = "".join(f"          {line}\n" for line in steps.strip().splitlines())
    path = folder / "try.yaml"
    path.write_text(
        "rfc: 5321\ntitle: try\nsections:\n"
        '  - section: "4.1.1.9"\n    title: NOOP\n    cases:\n'
        f"      - id: 5321-4.1.1.9-try\n        level: {level}\n        start: {start}\n"
        "        requirements: [R070]\n        requirement: One thing is tried.\n"
        + (f"        {extra}\n" if extra else "")
        + f"        steps:\n{indented}",
        encoding="utf-8",
    )
    return load_suite([path])


def answering(replies: Mapping[str, str], *, tls: ssl.SSLContext | None = None) -> ScriptedServer:
    """A server that knows no order, for what a step writes where a strict one has an opinion.

    It answers the verb with ``replies[verb]`` (``|`` for a line end), others with 500. TLS it
    begins with what it had read before.
    """
    octets = {
        verb.upper().encode(): "".join(f"{line}\r\n" for line in text.split("|")).encode()
        for verb, text in replies.items()
    }
    handshake = Handshake(tls, kept=True) if tls is not None else None
    return ScriptedServer(always=(*GREETING, Answer(octets, b"500 what?\r\n", handshake)))
