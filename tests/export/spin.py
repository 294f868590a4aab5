"""Runs spin on a Promela text: compile once, search as often as there are claims.

What pan prints is read strictly: a line that says that the search was cut short, or that is not
known, is a failure of the run and never a verdict.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

#: As for the servers: with this set, what is missing is a failure and not a skip (CI sets it).
REQUIRE_VARIABLE = "FSM_SMTP_REQUIRE_SERVERS"

#: Seconds that any one of these programs may take.
PATIENCE = 100
#: Steps: far deeper than any run of a table without a repeated state; pan says when it is not.
DEPTH = 20_000

_COUNTED = re.compile(r"\s*(\d+) (states, stored|states, matched|transitions|atomic steps)\b.*")
_VERDICT = re.compile(r"State-vector \d+ byte, depth reached (\d+), errors: (\d+)")
_VIOLATED = re.compile(
    r"pan:\d+: (acceptance cycle|end state in claim reached|claim violated!) \(at depth \d+\)"
)
#: Lines that say nothing about the verdict.
_IDLE = tuple(
    re.compile(pattern)
    for pattern in (
        r"\s*",
        r"\(Spin Version .*\)",
        r"Full statespace search for:",
        r"\s+never claim .*",
        r"\s+assertion violations\t.*",
        r"\s+(cycle checks|acceptance   cycles|invalid end states)\b.*",
        r"pan: ltl formula \w+",
        r"pan: elapsed time .* seconds",
        r"pan: rate .* states/second",
        r"hash conflicts: .*",
        r"Stats on memory usage .*",
        r"\s+[\d.]+\t(equivalent memory usage|actual memory usage|memory used|total actual).*",
        r"\s+state-vector as stored = \d+ byte \+ \d+ byte overhead",
        r"unreached in (proctype|claim|init) .*",
        r"\s+\S+:\d+, state \d+, .*",
        r"\s+\(\d+ of \d+ states\)",
        r"\s+\d+ nested states, .*",
        r"pan: wrote \S+\.trail",
        # all claims of the text then end where they break, and -a has nothing to do
        r"warning: only one claim defined, -N ignored",
        r"warning: no accept labels are defined, so option -a has no effect \(ignored\)",
    )
)


class SearchFailed(Exception):
    """spin, the compiler or pan did not do what was asked, or not to the end."""


@dataclass(frozen=True)
class Search:
    """What one complete run of pan found."""

    stored: int
    transitions: int
    depth: int
    errors: int


def require_spin() -> None:
    """Skip the test when spin or a C compiler is missing, or fail where they are required."""
    missing = [program for program in ("spin", "gcc") if shutil.which(program) is None]
    if missing:
        reason = f"not installed: {' and '.join(missing)}"
        if os.environ.get(REQUIRE_VARIABLE, "") not in ("", "0"):
            pytest.fail(reason)
        pytest.skip(reason)


class Pan:
    """The verifier that spin makes of one text, compiled in *folder* (which is its own)."""

    def __init__(
        self, text: str, folder: Path, *, defines: Sequence[str] = (), safety: bool = False
    ) -> None:
        require_spin()
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.pml").write_text(text, encoding="utf-8")
        said = self._run("spin", *(f"-D{name}" for name in defines), "-o2", "-a", "model.pml")
        claims = [line for line in said.splitlines() if not re.match(r"ltl \w+: ", line)]
        expected = r"|the model contains \d+ never claims: .*|only one claim is used in a ver.*"
        expected += r"|choose which one with \./pan -a -N name.*|or use e\.g\.: spin -search .*"
        for line in claims:
            if not re.fullmatch(rf"\s*(?:{expected})\s*", line):
                raise SearchFailed(f"spin said: {line}")
        options = ["-DNOREDUCE", *(["-DSAFETY"] if safety else [])]
        # with -O1, gcc takes minutes over the one huge function that holds all steps
        self._run("gcc", "-O0", "-w", *options, "-o", "pan", "pan.c")

    def search(self, claim: str | None = None, *, depth: int = DEPTH) -> Search:
        """Visit everything, for violations of *claim* or of nothing.

        Raises:
            SearchFailed: the search was not complete, or pan said something unexpected.
        """
        options = ["-a", "-N", claim] if claim is not None else []
        # pan leaves with 0 whatever it finds
        return read_report(self._run("./pan", "-w16", "-n", f"-m{depth}", *options), claim)

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
            encoding="utf-8",
        )
        if done.returncode != 0:
            raise SearchFailed(f"{' '.join(command)} left with {done.returncode}: {done.stdout}")
        return done.stdout


def read_report(report: str, claim: str | None = None) -> Search:
    """What pan printed, when the search was complete.

    Raises:
        SearchFailed: it was not, a line is unknown, or there is an error without a claim.
    """
    counts: dict[str, int] = {}
    violated = False
    for line in report.splitlines():
        if counted := _COUNTED.fullmatch(line):
            counts[counted[2]] = int(counted[1])
        elif verdict := _VERDICT.fullmatch(line):
            counts["depth"], counts["errors"] = int(verdict[1]), int(verdict[2])
        elif claim is not None and _VIOLATED.fullmatch(line):
            violated = True
        elif claim is not None and line == "Warning: Search not completed":
            continue  # pan ends at the first violation; without one this line is a failure below
        elif not any(pattern.fullmatch(line) for pattern in _IDLE):
            raise SearchFailed(f"pan said: {line}\n{report}")
    try:
        found = Search(
            counts["states, stored"], counts["transitions"], counts["depth"], counts["errors"]
        )
    except KeyError as missing:
        raise SearchFailed(f"pan did not say how many {missing}\n{report}") from missing
    if violated != (found.errors > 0) or ("Search not completed" in report and not violated):
        raise SearchFailed(f"pan found {found.errors} errors\n{report}")
    return found
