"""The book alone: every order of asking, giving back and leaving; nobody is overtaken."""

from dataclasses import dataclass

from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fsm_smtp.pool import Limits, Server
from fsm_smtp.pool.book import Book, Place, Ticket

SERVERS = tuple(Server(f"mx{number}.example.test") for number in range(3))


@dataclass(eq=False)
class Wish:
    """Somebody who waits, or has been served."""

    ticket: Ticket[str]
    woken: int = 0


class Books(RuleBasedStateMachine):
    """Against a model of the limits: what the places may be used for at any moment."""

    @initialize(size=st.integers(1, 4), connections=st.none() | st.integers(1, 3))
    def begin(self, size: int, connections: int | None) -> None:
        self.now = 0.0
        self.limits = Limits(connections=connections, idle=10, age=30)
        self.book: Book[str] = Book(size, self.limits)
        self.waiting: list[Wish] = []
        self.served: list[Wish] = []
        self.lent: list[Place[str]] = []
        self.made = 0

    def settle(self) -> None:
        """Move those who were served, and see that each was woken once."""
        for wish in [wish for wish in self.waiting if wish.ticket.place is not None]:
            assert wish.woken == 1
            self.waiting.remove(wish)
            self.served.append(wish)

    @rule(server=st.sampled_from(SERVERS))
    def ask(self, server: Server) -> None:
        wish = Wish(Ticket(server, lambda: None))

        def wake() -> None:
            wish.woken += 1

        wish.ticket.wake = wake
        self.waiting.append(wish)
        self.book.ask(wish.ticket, self.now)
        self.settle()

    @precondition(lambda self: self.served)
    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        """Who was served makes or proves the connection."""
        wish = data.draw(st.sampled_from(self.served))
        self.served.remove(wish)
        place = wish.ticket.place
        assert place is not None
        assert place.server == wish.ticket.server
        assert place.client is None or place.leaving is None
        place.leaving = None
        if place.client is None:
            self.made += 1
            place.client, place.opened = f"connection {self.made}", self.now
        self.lent.append(place)

    @precondition(lambda self: self.lent)
    @rule(data=st.data(), keep=st.booleans())
    def give_back(self, data: st.DataObject, keep: bool) -> None:
        place = data.draw(st.sampled_from(self.lent))
        self.lent.remove(place)
        (self.book.keep if keep else self.book.drop)(place, self.now)
        self.settle()

    @precondition(lambda self: self.waiting or self.served)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """Somebody does not want to wait any longer, perhaps just when a place came."""
        wish = data.draw(st.sampled_from(self.waiting + self.served))
        (self.served if wish in self.served else self.waiting).remove(wish)
        idle = self.book.usage.idle
        held, line = wish.ticket.place, bool(self.waiting)
        self.book.give_up(wish.ticket, self.now)
        self.settle()
        if held is not None and not line and (held.client or held.leaving):
            assert self.book.usage.idle == idle + 1, "a good connection was lost"

    @rule(seconds=st.floats(0.5, 20))
    def time_goes_by(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def sweep(self) -> None:
        while (place := self.book.expired(self.now)) is not None:
            assert self.now - place.since >= 10 or self.now - place.opened >= 30
            self.book.drop(place, self.now)
        due = self.book.next_expiry()
        assert due is None or due > self.now
        self.settle()

    @invariant()
    def limits_are_kept(self) -> None:
        if not hasattr(self, "book"):
            return
        usage = self.book.usage
        assert usage.lent + usage.idle <= usage.size
        assert usage.lent == len(self.lent) + len(self.served)
        assert usage.waiting == len(self.waiting)
        if (most := self.limits.connections) is not None:
            for server in SERVERS:
                assert self._of(server) <= most

    @invariant()
    def who_waits_has_to(self) -> None:
        """Nobody waits who could be served: so the line is served in its order."""
        if not hasattr(self, "book") or not self.waiting:
            return
        usage, most = self.book.usage, self.limits.connections
        if usage.lent == usage.size:
            return
        for wish in self.waiting:
            assert most is not None
            assert self._of(wish.ticket.server) >= most

    def _of(self, server: Server) -> int:
        places = [*self.lent, *(wish.ticket.place for wish in self.served)]
        return sum(place is not None and place.server == server for place in places)


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=60, stateful_step_count=40)


class Fair(RuleBasedStateMachine):
    """One server: who came first is served first."""

    @initialize(size=st.integers(1, 3))
    def begin(self, size: int) -> None:
        self.book: Book[str] = Book(size, Limits())
        self.line: list[int] = []
        self.order: list[int] = []
        self.tickets: dict[int, Ticket[str]] = {}
        self.count = 0

    @rule()
    def ask(self) -> None:
        number = self.count
        self.count += 1
        self.line.append(number)
        self.tickets[number] = Ticket(SERVERS[0], lambda: self.order.append(number))
        self.book.ask(self.tickets[number], 0.0)

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        waiting = [number for number, ticket in self.tickets.items() if ticket.place is None]
        assume(waiting)
        number = data.draw(st.sampled_from(waiting))
        self.line.remove(number)
        self.book.give_up(self.tickets.pop(number), 0.0)

    @rule(data=st.data(), keep=st.booleans())
    def give_back(self, data: st.DataObject, keep: bool) -> None:
        places = [t.place for t in self.tickets.values() if t.place is not None]
        assume(places)
        place = data.draw(st.sampled_from(places))
        for number, ticket in list(self.tickets.items()):
            if ticket.place is place:
                del self.tickets[number]
        place.client = "connection"
        (self.book.keep if keep else self.book.drop)(place, 0.0)

    @invariant()
    def in_order(self) -> None:
        if hasattr(self, "order"):
            assert self.order == self.line[: len(self.order)]


TestFair = Fair.TestCase
TestFair.settings = settings(max_examples=40, stateful_step_count=30)
