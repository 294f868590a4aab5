"""The processes of the benchmark: client workers and sinks, started and ended in an orderly way."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from bench.cores import pair, pin
from tests.servers import registry
from tests.servers.fixtures import park

_END_SECONDS = 10.0
OWN_SINK, SMTP_SINK = "own sink", "smtp-sink"


@dataclass(frozen=True, slots=True)
class Turn:
    """What one message cost in one turn, on average: seconds on the clock, and of client CPU."""

    seconds: float
    cpu: float


class Worker:
    """A running `bench.worker`."""

    def __init__(self, peer: str, scenario: str, port: int) -> None:
        core, _ = pair()
        self._process = _start("bench.worker", peer, scenario, str(port), *_core(core))
        self._answer()

    def send(self, times: int) -> Turn:
        """Have it send *times* messages."""
        _input(self._process).write(f"{times}\n")
        _input(self._process).flush()
        answer = self._answer()
        return Turn(answer["seconds"], answer["cpu"])

    def close(self) -> None:
        """Let it say QUIT and end."""
        _end(self._process)

    def _answer(self) -> dict[str, float]:
        return _answer(self._process)


def memory(peer: str, scenario: str, port: int) -> dict[str, float]:
    """What one message costs a fresh process in memory: see `bench.worker`."""
    core, _ = pair()
    process = _start("bench.worker", peer, scenario, str(port), "--memory", *_core(core))
    try:
        return _answer(process)
    finally:
        _end(process)


def profile(peer: str, scenario: str, port: int) -> dict[str, float]:
    """In which part of a fresh process the time goes, in seconds: see `bench.worker`."""
    core, _ = pair()
    process = _start("bench.worker", peer, scenario, str(port), "--profile", *_core(core))
    try:
        return _answer(process)
    finally:
        _end(process)


@contextmanager
def sinks() -> Iterator[tuple[dict[str, int], str | None]]:
    """The sinks that can run here, each with its port, and why smtp-sink is not among them."""
    _, core = pair()
    process = _start("bench.sink", *_core(core))
    try:
        ports = {OWN_SINK: int(_output(process).readline())}
        absence = registry.unavailable(SMTP_SINK)
        if absence is not None:
            yield ports, absence
            return
        with park() as servers:
            server = servers.start(SMTP_SINK, discard=True)
            for pid in server.processes():
                pin(core, pid)
            yield {**ports, SMTP_SINK: server.port}, None
    finally:
        _end(process)


@contextmanager
def link(port: int, trip: float) -> Iterator[int]:
    """The port of a link to *port*, of which a round trip takes so many seconds."""
    _, core = pair()
    process = _start("bench.link", str(port), str(trip), *_core(core))
    try:
        yield int(_output(process).readline())
    finally:
        _end(process)


def _core(core: int | None) -> tuple[str, ...]:
    return () if core is None else ("--core", str(core))


def _start(module: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _answer(process: subprocess.Popen[str]) -> dict[str, float]:
    line = _output(process).readline()
    if not line:
        raise RuntimeError(f"a worker ended with {process.wait(_END_SECONDS)}; see above")
    answer: dict[str, float] = json.loads(line)
    return answer


def _end(process: subprocess.Popen[str]) -> None:
    """Close its input, which ends it; kill it when that does not help."""
    _input(process).close()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_END_SECONDS)
        raise
    finally:
        _output(process).close()


def _input(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdin is not None
    return process.stdin


def _output(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None
    return process.stdout
