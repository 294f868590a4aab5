"""What both pools do, once: generators that yield the calls they need made, as the dialogues do.

Each yielded thing is a method of a client; `sync` calls it, `aio` awaits it, and both send back
what comes of it, or throw what it raises.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager
from email.message import Message as EmailLike
from typing import Any, Generic, TypeVar

from fsm_smtp.client import AsyncClient, Client
from fsm_smtp.client.base import Closed
from fsm_smtp.client.message import Message
from fsm_smtp.errors import ConnectionLost, ProtocolError
from fsm_smtp.pool.book import Book, Place, Ticket
from fsm_smtp.pool.errors import PoolClosed, PoolTimeout
from fsm_smtp.pool.events import By, PoolEvent, PoolObserver, Usage, What
from fsm_smtp.pool.limits import Limits
from fsm_smtp.pool.server import Server
from fsm_smtp.pool.shares import Shares

C = TypeVar("C", bound=Client | AsyncClient)
_T = TypeVar("_T")

Steps = Generator[Callable[[], Any], Any, _T]


#: Who ended a connection, as clients say it, while it was lent or at rest.
_BY: dict[str, By] = {"client": "borrower", "server": "server", "network": "network"}


class Pool(Generic[C]):
    """The life of a pool's connections: made, lent, proved, ended.

    Args:
        size: how many connections at most, lent and idle ones together.
        server: whom they lead to unless another is asked for.
        limits: what is kept to for each server.
        observer: called with a `PoolEvent` for each connection made, reused and ended.
        make: makes a client that is not connected.
        clock: the time in seconds.
        lock: held while the book is open.
    """

    def __init__(
        self,
        size: int,
        server: Server,
        limits: Limits | None,
        observer: PoolObserver | None,
        *,
        make: Callable[[Server], C],
        clock: Callable[[], float],
        lock: AbstractContextManager[Any],
    ) -> None:
        if size < 1:
            raise ValueError(f"a pool of {size} connections")
        self.size = size
        self.server = server
        self.limits = limits or Limits()
        self.book: Book[C] = Book(size, self.limits)
        #: Who closed the pool; ``None`` while it is open.
        self.closed_by: str | None = None
        self.lock = lock
        self.clock = clock
        self._observer = observer
        self._make = make
        self._borrowed: dict[C, Place[C]] = {}

    @property
    def usage(self) -> Usage:
        """How the connections are used now."""
        with self.lock:
            return self.book.usage

    # -- the line --------------------------------------------------------------------------------

    def draw(self, server: Server | None, wake: Callable[[], object]) -> Ticket[C]:
        """A ticket; *wake* is called when it has its place, or the pool is closed.

        Raises:
            PoolClosed: the pool is closed.
        """
        ticket = Ticket[C](server or self.server, wake)
        with self.lock:
            if self.closed_by is not None:
                raise PoolClosed(self.closed_by)
            self.book.ask(ticket, self.clock())
        return ticket

    def give_up(self, ticket: Ticket[C]) -> None:
        """Who has drawn this ticket does not wait any longer."""
        with self.lock:
            if self.closed_by is None:
                self.book.give_up(ticket, self.clock())
                return
        if ticket.place is not None:
            self._abandoned(ticket.place)

    def place(self, ticket: Ticket[C], seconds: float | None) -> Place[C]:
        """The ticket's place, after a wait of so many seconds.

        Raises:
            PoolTimeout: it has none.
            PoolClosed: the pool was closed meanwhile.
        """
        with self.lock:
            closed_by, usage, place = self.closed_by, self.book.usage, ticket.place
        if place is not None and closed_by is None:
            return place
        self.give_up(ticket)
        if closed_by is not None:
            raise PoolClosed(closed_by)
        raise PoolTimeout(str(ticket.server), seconds or 0.0, str(usage))

    def shut(self, by: str) -> list[Place[C]]:
        """Close the pool: wake all who wait; gives the places whose connections are to be ended."""
        with self.lock:
            if self.closed_by is not None:
                return []
            self.closed_by = by
            idle, waiting = self.book.dissolve()
        for ticket in waiting:
            ticket.wake()
        return idle

    # -- lending ---------------------------------------------------------------------------------

    def ready(self, place: Place[C]) -> Steps[C]:
        """The connection of a place that was just lent: proved, or new.

        Raises:
            ProtocolError: no connection can be made, as `Client.connect` raises it.
            PoolClosed: the pool was closed meanwhile.
        """
        try:
            if place.leaving is not None:
                yield from self._ended(place.leaving, "it was idle, and its place is needed")
                place.leaving = None
            client = place.client
            if client is None or not (yield from self._proved(place, client)):
                client = yield from self._made(place)
        except BaseException:
            self._abandoned(place)
            raise
        with self.lock:
            closed_by = self.closed_by
            if closed_by is None:
                self._borrowed[client] = place
                return client
        yield from self.ended(place, "the pool was closed")
        raise PoolClosed(closed_by)

    def taken_back(self, client: C) -> Steps[None]:
        """A borrower gives this client back: it rests, or it is ended.

        Raises:
            ValueError: it is not lent by this pool (or was given back already).
        """
        now = self.clock()
        with self.lock:
            place = self._borrowed.pop(client, None)
            if place is None:
                raise ValueError("this client is not lent by this pool, or was given back already")
            why = self._unfit(place, client, now)
            if why is None:
                self.book.keep(place, now)
                return
        if client.session.may("send_quit"):
            yield from self.ended(place, why)
        else:
            end = client.closed
            by = _BY[end.who] if end is not None else "borrower"
            self._tell(place.server, "closed", by, why if end is None else _end(end))
            self._abandoned(place)

    def ended(self, place: Place[C], why: str) -> Steps[None]:
        """End the connection of a lent place with QUIT; the place is free."""
        try:
            yield from self._ended(place, why)
        finally:
            with self.lock:
                self.book.drop(place, self.clock())

    def all_ended(self, places: Iterable[Place[C]], why: str) -> Steps[None]:
        """End the connections of these lent places, one after the other."""
        rest = deque(places)
        try:
            while rest:
                yield from self.ended(rest.popleft(), why)
        finally:
            for place in rest:  # there is no time left for QUIT
                self._abandoned(place)

    def portion(
        self, client: C, shares: Shares, numbers: deque[int]
    ) -> Iterator[Message | EmailLike]:
        """As many of *shares* as the connection may carry; *numbers* learns which."""
        session = client.session
        room = self.limits.messages - session.mails
        if session.mails_left is not None:
            room = min(room, session.mails_left)
        for _ in range(room):
            taken = shares.take()
            if taken is None:
                return
            numbers.append(taken[0])
            yield taken[1]

    @staticmethod
    def settle(errors: list[BaseException], shares: Shares) -> None:
        """After the last result: raise what has kept messages from being sent, if anything has."""
        for error in errors:
            if not isinstance(error, ProtocolError) or shares.more():
                raise error

    # -- inside ----------------------------------------------------------------------------------

    def _unfit(self, place: Place[C], client: C, now: float) -> str | None:
        """Why a connection is not to be lent again, if there is a reason."""
        session, limits = client.session, self.limits
        if self.closed_by is not None:
            return "the pool was closed"
        if session.outstanding or not session.may("send_rset"):
            after = f" after {session.last_command!r}" if session.last_command else ""
            return f"it came back in {session.configuration.state}{after}, where RSET is not legal"
        if session.mails >= limits.messages or session.mails_left == 0:
            return f"it has carried {session.mails} messages"
        if now - place.opened >= limits.age:
            return f"it is {now - place.opened:.0f} s old"
        return None

    def _proved(self, place: Place[C], client: C) -> Steps[bool]:
        """Whether the connection can be used as if it were new."""
        try:
            yield lambda: client.prove(self.limits.proof)
        except ProtocolError as error:
            by = _BY[error.who] if isinstance(error, ConnectionLost) else "server"
            self._tell(place.server, "closed", by, f"found when it was to be used again: {error}")
            client.close()
            return False
        if client.session.configuration.memory != place.memory:
            yield from self._ended(
                place, "its last borrower has changed what the session is", "borrower"
            )
            return False
        self._tell(place.server, "reused", "pool", "RSET was answered, and no transaction is open")
        return True

    def _made(self, place: Place[C]) -> Steps[C]:
        place.client = client = self._make(place.server)
        try:
            yield client.connect
        except ProtocolError as error:
            by: By = "network" if isinstance(error, ConnectionLost) else "server"
            self._tell(place.server, "failed", by, str(error))
            raise
        place.opened = self.clock()
        place.memory = client.session.configuration.memory
        self._tell(place.server, "opened", "pool", "somebody wants it")
        return client

    def _ended(self, place: Place[C], why: str, by: By = "pool") -> Steps[None]:
        """QUIT, and close whatever comes of it."""
        client = place.client
        assert client is not None
        try:
            yield lambda: client.quit(self.limits.proof)
        finally:
            client.close()
            self._tell(place.server, "closed", by, why)

    def _abandoned(self, place: Place[C]) -> None:
        """A lent place is free, and what it holds is closed without a word."""
        for each in (place, place.leaving):
            if each is not None and each.client is not None:
                each.client.close()
        with self.lock:
            self.book.drop(place, self.clock())

    def _tell(self, server: Server, what: What, by: By, why: str) -> None:
        if self._observer is not None:
            self._observer(PoolEvent(server, what, by, why))


def _end(closed: Closed) -> str:
    after = f" after {closed.command!r}" if closed.command else ""
    return f"{closed.why}, in {closed.state}{after}"
