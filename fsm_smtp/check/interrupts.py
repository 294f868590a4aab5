"""Ctrl-C during a check: once, and what is known is still reported; twice, and it ends at once."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Coroutine
from types import FrameType, TracebackType
from typing import Any


class Interrupts:
    """A context in which the first SIGINT ends what `run` runs, and nothing else.

    A process that ignores SIGINT, as a shell makes one in the background do, goes on ignoring it.

    Attributes:
        broken_off: whether SIGINT has come.
    """

    def __init__(self) -> None:
        self.broken_off = False
        self._is_ours = False
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Task[None]] | None = None

    def __enter__(self) -> "Interrupts":
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._is_ours = True
            signal.signal(signal.SIGINT, self._heard)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def run(self, action: Coroutine[Any, Any, None]) -> bool:
        """Run *action* in a loop of its own; whether it came to its end.

        Raises:
            KeyboardInterrupt: SIGINT came twice.
        """
        try:
            asyncio.run(self._guarded(action))
        except asyncio.CancelledError:
            if not self.broken_off:
                raise
            return False
        finally:
            self._running = None
            if self._is_ours:  # the loop has put the default back
                signal.signal(signal.SIGINT, self._heard)
        return True

    async def _guarded(self, action: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(action)
        loop = asyncio.get_running_loop()
        self._running = loop, task
        if self._is_ours:
            # The loop's own handler wakes it up. One of `signal` alone may be called, without
            # that, between the last look at what is to be done and the wait for the network.
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(signal.SIGINT, self._heard)
        if self.broken_off:
            task.cancel()
        await task

    def _heard(self, _number: int = signal.SIGINT, _frame: FrameType | None = None) -> None:
        if self.broken_off:
            raise KeyboardInterrupt
        self.broken_off = True
        if self._running is not None:
            loop, task = self._running
            loop.call_soon_threadsafe(task.cancel)
