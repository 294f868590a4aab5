"""A child process with its helpers: started as a group of its own, stopped without a trace.

Servers fork, change their user and outlive their parent. So each gets its own session and process
group, and a watchdog that ends the group when the tests die without stopping it.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

TERM_SECONDS = 5.0  # Dovecot, the slowest, takes a little over one second
KILL_SECONDS = 5.0
POLL_SECONDS = 0.01

# Reads until the pipe from the tests closes: on a normal stop the watchdog is gone before that.
_WATCHDOG = 'read -r _; kill -s TERM -- "-$1"; sleep 3; kill -s KILL -- "-$1"'


def members(session: int) -> frozenset[int]:
    """Pids that live (zombies do not) in the process group or the session with this id."""
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            # The name in brackets may hold anything, so fields are counted from its end.
            fields = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            state, group, its_session = fields[0], int(fields[2]), int(fields[3])
            if session in (group, its_session) and state not in "ZX":
                found.add(int(entry.name))
    return frozenset(found)


class ProcessGroup:
    """One server: a leader that stays in the foreground, and whatever it starts."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, log: Path) -> None:
        with log.open("ab") as output:
            self._leader = subprocess.Popen(
                argv,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHDOG, "watchdog", str(self.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The leader's pid, which is also the id of its group and of its session."""
        return self._leader.pid

    @property
    def exit_code(self) -> int | None:
        """The leader's exit code, negative for a signal; ``None`` while it runs."""
        return self._leader.poll()

    def members(self) -> frozenset[int]:
        """Pids of the leader and of its descendants that live."""
        return members(self.pid)

    def stop(self) -> None:
        """End the whole group: SIGTERM to the leader, to the group, then SIGKILL.

        Raises:
            RuntimeError: something survived SIGKILL for `KILL_SECONDS`.
        """
        self._watchdog.kill()
        self._watchdog.wait()
        if self._watchdog.stdin is not None:
            self._watchdog.stdin.close()
        if self._leader.poll() is None:
            self._leader.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._leader.wait(TERM_SECONDS)
        for sign, seconds in ((signal.SIGTERM, 1.0), (signal.SIGKILL, KILL_SECONDS)):
            deadline = time.monotonic() + seconds
            if not self._signal(sign):
                break
            while self.members() and time.monotonic() < deadline:
                self._leader.poll()
                time.sleep(POLL_SECONDS)
        self._leader.wait(KILL_SECONDS)
        if survivors := self.members():
            raise RuntimeError(f"processes {sorted(survivors)} survived SIGKILL")

    def _signal(self, sign: signal.Signals) -> bool:
        """Send `sign` to every member; False when there is none left."""
        pids = self.members()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        return bool(pids)
