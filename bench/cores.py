"""Which core each side runs on: client and sink must not take turns on one."""

import os
import sys


def pin(core: int | None, pid: int = 0) -> None:
    """Keep a process (this one by default) on *core*; do nothing for ``None``."""
    if core is not None and sys.platform == "linux":
        os.sched_setaffinity(pid, {core})


def pair() -> tuple[int | None, int | None]:
    """A core for the client and another for the sink; ``None`` where there is no choice."""
    if sys.platform != "linux":
        return None, None
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[-1], allowed[0]) if len(allowed) > 1 else (None, None)
