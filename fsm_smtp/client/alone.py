"""One dialogue at a time: a second one would take the answers of the first."""

from threading import Lock
from types import TracebackType

from fsm_smtp.session import Session


class Alone:
    """A context that one may enter at a time; who comes second is refused, and does not wait."""

    __slots__ = ("_lock", "_session")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = Lock()

    @property
    def taken(self) -> bool:
        """Whether somebody is in."""
        return self._lock.locked()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise RuntimeError(f"this client is busy; last command: {self._session.last_command}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()
