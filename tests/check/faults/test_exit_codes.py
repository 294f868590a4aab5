"""The exit code of the command itself, in a process of its own, by the kind of what is wrong."""

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace

import pytest

from fsm_smtp.check.engine.connection import TLSMode
from fsm_smtp.testing.server.faults import FAULTS, LIBERTIES, Fault, faulty
from fsm_smtp.testing.server.listening import model_server_in_thread
from fsm_smtp.testing.server.options import HOST, PASSWORD, USER
from fsm_smtp.testing.server.session import Session
from tests.check.fast_clock import run_fast
from tests.check.faults.playing import Way, naming, owed_codes, play, usual, way_of
from tests.check.playing import SUITE
from tests.exam.checker import PAGE, Seen, chosen, main, wrong_codes

SAMPLE = (
    "RSET forgets nothing",  # MUST
    "takes RSET with an argument",  # SHOULD
    "takes every password",  # MUST, under TLS and with credentials
    "LMTP offers no 8BITMIME",  # SHOULD, of another protocol
    "is silent at first",  # no check begins
    "shuts down after three unknown commands",  # no fault
)


def command(way: Way, session: type[Session], only: Iterable[str], *options: str) -> int:
    """What ``fsm-smtp check`` ends with on a server of its own."""
    words = [word for name in only for word in ("--only", name)]
    if way.mode is TLSMode.IMPLICIT:
        words += ["--tls", "--insecure"]
    if way.settings.user is not None:
        words += ["--user", USER]
    with model_server_in_thread(way.options, session) as server:
        done = subprocess.run(
            [sys.executable, "-m", "fsm_smtp", "check", f"{HOST}:{server.port}", *words, *options],
            env={**os.environ, **({"FSM_SMTP_PASSWORD": PASSWORD} if "--user" in words else {})},
            capture_output=True,
            timeout=120,
            check=False,
        )
    return done.returncode


def play_fault_about(fault: Fault) -> tuple[Way, list[str]]:
    way = way_of(fault.run)
    cases = naming(SUITE.cases, fault.breaks).cases
    return replace(way, options=fault.set_up(way.options)), [case.id for case in cases]


@pytest.mark.parametrize("name", SAMPLE)
def test_the_command_ends_as_the_exam_says(name: str) -> None:
    fault = (FAULTS | LIBERTIES)[name]
    way, ids = play_fault_about(fault)
    quick = ("--timeout", "1") if fault.unreachable else ("--timeout", "5")
    codes = tuple(
        command(way, faulty(name), ids, *quick, *strict) for strict in ((), ("--strict",))
    )
    assert codes == owed_codes(fault)
    played = run_fast(play(SUITE.select(ids), way, faulty(name)))
    assert played.exit_codes == codes


@pytest.mark.parametrize(
    ("name", "codes", "about", "is_wrong"),
    [
        ("RSET forgets nothing", (1, 1), (1, 1), False),
        ("RSET forgets nothing", (0, 0), (0, 0), True),
        ("RSET forgets nothing", (1, 1), (0, 1), True),  # only warned of by what is about it
        ("takes RSET with an argument", (0, 1), (0, 1), False),
        ("takes RSET with an argument", (1, 1), (0, 1), False),  # it breaks a MUST elsewhere
        ("takes RSET with an argument", (1, 1), (1, 1), True),  # a SHOULD taken for a MUST
        ("takes RSET with an argument", (0, 0), (0, 0), True),
        ("is silent at first", (2, 2), (2, 2), False),
        ("is silent at first", (1, 1), (1, 1), True),
        ("shuts down after three unknown commands", (0, 0), (0, 0), False),
        ("shuts down after three unknown commands", (0, 1), (0, 1), True),
    ],
)
def test_the_exam_fails_by_a_wrong_exit_code(
    name: str, codes: tuple[int, int], about: tuple[int, int], is_wrong: bool
) -> None:
    seen = Seen((), frozenset(), frozenset(), None, codes, about)
    assert [line.split(": ")[0] for line in wrong_codes({name: seen})] == [name] * is_wrong


def test_the_exam_plays_single_faults(capsys: pytest.CaptureFixture[str]) -> None:
    assert chosen(["RSET closes", "a third RSET*"]) == ["RSET closes", "a third RSET closes"]
    assert len(chosen([])) == len(FAULTS) + len(LIBERTIES)
    with pytest.raises(SystemExit, match="there is no fault 'nonsense'"):
        chosen(["nonsense"])
    before = PAGE.read_bytes()
    assert main(["--quick", "--only", "RSET closes"]) == 0
    assert capsys.readouterr().out.startswith("1 / 1  RSET closes: 5321-4.1.1.5-rset-does-not")
    assert PAGE.read_bytes() == before


def test_the_command_ends_with_0_on_the_faithful_server() -> None:
    assert command(Way(usual()), Session, ()) == 0
