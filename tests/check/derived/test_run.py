"""A whole run: choices, suite, disagreements as results, the guarantee in a sentence."""

import asyncio
from dataclasses import replace

import pytest

from fsm_smtp.check.cases.case import Level, Verdict
from fsm_smtp.check.derived.events import ModelPrepared, ModelProgress
from fsm_smtp.check.derived.run import usable
from fsm_smtp.check.embedded import embedded_server
from fsm_smtp.check.engine.connection import Target, TLSMode
from fsm_smtp.check.engine.events import ServerInfo
from fsm_smtp.testing.server.certificate import server_context
from fsm_smtp.testing.server.listening import model_server
from fsm_smtp.testing.server.options import Options
from tests.check.derived.machine_server import MODEL
from tests.check.derived.running import SETTINGS, Report, examine, examine_strict


def commands(report: Report, name: str) -> list[str]:
    """What we wrote in the session that a result shows."""
    lines = report.results[name].transcript
    return [line.split(" C: ", 1)[1] for line in lines if " C: " in line]


def test_a_strict_server_has_a_guarantee() -> None:
    report = examine_strict()
    prepared, finished = report.prepared, report.finished
    assert finished.results == ()
    assert (finished.failed, finished.cut) == (0, {})
    assert finished.guarantee == (
        f"All {prepared.sequences} sequences passed: a deterministic server of at most m = "
        f"{prepared.states} states that differs from the machine of its {len(prepared.choices)} "
        f"choices (n = {prepared.states} states) in the class of any reply to any sequence of "
        f"these {prepared.inputs} inputs would have failed."
    )
    assert finished.document["m"] == finished.document["n"] == prepared.states
    assert finished.document["choices"]["mail-before-hello[tls=no]"] == "refused"
    assert finished.document["sequences"] == prepared.sequences
    assert finished.document["symbols"] > prepared.sequences


def test_the_reference_server_has_one_too() -> None:
    async def run() -> Report:
        async with model_server() as server:
            return await examine(server.port)

    assert asyncio.run(run()).results == {}


def test_the_events_come_in_order() -> None:
    report = examine_strict()
    prepared = report.events.index(report.prepared)
    before = report.events[:prepared]
    behind = report.events[prepared + 1 : -1]
    assert [each.phase for each in before if isinstance(each, ModelProgress)] == ["calibration"] * (
        len(before)
    )
    steps = [each for each in behind if isinstance(each, ModelProgress)]
    assert [each.played for each in steps] == list(range(1, report.prepared.sequences + 1))
    assert {each.of for each in steps} == {report.prepared.sequences}
    assert sum(isinstance(each, ModelPrepared) for each in report.events) == 1


@pytest.mark.parametrize(
    ("fault", "name", "section", "shortest"),
    [
        ("RSET forgets nothing", "open-rset", "4.1.1.5", ["EHLO", "MAIL", "RSET", "MAIL"]),
        ("NOOP resets", "open-noop", "4.1.1.9", ["EHLO", "MAIL", "NOOP", "RCPT"]),
        ("takes RCPT without MAIL", "greeted-ehlo-rcpt", "3.3", ["EHLO", "RCPT"]),
        ("answers NOOP twice", "model-command-noop", "4.2", ["NOOP"]),
        ("never answers NOOP", "model-command-noop", "4.1.1.9", ["NOOP"]),
        ("QUIT is not answered", "model-command-quit", "3.8", ["QUIT"]),
        ("VRFY resets", "open-vrfy", "3.5.3", ["EHLO", "MAIL", "VRFY", "RCPT"]),
    ],
)
def test_a_fault_is_found_and_shrunk(
    fault: str, name: str, section: str, shortest: list[str]
) -> None:
    settings = replace(SETTINGS, timeout=0.3)
    report = examine_strict(fault, settings=settings)
    [found] = [each for each in report.results if each.endswith(name)]
    result = report.results[found]
    assert result.verdict is Verdict.FAIL
    assert result.case.level is Level.MUST
    assert (result.case.rfc, result.case.section) == ("5321", section)
    assert [line.split(" ", 1)[0] for line in commands(report, found)] == shortest
    assert report.finished.guarantee.startswith("None: the server differs")
    assert result in report.finished.results


def test_the_end_of_data_that_clears_nothing() -> None:
    report = examine_strict("the end of data clears nothing")
    [(name, result)] = report.results.items()
    assert name == "model-content-greeted-ehlo-transaction-recipient-end-of-data"
    assert result.expected.startswith("250 to mail (behind ehlo, mail, rcpt, data, end of data)")
    assert result.actual.endswith("end of data has led elsewhere")
    assert len(commands(report, name)) == 4 + 8 + 1  # the lines of the message, and MAIL again


def test_the_same_fault_has_the_same_ids() -> None:
    first, again = examine_strict("NOOP resets"), examine_strict("NOOP resets")
    assert first.results.keys() == again.results.keys()


def test_policy_is_no_failure() -> None:
    """421 says that the service ends (RFC 5321 §3.8), not that MAIL was wrong."""
    report = examine_strict("shuts down at MAIL")
    assert report.results == {}
    assert set(report.finished.cut) == {"421: the service ends"}
    assert report.finished.guarantee.startswith("Limited: ")


def test_the_embedded_server() -> None:
    with embedded_server() as port:
        report = asyncio.run(examine(port))
    assert report.finished.guarantee.startswith("All ")


def test_only_what_is_offered_and_permitted_is_tried() -> None:
    known = {one.extension for one in MODEL.server.inputs.values()} - {None}
    lines = ("mx.example.test", "STARTTLS", "AUTH PLAIN", "CHUNKING", "PIPELINING")
    server = ServerInfo("220 mx.example.test", lines)
    target = Target("127.0.0.1", 25)
    anybody, somebody = SETTINGS, replace(SETTINGS, user="user", password="secret")
    assert usable(MODEL, target, somebody, server) == known
    assert usable(MODEL, target, anybody, server) == known - {"AUTH"}
    secured = replace(target, tls=TLSMode.STARTTLS)
    assert usable(MODEL, secured, somebody, server) == known - {"STARTTLS"}
    assert usable(MODEL, target, somebody, ServerInfo("220 mx")) == frozenset()


@pytest.mark.parametrize(
    ("extensions", "states"), [(("CHUNKING",), 7), (("STARTTLS",), 15)], ids=str
)
def test_the_extensions_of_a_faithful_server(extensions: tuple[str, ...], states: int) -> None:
    async def run() -> Report:
        async with model_server(Options(context=server_context())) as server:
            return await examine(server.port, extensions=frozenset(extensions))

    report = asyncio.run(run())
    assert report.results == {}
    assert report.prepared.extensions == extensions
    assert report.finished.guarantee.startswith("All ")
    assert f"(n = {states} states)" in report.finished.guarantee
