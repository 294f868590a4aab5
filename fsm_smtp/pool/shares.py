"""Messages that several connections take from, one after the other; each has its number."""

from collections import deque
from collections.abc import Iterable
from contextlib import AbstractContextManager
from email.message import Message as EmailLike
from typing import Any

from fsm_smtp.client.message import Message


class Shares:
    """What is still to be sent.

    Args:
        messages: the messages; each is asked for when somebody is there to send it.
        lock: held while somebody takes.
    """

    def __init__(
        self, messages: Iterable[Message | EmailLike], lock: AbstractContextManager[Any]
    ) -> None:
        self._messages = enumerate(messages)
        self._lock = lock
        self._next: deque[tuple[int, Message | EmailLike]] = deque()
        #: Nothing more is given out.
        self.stopped = False

    def more(self) -> bool:
        """Whether there is another one."""
        with self._lock:
            if not self._next and not self.stopped:
                self._next.extend(one for one in (next(self._messages, None),) if one is not None)
            return bool(self._next) and not self.stopped

    def take(self) -> tuple[int, Message | EmailLike] | None:
        """The next one with its number, which counts from 0; ``None`` when there is none."""
        if not self.more():
            return None
        with self._lock:
            return self._next.popleft() if self._next else None
