"""One connection of a client under test: the model server behind a socket, TLS included."""

import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress

from fsm_smtp.configuration import Configuration
from fsm_smtp.session import Event
from fsm_smtp.testing.machines.client_coverage import ClientCoverage, Place, way_of
from fsm_smtp.testing.machines.replies import HANDSHAKE, Chosen, Order
from fsm_smtp.testing.machines.scene import Scene
from fsm_smtp.testing.server.deviations import ordered
from fsm_smtp.testing.server.memory import MemoryConnection
from fsm_smtp.testing.server.options import Listener, Options
from fsm_smtp.testing.server.record import Message
from fsm_smtp.testing.server.session import Session
from fsm_smtp.testing.server.watch import Violation, Watch

_READ = 65536
#: The first octet of a TLS record that begins a handshake.
_HANDSHAKE = b"\x16"


class Encounter:
    """A connection, from the greeting to its end.

    Args:
        scene: what is offered.
        orders: the replies that are not a faithful server's.
        coverage: what was seen of the client.
        listener: called with all that happens.
    """

    def __init__(
        self, scene: Scene, orders: Sequence[Order], coverage: ClientCoverage, listener: Listener
    ) -> None:
        self._scene, self._coverage = scene, coverage
        self._chosen = Chosen(orders)
        self._watch: Watch | None = None
        #: Where the client stands, and the trigger that it waits for an answer to.
        self._place: Configuration | None = None
        self._asked = ""
        self._with_tls = "STARTTLS" in scene.more
        options = Options(
            extensions=scene.extensions,
            context=_context() if self._with_tls else None,
            mechanisms=scene.mechanisms,
            takes_all=True,
            auth_in_clear=not self._with_tls,
            keeps_bare=True,
            listener=listener,
        )

        def tell(session: Session, what: Event | Violation | Message) -> None:
            self._watch = session.watch
            if isinstance(what, Event):
                self._heard(what)
            Session.tell(session, what)

        noted = type("Noted", (ordered(Session, self._chosen),), {"tell": tell})
        self._server = MemoryConnection(options, noted, shakes=self._with_tls)

    @property
    def is_lost(self) -> bool:
        """Whether client and server went ways that the table does not know."""
        return self._watch is None or self._watch.is_lost

    def serve(self, connected: socket.socket) -> None:
        """Serve, until either side closes.

        Raises:
            TimeoutError: nothing more came from the client.
        """
        link = connected
        try:
            while not self._server.is_over:
                link.sendall(self._server.written())
                if self._server.handshake_due:
                    link = self._shaken(link)
                    continue
                octets = link.recv(_READ)
                if not octets:
                    break
                self._server.send(octets)
            link.sendall(self._server.written())
        except TimeoutError:
            raise
        except OSError:
            pass  # the client is gone; what it should have done first is judged
        finally:
            if self._server.is_over:
                self._answered("dropped")
            self._server.close()
            _closed(link)

    def _shaken(self, link: socket.socket) -> socket.socket:
        """The same under TLS."""
        self._asked = "handshake"
        order = self._chosen.due(HANDSHAKE)
        if order is not None:
            self._answered("failed")
            link.sendall(order.octets or b"")
            raise ConnectionAbortedError("the handshake fails by order")
        first = link.recv(1, socket.MSG_PEEK)
        if first not in (b"", _HANDSHAKE) and self._watch is not None:
            self._watch.no_handshake()
            raise ConnectionAbortedError("the client shakes no hands")
        secured = _context().wrap_socket(link, server_side=True)
        self._server.start_tls()
        return secured

    def _heard(self, event: Event) -> None:
        if event.who == "C":
            self._asked, self._chosen.last = event.trigger, None
        elif event.who == "S":
            self._answered(_class_of(event))
        elif event.trigger == "tls_up":
            self._answered("up")
        else:
            self._asked = "connect"
        self._place = self._watch.configuration if self._watch is not None else None

    def _answered(self, outcome: str) -> None:
        if self._asked and self._place is not None:
            way = way_of(self._scene, self._asked, self._chosen.last)
            self._coverage.take(Place(self._place, self._asked), outcome, way)
        self._asked = ""


def _context() -> ssl.SSLContext:
    from fsm_smtp.testing.server.certificate import server_context  # needs trustme

    return server_context()


def _class_of(event: Event) -> str:
    if event.reply is None or event.trigger == "reply_invalid":
        return "invalid"
    return "421" if event.reply.code == 421 else f"{event.reply.code // 100}yz"


def _closed(link: socket.socket) -> None:
    """Close; TLS says so first, and waits for no answer."""
    with link:
        if isinstance(link, ssl.SSLSocket):
            with suppress(OSError):
                link.settimeout(0)
                link.unwrap()
