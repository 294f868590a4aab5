"""What is in the air: letters, the queue of what their commands wait for, and what replies do.

Replies come in the order of the commands: beside what is outstanding stands a queue that says
which letter each command belongs to.
"""

from collections import deque
from collections.abc import Iterable

from fsm_smtp.client.delivery.letter import Kind, Letter
from fsm_smtp.client.delivery.reach import Reach
from fsm_smtp.client.dialogue.exchange import Exchange
from fsm_smtp.client.result import SendResult
from fsm_smtp.wire import Command, Reply
from fsm_smtp.wire.replies import tidy


class Air:
    """Letters between client and server.

    Args:
        on: the session.
        reach: what is known about the server.
    """

    def __init__(self, on: Exchange, reach: Reach) -> None:
        self._on = on
        self._session = on.session
        self._reach = reach
        self._air: deque[Letter] = deque()  # begun, and not decided; the oldest first
        self._queue: deque[tuple[Letter, Kind]] = deque()  # beside what is outstanding
        self._again: deque[Letter] = deque()  # taken back: to be sent anew
        self._results: deque[SendResult] = deque()
        self._shutdown: Reply | None = None  # 421

    def _send(self, letter: Letter, kind: Kind, command: Command) -> bytes:
        octets = self._session.send_ahead(command)
        letter.outstanding += 1
        self._queue.append((letter, kind))
        return octets

    def _read(self) -> None:
        """Take the replies that have been received."""
        while isinstance(line := self._session.next_run(), bytes):
            self._take_run(tidy(line))
        if line is True:  # else not all of them are here
            self._read_singly()

    def _read_singly(self) -> None:
        """Take the replies that have been received, one by one."""
        self._spread()
        next_reply = self._session.next_reply
        while (reply := next_reply()) is not None:
            self._take(reply)

    def _take_run(self, last: Reply) -> None:
        """The replies to what was sent as a run, all as hoped; *last* is the last of them."""
        letter, kind = self._queue.popleft()
        run = letter.run
        if kind == "run" and run is not None:
            letter.outstanding -= len(run.triggers)
            if run.opens:
                letter.opened = True
                return
        else:
            letter.outstanding -= 1
        letter.taken = last
        while self._air and self._air[0].decided:
            self._finish(self._air.popleft())

    def _spread(self) -> None:
        """What was sent in runs is answered command by command from now on."""
        self._session.spread()
        if any(kind == "run" for _, kind in self._queue):
            spread: deque[tuple[Letter, Kind]] = deque()
            for letter, kind in self._queue:
                kinds: Iterable[Kind] = letter.kinds() if kind == "run" else (kind,)
                spread.extend((letter, each) for each in kinds)
            self._queue = spread

    def _take(self, reply: Reply) -> None:
        """A reply, judged already."""
        self._spread()
        if not self._queue:  # 421, the one reply that needs no command
            self._on.refusal = reply
            raise self._on.rejected(None, reply)
        letter, kind = self._queue.popleft()
        if kind == "quit":
            return
        if reply.code == 421:
            self._shutdown = reply
        letter.answered(kind, reply)
        if kind == "mail" and letter.behind:
            self._reach.behind_end = not letter.refused_behind
        while self._air and self._air[0].decided:
            self._finish(self._air.popleft())

    def _finish(self, letter: Letter) -> None:
        """Nothing more will be said about *letter*."""
        if letter.refused_behind and letter.taken is None and not letter.begun:
            self._again.append(letter)
        else:
            self._results.append(letter.result(shutdown=self._shutdown))

    @property
    def _trying(self) -> bool:
        """Whether the next reply shows for the first time what the server does behind an end."""
        if self._reach.behind_end is not None or not self._queue:
            return False
        letter, kind = self._queue[0]
        return letter.behind and kind == "mail"

    def _clear(self) -> None:
        self._air.clear()
        self._queue.clear()
