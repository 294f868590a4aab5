"""One sequence on one connection: what is a disagreement, and what is not."""

import asyncio
from dataclasses import replace

import pytest

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.derived.diagnosis import diagnose
from fsm_smtp.check.derived.findings import result_of
from fsm_smtp.check.derived.playing import Run, Site, play
from fsm_smtp.check.engine.connection import Target
from tests.check.derived.machine_server import QUIET, STRICT, changed, machine_server
from tests.check.derived.running import SETTINGS
from tests.check.strict_server import HOST, strict_server
from tests.listening import listening

THRICE = ("unknown_verb",) * 3


def played(*word: str, fault: str = "", careful: bool = False) -> Run:
    async def run() -> Run:
        async with strict_server(fault) as port:
            return await play(
                Site(Target(HOST, port), SETTINGS, STRICT, QUIET), word, careful=careful
            )

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("gives up after three unknown commands", "closed after so many"),
        ("shuts down after three unknown commands", "421: the service ends"),
    ],
)
def test_hanging_up_on_the_third_mistake_is_policy(fault: str, why: str) -> None:
    run = played(*THRICE, fault=fault)
    assert run.disagreement is None
    assert run.cut is not None
    assert run.cut.startswith(why)


def test_hanging_up_on_the_first_is_not() -> None:
    found = played(*THRICE, fault="closes on an unknown command").disagreement
    assert found is not None
    assert (found.word, found.got) == (("unknown_verb",), "closed")


def test_a_server_that_turns_us_away_is_not_judged() -> None:
    run = played("noop", fault="refuses the session and closes")
    assert run.disagreement is None
    assert run.cut is not None


def test_every_sequence_ends_in_a_closed_connection() -> None:
    run = played("ehlo", "mail", "rcpt", "data", "noop")
    assert (run.disagreement, run.cut) == (None, None)
    said = [line.split(" C: ", 1)[1] for line in run.transcript if " C: " in line]
    assert said[4] == "NOOP"  # content, and nothing was waited for
    assert said[-2:] == [".", "QUIT"]
    assert run.transcript[-1].endswith("the server closed the connection")


def test_a_careful_run_finds_the_very_input() -> None:
    quick = played("ehlo", "noop", "mail", fault="answers NOOP twice", careful=False).disagreement
    careful = played("ehlo", "noop", "mail", fault="answers NOOP twice", careful=True).disagreement
    assert quick is not None
    assert careful is not None
    assert careful.word == ("ehlo", "noop")


def test_what_does_not_come_again_is_not_deterministic() -> None:
    """The first session is answered wrongly, the later ones are not."""

    async def run() -> tuple[Verdict, str]:
        sessions = 0

        async def answer(line: bytes) -> bytes:
            nonlocal sessions
            sessions += line.startswith(b"NOOP")
            if line.startswith(b"QUIT"):
                return b"221 bye\r\n"
            return b"550 no\r\n" if sessions == 1 else b"250 fine\r\n"

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 mx.example.test ready\r\n")
            while line := await reader.readline():
                writer.write(await answer(line))
                if line.startswith(b"QUIT"):
                    break

        async with listening(serve) as door:
            site = Site(Target(HOST, door.port), replace(SETTINGS, jobs=1), STRICT, QUIET)
            first = await play(site, ("noop",))
            assert first.disagreement is not None
            diagnosis = await diagnose(site, first, first.disagreement)
        result = result_of(diagnosis, STRICT)
        return result.verdict, result.actual

    verdict, actual = asyncio.run(run())
    assert verdict is Verdict.INCONCLUSIVE
    assert actual == "550 no; and in another run of the same sequence what was expected"


def test_a_reply_before_the_hang_up_is_laid_to_its_command() -> None:
    """RFC 5321 §3.8: also behind a reply the connection is not the server's to close."""
    machine = STRICT.machine
    closed = next(s for s in range(machine.size) if set(machine.outputs[s]) == {"closed"})
    ready = machine.after(("ehlo",))

    async def run() -> tuple[str, str, str, str]:
        async with machine_server(changed(ready, "too_long", following=closed), SETTINGS) as site:
            first = await play(site, ("ehlo", "too_long"))
            assert first.disagreement is not None
            assert first.disagreement.name != "too_long"
            diagnosis = await diagnose(site, first, first.disagreement)
            result = result_of(diagnosis, STRICT)
            return diagnosis.name, result.case.section, result.expected, result.actual

    name, section, expected, actual = asyncio.run(run())
    assert (name, section) == ("too_long", "3.8")
    assert expected == "a reply, and the connection kept, to too long (behind ehlo)"
    assert actual == "a reply, and behind it the server closed the connection"
