"""Wait for what another thread or task is about to do."""

import asyncio
import time
from collections.abc import Callable

#: Seconds until it is clear that it does not come.
LONG = 10.0


def until(condition: Callable[[], bool]) -> None:
    """Until *condition* holds."""
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.002)


async def until_then(condition: Callable[[], bool]) -> None:
    """The same for a task."""
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline, "it does not come"
        await asyncio.sleep(0.002)
