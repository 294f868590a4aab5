"""Ctrl-C in every phase of a check: what is known is reported, and nothing is waited for."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from fsm_smtp.check.interrupts import Interrupts
from tests.check.strict_server import HOST, strict_server_in_thread

#: A shell lets what runs in its background ignore SIGINT, and a test would inherit that.
HEEDS = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
PROGRAM = HEEDS + "from fsm_smtp.cli import main; main()"
#: A name server that does not answer: the look-up says that it has begun, and never ends.
LOOKS_UP = (
    HEEDS + "import socket, sys, time\n"
    "def getaddrinfo(*_, **__):\n"
    "    print('looking up', flush=True)\n"
    "    time.sleep(600)\n"
    "socket.getaddrinfo = getaddrinfo\n"
    "from fsm_smtp.cli import main; main()"
)
ONLY = ("--only", "5321-4.1.4-*")


class Started:
    """``fsm-smtp check`` in a process of its own, patient far beyond what these tests wait."""

    def __init__(self, *arguments: str, program: str = PROGRAM) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", program, "check", "--timeout", "600", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    def line(self) -> str:
        """The next line of standard output."""
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def interrupt(self) -> tuple[int, str, str]:
        """SIGINT: the exit code, the rest of standard output, standard error."""
        self._process.send_signal(signal.SIGINT)
        out, err = self._process.communicate(timeout=90)
        return self._process.returncode, out, err

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture(autouse=True)
def heeded() -> Generator[None]:
    """SIGINT is heeded here too, whoever started the tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def silent() -> Generator[tuple[int, threading.Event]]:
    """A port where something takes connections and says nothing, and what tells of the first."""
    taken = threading.Event()
    with socket.create_server((HOST, 0)) as listener:

        def take() -> None:
            connection, _ = listener.accept()
            taken.set()
            done.wait()
            connection.close()

        done = threading.Event()
        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1], taken
        finally:
            done.set()
            thread.join(10)


def test_while_a_name_is_looked_up() -> None:
    run = Started("mx.example.test", *ONLY, program=LOOKS_UP)
    try:
        assert run.line() == "looking up\n"
        code, out, err = run.interrupt()
    finally:
        run.kill()
    assert (code, out) == (2, "")
    assert err == "Error: mx.example.test:25: broken off before the first case\n"


def test_in_the_first_look(silent: tuple[int, threading.Event], tmp_path: Path) -> None:
    port, taken = silent
    run = Started(f"{HOST}:{port}", *ONLY, "--json", str(tmp_path / "report.json"))
    try:
        assert taken.wait(90)
        code, out, err = run.interrupt()
    finally:
        run.kill()
    assert (code, out) == (2, "")
    assert err == f"Error: {HOST}:{port}: broken off before the first case\n"
    assert list(tmp_path.iterdir()) == []  # nothing is known, and no report says otherwise


def test_in_the_calibration(tmp_path: Path) -> None:
    """The cases have their verdicts; of the derived tests the report says how far they came."""
    path = tmp_path / "report.json"
    only = ("--only", "5321-4.1.4-second-ehlo")
    with strict_server_in_thread("never answers NOOP") as port:
        run = Started(f"{HOST}:{port}", *only, "--model", "--json", str(path))
        try:
            assert run.line()
            time.sleep(2.0)  # the one case ends, and the calibration waits for the reply to NOOP
            code, out, err = run.interrupt()
        finally:
            run.kill()
    assert (code, err) == (2, "")
    assert ", broken off after " in out.splitlines()[-1]
    document = json.loads(path.read_text())
    assert document["complete"] is False


class TestInterrupts:
    def test_the_first_one_ends_what_runs(self) -> None:
        ended: list[str] = []

        async def runs() -> None:
            try:
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.sleep(600)
            finally:
                ended.append("in order")

        with Interrupts() as interrupts:
            assert interrupts.run(runs()) is False
            assert interrupts.broken_off
        assert ended == ["in order"]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def test_the_second_one_ends_everything(self) -> None:
        with Interrupts() as interrupts:
            os.kill(os.getpid(), signal.SIGINT)
            assert interrupts.broken_off
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)

    def test_the_second_one_in_the_loop_too(self) -> None:
        async def stubborn() -> None:
            os.kill(os.getpid(), signal.SIGINT)
            try:
                await asyncio.sleep(600)
            finally:
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.sleep(600)

        with Interrupts() as interrupts, pytest.raises(KeyboardInterrupt):
            interrupts.run(stubborn())

    def test_one_before_it_runs(self) -> None:
        async def never() -> None:
            raise AssertionError

        with Interrupts() as interrupts:
            os.kill(os.getpid(), signal.SIGINT)
            assert interrupts.run(never()) is False

    def test_without_one(self) -> None:
        async def done() -> None:
            await asyncio.sleep(0)

        with Interrupts() as interrupts:
            assert interrupts.run(done()) is True
            assert not interrupts.broken_off

    def test_a_cancellation_of_another_kind_is_not_hidden(self) -> None:
        async def cancelled() -> None:
            raise asyncio.CancelledError

        with Interrupts() as interrupts, pytest.raises(asyncio.CancelledError):
            interrupts.run(cancelled())

    def test_who_ignores_it_goes_on_doing_so(self) -> None:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:

            async def goes_on() -> None:
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.sleep(0.01)

            with Interrupts() as interrupts:
                assert interrupts.run(goes_on()) is True
                assert not interrupts.broken_off
        finally:
            signal.signal(signal.SIGINT, before)
