"""An event loop whose waits take no time: with nothing left to read, its clock jumps ahead.

Client and server must both live in this loop, on loopback: what one writes, the other can read at
once, so that a loop with nothing to read is one where nothing will come before the next timer.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

#: Seconds that the loop is idle, by the real clock, until it jumps: the kernel gets a moment.
GRACE = 0.002

T = TypeVar("T")


class FastClock(asyncio.SelectorEventLoop):
    """An event loop that skips idle time."""

    def __init__(self) -> None:
        super().__init__(_Skipping(self))
        self.skipped = 0.0

    def time(self) -> float:
        return super().time() + self.skipped


class _Skipping(selectors.DefaultSelector):
    def __init__(self, clock: FastClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= GRACE:
            return super().select(timeout)
        ready = super().select(GRACE)
        if not ready:
            self._clock.skipped += timeout - GRACE
        return ready


def run_fast(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` on such a loop."""
    with asyncio.Runner(loop_factory=FastClock) as runner:
        return runner.run(main)
