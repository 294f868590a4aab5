"""How long a user waits before anything happens; every measurement is a fresh process."""

import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

from bench.measure import in_turns, median
from bench.report import Goal, Section

_IMPORT_TARGET, _HELP_TARGET = 0.15, 0.3  # seconds

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


# What the installed script does.
_HELP = "import sys; sys.argv = ['fsm-smtp', '--help']; from fsm_smtp.cli import main; main()"


def _seconds(arguments: tuple[str, ...]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, timeout=60)
    return time.perf_counter() - began
