"""How long a user waits before anything happens; every measurement is a fresh process."""

import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import entry_points
from tempfile import TemporaryDirectory

from bench.measure import in_turns, median, ratio_noise
from bench.report import Goal, Section

_IMPORT_TARGET, _HELP_TARGET, _PLUGIN_TARGET = 0.15, 0.3, 0.05  # seconds

_BUILD = "from fsm_smtp.machine import shared_machine; shared_machine()"


def starting(*, quick: bool) -> Section:
    """Measure imports, ``--help`` and the building of the machine."""
    commands = {
        "python -c pass": ("-c", "pass"),
        "import fsm_smtp": ("-c", "import fsm_smtp"),
        "from fsm_smtp.client import Client": ("-c", "from fsm_smtp.client import Client"),
        "import smtplib": ("-c", "import smtplib"),
        "import aiosmtplib": ("-c", "import aiosmtplib"),
        "machine built from the YAML": ("-c", _BUILD),
    }
    with_cli = importlib.util.find_spec("fsm_smtp.cli") is not None
    if with_cli:
        commands["fsm-smtp --help"] = ("-c", _HELP)
    competitors: dict[str, Callable[[], float]] = {
        name: partial(_seconds, arguments) for name, arguments in commands.items()
    }
    samples = in_turns(competitors, 3 if quick else 9)
    figures = {name: median(taken) for name, taken in samples.items()}
    bare = figures["python -c pass"]
    section = Section("Starting", ("fresh process", "seconds", "beyond bare Python"))
    section.rows += [
        (name, f"{seconds:.3f}", f"{seconds - bare:+.3f}") for name, seconds in figures.items()
    ]
    imported = figures["import fsm_smtp"]
    section.goals.append(
        Goal(
            "import fsm_smtp, whole process",
            f"≤ {_IMPORT_TARGET} s",
            f"{imported:.3f} s",
            imported <= _IMPORT_TARGET,
        )
    )
    if with_cli:
        helped = figures["fsm-smtp --help"]
        section.goals.append(
            Goal(
                "fsm-smtp --help", f"≤ {_HELP_TARGET} s", f"{helped:.3f} s", helped <= _HELP_TARGET
            )
        )
    else:
        section.notes.append("fsm-smtp --help is skipped: there is no fsm_smtp.cli here")
    return section


def plugin(*, quick: bool) -> Section:
    """Measure what our pytest plugin costs a run that does not use it.

    Every measurement is a fresh process in an empty folder, without the plugins of others. Ours is
    left out twice, so that the noise shows.
    """
    names = {one.name for one in entry_points(group="pytest11")} - {_PLUGIN}
    others = tuple(f"-pno:{name}" for name in sorted(names))
    without = (*others, f"-pno:{_PLUGIN}")
    runs = {"without the plugin": without, "with it": others, "without it, again": without}
    with TemporaryDirectory() as folder:
        competitors: dict[str, Callable[[], float]] = {
            name: partial(_seconds, (*_PYTEST, *options), folder, _NOTHING_COLLECTED)
            for name, options in runs.items()
        }
        samples = in_turns(competitors, 5 if quick else 15)
    bare, loaded, again = samples.values()
    cost = median([mine - its for mine, its in zip(loaded, bare, strict=True)])
    section = Section("Plugin unused", ("pytest --co -q", "seconds", "ratio"))
    section.rows += [
        (name, f"{median(taken):.3f}", f"{median(taken) / median(bare):.2f}")
        for name, taken in samples.items()
    ]
    section.notes.append(
        f"an empty folder, no plugins of others; noise {ratio_noise(bare, again):.1%}"
    )
    goal = f"{cost * 1000:.0f} ms"
    target = f"≤ {_PLUGIN_TARGET * 1000:.0f} ms"
    section.goals.append(Goal("pytest plugin, unused", target, goal, cost <= _PLUGIN_TARGET))
    return section


#: The name of our entry point.
_PLUGIN = "fsm_smtp"
_PYTEST = ("-m", "pytest", "--co", "-q", "-p", "no:cacheprovider")
#: pytest's exit code where there is no test.
_NOTHING_COLLECTED = 5

# What the installed script does.
_HELP = "import sys; sys.argv = ['fsm-smtp', '--help']; from fsm_smtp.cli import main; main()"


def _seconds(arguments: tuple[str, ...], folder: str | None = None, code: int = 0) -> float:
    command = [sys.executable, *arguments]
    began = time.perf_counter()
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, timeout=60, cwd=folder)
    took = time.perf_counter() - began
    if done.returncode != code:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}")
    return took
