"""Running ahead: each depth beside the peers in lock-step, over loopback and over longer links.

All take turns over the same link to the same sink. What a depth is worth is said as a multiple of
smtplib, and beside it how far it is from a raw socket that does the same exchange.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from bench.children import OWN_SINK, Turn, Worker, link, profile, sinks
from bench.measure import in_turns, median, ratio_noise, spread
from bench.report import Goal, Section
from bench.workload import SCENARIOS

_BASE, _AGAIN = "smtplib", "smtplib, again"


@dataclass(frozen=True, slots=True)
class _Racer:
    """A competitor in one section.

    Attributes:
        peer: its name.
        batch: messages in one turn, and in a turn of a quick run.
        raw: the raw socket that does the same exchange.
        target: how many times smtplib's speed it is meant to reach.
    """

    peer: str
    batch: int
    raw: str | None = None
    target: float | None = None


@dataclass(frozen=True, slots=True)
class _Race:
    """One section.

    Attributes:
        title: for the report.
        scenario: what is sent.
        trip: seconds that a round trip takes; 0 without a link between.
        rounds: turns of each, and in a quick run.
        base: messages in one turn of the peers in lock-step.
        racers: the others.
        peers: those in lock-step.
        note: what bounds it, if that needs saying.
    """

    title: str
    scenario: str
    trip: float
    rounds: tuple[int, int]
    base: int
    racers: tuple[_Racer, ...]
    peers: tuple[str, ...] = (_BASE, "aiosmtplib")
    note: str = ""


def _depths(
    scale: int, window: int, targets: tuple[float | None, float | None, float | None]
) -> tuple[_Racer, ...]:
    group, full, deep = targets
    return (
        _Racer("group", scale, "raw group", group),
        _Racer("full", 2 * scale, "raw full", full),
        _Racer("window", window, "raw window", deep),
        *(_Racer(f"raw {name}", size) for name, size in _sizes(scale, window)),
    )


def _sizes(scale: int, window: int) -> tuple[tuple[str, int], ...]:
    return ("group", scale), ("full", 2 * scale), ("window", window)


_RACES = (
    _Race("loopback, 1 recipient", "small", 0, (15, 5), 40, _depths(80, 960, (None, 3.5, 25))),
    _Race("loopback, 50 recipients", "many", 0, (11, 5), 4, _depths(20, 60, (None, 25, 50))),
    _Race("1 ms, 1 recipient", "small", 0.001, (5, 3), 10, _depths(40, 320, (1.9, 3.8, None))),
    _Race("1 ms, 50 recipients", "many", 0.001, (5, 3), 1, _depths(16, 60, (25, 45, None))),
    _Race(
        "20 ms, 1 recipient",
        "small",
        0.02,
        (5, 2),
        2,
        (
            *_depths(15, 640, (1.9, 3.8, None)),
            _Racer("full, by BDAT", 30, None, 3.8),
            _Racer("window, 64 deep", 960, "raw window, 64 deep", 200),
            _Racer("raw window, 64 deep", 960),
            _Racer("full, 10 connections", 200, None, 35),
        ),
    ),
    _Race("20 ms, 50 recipients", "many", 0.02, (3, 1), 1, _depths(5, 60, (25, 45, None))),
    _Race(
        "20 ms, a session for each message",
        "small",
        0.02,
        (5, 2),
        2,
        (
            _Racer("group, a session each", 3, None, 1.8),
            _Racer("window, a session each", 3, None, 2.4),
        ),
        ("smtplib, a session each",),
        "in round trips smtplib takes 8 (connecting, greeting, EHLO, MAIL, RCPT, DATA, end, QUIT); "
        "the RFCs leave 5 for a group with QUIT behind the end, and 4 for a window, since the "
        "greeting and EHLO's reply have to be waited for: 1.6 and 2.0 are all there is",
    ),
)


def ahead(*, quick: bool) -> Iterator[Section]:
    """Measure every race; gives each section when it is done."""
    with sinks() as (ports, _):
        for race in _RACES:
            yield _measured(race, ports[OWN_SINK], quick=quick)
        yield _share(ports[OWN_SINK])


def _measured(race: _Race, sink: int, *, quick: bool) -> Section:
    base = race.peers[0]
    batches = dict.fromkeys(race.peers, race.base) | {
        racer.peer: racer.batch for racer in race.racers
    }
    with ExitStack() as stack:
        port = stack.enter_context(link(sink, race.trip)) if race.trip else sink
        competitors: dict[str, Callable[[], Turn]] = {}
        for name, batch in (*batches.items(), (_AGAIN, race.base)):
            worker = Worker(base if name == _AGAIN else name, race.scenario, port)
            stack.callback(worker.close)
            competitors[name] = partial(worker.send, batch)
        turns = in_turns(competitors, race.rounds[quick])
    walls = {name: [turn.seconds for turn in taken] for name, taken in turns.items()}
    cpus = {name: [turn.cpu for turn in taken] for name, taken in turns.items()}
    section = Section(
        f"Running ahead: {SCENARIOS[race.scenario].title.split(',')[0]}, {race.title}",
        (
            "client",
            "messages/s",
            "× smtplib",
            "± quartiles",
            "CPU µs/message",
            "× raw socket's time",
        ),
    )
    raws = {racer.peer: racer.raw for racer in race.racers}
    for name, samples in walls.items():
        raw = raws.get(name)
        section.rows.append(
            (
                name,
                f"{1 / median(samples):.0f}",
                f"{median(walls[base]) / median(samples):.2f}",
                f"{spread(samples):.1%}",
                f"{median(cpus[name]) * 1e6:.0f}",
                "" if raw is None else f"{median(samples) / median(walls[raw]):.2f}",
            )
        )
    section.notes.append(
        f"noise (smtplib against itself): {ratio_noise(walls[base], walls[_AGAIN]):.1%}; "
        "the sink is ours, in one process on the other core"
    )
    if race.note:
        section.notes.append(race.note)
    if race.trip:
        steps = median(walls["raw group"]) / 2 if "raw group" in walls else None
        if steps is not None:
            section.notes.append(
                f"a round trip over the link takes {steps * 1e3:.2f} ms as the raw socket sees it"
            )
    for racer in race.racers:
        if racer.target is not None:
            ratio = median(walls[base]) / median(walls[racer.peer])
            section.goals.append(
                Goal(
                    f"{racer.peer}, {race.title}",
                    f"≥ {racer.target:g} × smtplib",
                    f"{ratio:.1f} ×",
                    ratio >= racer.target,
                )
            )
    return section


def _share(sink: int) -> Section:
    """Where the client's time goes in full depth."""
    parts = profile("full", "small", sink)
    total = sum(parts.values())
    section = Section("Where the client's CPU goes: full depth, 1 KiB", ("part", "share"))
    section.rows += [
        (name, f"{seconds / total:.1%}")
        for name, seconds in sorted(parts.items(), key=lambda item: -item[1])
    ]
    section.notes.append(
        "by a profiler, which makes small functions look larger than they are: the machine's share "
        "is at most this"
    )
    machine = parts.get("machine", 0.0) / total
    section.goals.append(
        Goal("the machine's share, full", "≤ 10 % of CPU", f"{machine:.1%}", machine <= 0.1)
    )
    return section
