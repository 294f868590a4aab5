"""The model server as the tests of the checker order it: faults by name, offers in a list."""

import ssl
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager

from fsm_smtp.testing.server.faults import faulty
from fsm_smtp.testing.server.listening import model_server, model_server_in_thread
from fsm_smtp.testing.server.options import HOST, NAME, PASSWORD, USER, Options
from fsm_smtp.testing.server.session import Session
from fsm_smtp.testing.server.wire import Ended

__all__ = ["HOST", "NAME", "PASSWORD", "USER", "strict_server", "strict_server_in_thread"]

OFFERS = ("PIPELINING", "HELP")
# No faults of a server, and still ordered like one: it serves only who has authenticated, and it
# ends the service (RFC 5321 §3.8).
WANTS_AUTH, BUSY = "demands authentication", "shuts down at MAIL"


class _Busy(Session):
    async def do_mail(self, argument: bytes) -> None:
        self.shut_down(text=f"{NAME} busy")
        raise Ended


def _session(faults: tuple[str, ...]) -> type[Session]:
    if BUSY in faults:
        return _Busy
    return faulty(*(fault for fault in faults if fault and fault != WANTS_AUTH))


def _options(
    faults: tuple[str, ...],
    offers: Iterable[str],
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
) -> Options:
    keywords = {offer.split(" ", maxsplit=1)[0] for offer in offers}
    return Options(
        extensions=frozenset(keywords | ({"STARTTLS"} if starttls else set())),
        context=starttls or tls,
        implicit_tls=tls is not None,
        auth_in_clear=True,
        submission=WANTS_AUTH in faults,
        keeps_bare=True,
    )


@asynccontextmanager
async def strict_server(
    *faults: str,
    offers: Iterable[str] = OFFERS,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncGenerator[int]:
    """The port of a server with these faults."""
    options = _options(faults, offers, starttls, tls)
    async with model_server(options, _session(faults)) as server:
        yield server.port


@contextmanager
def strict_server_in_thread(*faults: str, offers: Iterable[str] = OFFERS) -> Generator[int]:
    """The same, for a test that has no event loop."""
    with model_server_in_thread(_options(faults, offers), _session(faults)) as server:
        yield server.port
