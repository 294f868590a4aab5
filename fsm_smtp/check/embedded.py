"""A real server in this process to judge or to try things on: aiosmtpd on a free loopback port.

It knows rcpt@example.test, rcpt2@example.test and postmaster, refuses every other recipient
with 550, and throws accepted messages away. aiosmtpd comes with the extra ``embedded``.
"""

import asyncio
import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.smtp import SMTP

HOST = "127.0.0.1"
NAME = "mx.example.test"
KNOWN = frozenset(
    {"rcpt@example.test", "rcpt2@example.test", "postmaster@example.test", "postmaster"}
)


class Recipients:
    """aiosmtpd's handler: who is known here."""

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """550 to everybody who is not known."""
        if address.lower() not in KNOWN:
            return "550 5.1.1 no such mailbox here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """250, and the message is forgotten."""
        return "250 2.0.0 Ok: taken and thrown away"


@contextmanager
def embedded_server() -> Generator[int]:
    """The port of a server on 127.0.0.1 that runs for the length of the context.

    Raises:
        OSError: no port can be had.
    """
    # aiosmtpd warns of every unknown command; without a handler that lands on the terminal.
    logging.getLogger("mail.log").addHandler(logging.NullHandler())
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: _session(loop), HOST, 0))
    thread = threading.Thread(target=loop.run_forever, name="embedded-smtp", daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_shut_down(server), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def _session(loop: asyncio.AbstractEventLoop) -> SMTP:
    return SMTP(Recipients(), hostname=NAME, enable_SMTPUTF8=True, loop=loop)


async def _shut_down(server: asyncio.Server) -> None:
    server.close()
    sessions = asyncio.all_tasks() - {asyncio.current_task()}
    for session in sessions:
        session.cancel()
    await asyncio.gather(*sessions, return_exceptions=True)
