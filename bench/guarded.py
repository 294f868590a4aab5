"""What the guard costs inside smtplib and aiosmtplib, all checks on, content too.

Each client runs plain, guarded, and plain again: the last is the noise. CPU is user and system time
of the client's process.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import aiosmtplib

from bench.children import Turn, sinks
from bench.measure import in_turns, median, ratio_noise
from bench.peers import HOST, PEERS, Aiosmtplib, Peer, Smtplib
from bench.report import Goal, Section
from bench.sending import choose_sink, take_turns
from bench.triggers import MESSAGE, OPENING
from bench.workload import EHLO_NAME, SCENARIOS, TIMEOUT
from fsm_smtp.guard import aiosmtplib as guarded_aiosmtplib
from fsm_smtp.guard import smtplib as guarded_smtplib
from fsm_smtp.machine import shared_machine


class GuardedSmtplib(Smtplib):
    """smtplib with the guard inside."""

    def open(self, port: int) -> None:
        self._smtp = guarded_smtplib.SMTP(HOST, port, EHLO_NAME, TIMEOUT)
        self._smtp.ehlo()


class GuardedAiosmtplib(Aiosmtplib):
    """aiosmtplib with the guard inside."""

    client: type[aiosmtplib.SMTP] = guarded_aiosmtplib.SMTP


GUARDED: dict[str, type[Peer]] = {
    "smtplib, guarded": GuardedSmtplib,
    "aiosmtplib, guarded": GuardedAiosmtplib,
}

#: Everything that a worker can be.
EVERY = {**PEERS, **GUARDED}


@dataclass(frozen=True, slots=True)
class _Target:
    peer: str
    scenario: str
    cpu: float  # more CPU than without the guard, at most
    rate: float | None = None  # fewer messages a second, at most


_TARGETS = (
    _Target("smtplib", "small", 0.10, 0.04),
    _Target("smtplib", "many", 0.05),
    _Target("aiosmtplib", "small", 0.08),
)


def guard(*, quick: bool) -> Iterator[Section]:
    """Measure each target; gives each section when it is done."""
    machine = _machine_alone(quick=quick)
    with sinks() as (ports, _):
        for target in _TARGETS:
            yield _cost(target, ports, machine, quick=quick)


def _cost(target: _Target, ports: dict[str, int], machine: float, *, quick: bool) -> Section:
    scenario = SCENARIOS[target.scenario]
    port = ports[choose_sink(ports, scenario)]
    guarded, again = f"{target.peer}, guarded", f"{target.peer}, again"
    racers = {target.peer: target.peer, guarded: guarded, again: target.peer}
    taken: dict[str, list[Turn]] = take_turns(
        scenario, {name: (peer, port) for name, peer in racers.items()}, scenario.rounds[quick]
    )
    cpus = {name: [turn.cpu for turn in each] for name, each in taken.items()}
    walls = {name: [turn.seconds for turn in each] for name, each in taken.items()}
    base = median(cpus[target.peer])
    section = Section(
        f"Guard: {target.peer}, {scenario.title}",
        ("client", "CPU µs/message", "CPU ×", "messages/s", "messages/s ×"),
    )
    for name in racers:
        cpu, wall = median(cpus[name]), median(walls[name])
        section.rows.append(
            (
                name,
                f"{cpu * 1e6:.1f}",
                f"{cpu / base:.3f}",
                f"{1 / wall:.0f}",
                f"{median(walls[target.peer]) / wall:.3f}",
            )
        )
    # Each turn is held against the plain turns on either side of it, so that a machine that is
    # now quick and now slow does not count.
    more = _paired(cpus[guarded], cpus[target.peer], cpus[again])
    fewer = 1 - 1 / (1 + _paired(walls[guarded], walls[target.peer], walls[again]))
    section.notes.append(
        f"noise (plain against plain): {ratio_noise(cpus[target.peer], cpus[again]):.1%} of CPU, "
        f"{ratio_noise(walls[target.peer], walls[again]):.1%} on the clock; the machine's share "
        f"({len(MESSAGE) + 2 * (scenario.recipients - 1)} triggers a message): "
        f"{machine * (len(MESSAGE) + 2 * (scenario.recipients - 1)) / base:.1%} of CPU"
    )
    what = f"guard in {target.peer}, {scenario.title}"
    section.goals.append(
        Goal(f"{what}: CPU", f"≤ +{target.cpu:.0%}", f"{more:+.1%}", more <= target.cpu)
    )
    if target.rate is not None:
        section.goals.append(
            Goal(
                f"{what}: messages/s",
                f"≥ -{target.rate:.0%}",
                f"{-fewer:+.1%}",
                fewer <= target.rate,
            )
        )
    return section


def _paired(guarded: list[float], plain: list[float], again: list[float]) -> float:
    """How much more the guarded turns took than the plain ones beside them, in the median."""
    return (
        median([each / ((a + b) / 2) for each, a, b in zip(guarded, plain, again, strict=True)]) - 1
    )


def _machine_alone(*, quick: bool) -> float:
    """Seconds that one trigger takes, as the guard fires it."""
    machine = shared_machine()
    here = machine.space.start
    for name in OPENING:
        here = machine.step(here, name).target

    def run(times: int) -> float:
        configuration = here
        began = time.process_time()
        for _ in range(times):
            for name in MESSAGE:
                configuration = machine.step(configuration, name).target
        return (time.process_time() - began) / (times * len(MESSAGE))

    samples = in_turns({"step": partial(run, 500)}, 5 if quick else 15)
    return median(samples["step"])
