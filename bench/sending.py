"""Lock-step sending over loopback: clients side by side, each in a process of its own.

Client and sink run on different cores. For each scenario the faster of the sinks that are here
is used, measured with the raw socket: what is compared is clients, so the sink shall not be the
bottleneck.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from bench.children import OWN_SINK, Turn, Worker, memory, sinks
from bench.cores import pair
from bench.measure import in_turns, median, ratio_noise, spread
from bench.peers import PEERS
from bench.report import Goal, Section
from bench.workload import SCENARIOS, Scenario

_BASE, _OURS, _AGAIN = "smtplib", "Client", "smtplib, again"
_MIB = 1024 * 1024
_MEMORY_TARGET = 1  # MiB


@dataclass(frozen=True, slots=True)
class _Target:
    scenario: str
    at_least: float  # × smtplib


_TARGETS = (_Target("small", 1.0), _Target("medium", 1.8), _Target("large", 2.0))


def sending(*, quick: bool) -> Iterator[Section]:
    """Measure every scenario; gives each section when it is done."""
    with sinks() as (ports, absence):
        scenarios = [each for each in SCENARIOS.values() if each.rounds[quick]]
        section, chosen = _choose(ports, absence, scenarios, quick=quick)
        yield section
        for scenario in scenarios:
            yield _speed(scenario, chosen[scenario.name], ports, quick=quick)
        yield _memory(chosen["large"], ports)


def _choose(
    ports: dict[str, int], absence: str | None, scenarios: list[Scenario], *, quick: bool
) -> tuple[Section, dict[str, str]]:
    section = Section("Sinks", ("scenario", *(f"{name}, messages/s" for name in ports), "used"))
    if absence is not None:
        section.notes.append(f"{OWN_SINK} alone: {absence}")
    if pair() == (None, None):
        section.notes.append("client and sink share one core, or cannot be told apart: slower")
    chosen: dict[str, str] = {}
    for scenario in scenarios:
        racers = {name: ("raw socket", port) for name, port in ports.items()}
        taken = take_turns(scenario, racers, 3 if quick else 5)
        seconds = {name: median([turn.seconds for turn in each]) for name, each in taken.items()}
        chosen[scenario.name] = min(seconds, key=seconds.__getitem__)
        rates = [f"{1 / seconds[name]:.0f}" for name in ports]
        section.rows.append((scenario.title, *rates, chosen[scenario.name]))
    return section, chosen


def choose_sink(ports: dict[str, int], scenario: Scenario) -> str:
    """The faster of the sinks for this scenario."""
    return _choose(ports, None, [scenario], quick=True)[1][scenario.name]


def _speed(scenario: Scenario, sink: str, ports: dict[str, int], *, quick: bool) -> Section:
    racers = {name: (name, ports[sink]) for name in (*PEERS, _BASE)}
    racers[_AGAIN] = (_BASE, ports[sink])
    taken = take_turns(scenario, racers, scenario.rounds[quick])
    walls = {name: [turn.seconds for turn in each] for name, each in taken.items()}
    cpus = {name: [turn.cpu for turn in each] for name, each in taken.items()}
    large = scenario.octets >= _MIB
    section = Section(
        f"Lock-step: {scenario.title}",
        (
            "client",
            "MB/s" if large else "messages/s",
            "× smtplib",
            "± quartiles",
            "CPU ms/message" if large else "CPU µs/message",
            "CPU × smtplib",
        ),
    )
    for name in racers:
        wall, cpu = median(walls[name]), median(cpus[name])
        section.rows.append(
            (
                name,
                f"{scenario.octets / wall / 1e6:.0f}" if large else f"{1 / wall:.0f}",
                f"{median(walls[_BASE]) / wall:.2f}",
                f"{spread(walls[name]):.1%}",
                f"{cpu * 1e3:.1f}" if large else f"{cpu * 1e6:.0f}",
                f"{cpu / median(cpus[_BASE]):.2f}",
            )
        )
    section.notes.append(
        f"sink: {sink}; noise (smtplib against itself): "
        f"{ratio_noise(walls[_BASE], walls[_AGAIN]):.1%} on the clock, "
        f"{ratio_noise(cpus[_BASE], cpus[_AGAIN]):.1%} of CPU"
    )
    for target in _TARGETS:
        if target.scenario == scenario.name:
            ratio = median(walls[_BASE]) / median(walls[_OURS])
            section.goals.append(
                Goal(
                    f"{_OURS}, lock-step, {scenario.title}",
                    f"≥ {target.at_least:.1f} × smtplib",
                    f"{ratio:.2f} ×",
                    ratio >= target.at_least,
                )
            )
    return section


def _memory(sink: str, ports: dict[str, int]) -> Section:
    scenario = SCENARIOS["large"]
    section = Section(
        f"Memory beyond the message: {scenario.title}",
        ("client", "resident, MiB", "Python's allocations, MiB"),
    )
    for peer in PEERS:
        found = memory(peer, scenario.name, ports[sink])
        resident, traced = found.get("resident"), found["traced"]
        shown = "unknown" if resident is None else f"{resident / _MIB:.2f}"
        section.rows.append((peer, shown, f"{traced / _MIB:.2f}"))
        if peer == _OURS:
            most = max(traced, resident or 0) / _MIB
            section.goals.append(
                Goal(
                    f"{peer}, extra memory, {scenario.title}",
                    f"≤ {_MEMORY_TARGET} MiB",
                    f"{most:.2f} MiB",
                    most <= _MEMORY_TARGET,
                )
            )
    section.notes.append("fresh processes; the peak of one message, which itself is not counted")
    return section


def take_turns(
    scenario: Scenario, racers: dict[str, tuple[str, int]], rounds: int
) -> dict[str, list[Turn]]:
    """Let each racer, a client and a sink's port, send in turns."""
    with ExitStack() as stack:
        competitors: dict[str, Callable[[], Turn]] = {}
        for name, (peer, port) in racers.items():
            worker = Worker(peer, scenario.name, port)
            stack.callback(worker.close)
            competitors[name] = partial(worker.send, scenario.batch)
        return in_turns(competitors, rounds)
