"""Who has which connection, and who waits: a pool's bookkeeping, without I/O, threads or a clock.

A pool has a number of *places*; a place has a connection, or is there for one to be made. Who wants
a connection draws a *ticket*. Tickets are served in order: nobody is overtaken by somebody who came
later, unless only the later one can be served (another server, which has room).

Time comes in as an argument, in seconds. A threaded caller holds its lock around every call.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from fsm_smtp.pool.events import Usage
from fsm_smtp.pool.limits import Limits
from fsm_smtp.pool.server import Server

C = TypeVar("C")


@dataclass(eq=False, slots=True)
class Place(Generic[C]):
    """A place for one connection.

    Attributes:
        server: whom it leads to.
        client: the connection; ``None`` when it is still to be made.
        leaving: a place whose connection is to be ended first, for which this one is the room.
        opened: when it was made.
        since: since when it is idle.
        memory: what the machine remembered when it was new; its next borrower finds the same.
    """

    server: Server
    client: C | None = None
    leaving: "Place[C] | None" = None
    opened: float = 0.0
    since: float = 0.0
    memory: tuple[str, ...] = ()


@dataclass(eq=False, slots=True)
class Ticket(Generic[C]):
    """Somebody waits for a place.

    Attributes:
        server: whom it shall lead to.
        wake: called once, when `place` is there.
        place: the place, which is then lent.
    """

    server: Server
    wake: Callable[[], object]
    place: Place[C] | None = None


@dataclass(slots=True)
class Book(Generic[C]):
    """The places of one pool.

    Args:
        size: how many there are.
        limits: what is kept to for each server.
    """

    size: int
    limits: Limits
    _lent: set[Place[C]] = field(default_factory=set[Place[C]])
    _idle: list[Place[C]] = field(default_factory=list[Place[C]])  # who came last stands last
    _queue: deque[Ticket[C]] = field(default_factory=deque[Ticket[C]])

    @property
    def usage(self) -> Usage:
        """How the places are used."""
        return Usage(self.size, len(self._lent), len(self._idle), len(self._queue))

    # -- wanting ---------------------------------------------------------------------------------

    def ask(self, ticket: Ticket[C], now: float) -> None:
        """Stand in line; whoever can be served is."""
        self._queue.append(ticket)
        self.serve(now)

    def give_up(self, ticket: Ticket[C], now: float) -> None:
        """Leave the line. A place that was given meanwhile, and its connection, are free again."""
        if ticket.place is None:
            self._queue.remove(ticket)
            return
        # What was to leave has not been ended yet, and is as good as it was.
        kept = ticket.place if ticket.place.client is not None else ticket.place.leaving
        self._lent.discard(ticket.place)
        if kept is None:
            self.serve(now)
        else:
            self._rest(kept, kept.since, now)

    def serve(self, now: float) -> None:
        """Give places to those who can have one, in the order in which they came."""
        for ticket in tuple(self._queue):
            if len(self._lent) == self.size:
                return
            place = self._place(ticket.server, now)
            if place is not None:
                self._queue.remove(ticket)
                ticket.place = place
                ticket.wake()

    # -- giving back -----------------------------------------------------------------------------

    def keep(self, place: Place[C], now: float) -> None:
        """The connection of a lent place is idle from now on."""
        self._rest(place, now, now)

    def drop(self, place: Place[C], now: float) -> None:
        """A lent place is free: its connection is gone."""
        self._lent.discard(place)
        self.serve(now)

    # -- ending ----------------------------------------------------------------------------------

    def expired(self, now: float) -> Place[C] | None:
        """A place whose idle connection is to be ended, if any; it is lent until it is dropped."""
        for place in self._idle:
            if self._expiry(place) <= now:
                self._lend(place)
                return place
        return None

    def next_expiry(self) -> float | None:
        """When an idle connection is to be ended next; ``None`` when none is idle."""
        return min(map(self._expiry, self._idle), default=None)

    def dissolve(self) -> tuple[list[Place[C]], list[Ticket[C]]]:
        """The pool is closed: every idle place, lent now, and all who wait in vain."""
        idle, waiting = list(self._idle), list(self._queue)
        for place in idle:
            self._lend(place)
        self._queue.clear()
        return idle, waiting

    # -- inside ----------------------------------------------------------------------------------

    def _place(self, server: Server, now: float) -> Place[C] | None:
        """A place with a connection to this server, or with room for one; lent."""
        own = [place for place in self._idle if place.server == server]
        if own:
            warmest = own[-1]  # the others get to be idle for long enough to be ended
            if self._expiry(warmest) <= now:
                return self._room(server, warmest)
            self._lend(warmest)
            return warmest
        most = self.limits.connections
        if most is not None and sum(place.server == server for place in self._lent) >= most:
            return None
        if len(self._lent) + len(self._idle) < self.size:
            return self._room(server, None)
        # Somebody else's connection has to go: the one that was idle for the longest time.
        return self._room(server, self._idle[0])

    def _room(self, server: Server, leaving: Place[C] | None) -> Place[C]:
        if leaving is not None:
            self._idle.remove(leaving)
        place = Place[C](server, leaving=leaving)
        self._lent.add(place)
        return place

    def _lend(self, place: Place[C]) -> None:
        self._idle.remove(place)
        self._lent.add(place)

    def _rest(self, place: Place[C], since: float, now: float) -> None:
        place.since = since
        self._lent.discard(place)
        self._idle.append(place)
        self._idle.sort(key=lambda each: each.since)
        self.serve(now)

    def _expiry(self, place: Place[C]) -> float:
        return min(place.since + self.limits.idle, place.opened + self.limits.age)
