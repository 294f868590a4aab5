"""The addresses of a name, looked up once for a run, and so that nobody has to wait for the end."""

import asyncio
import contextlib
import ipaddress
import socket
import threading


def is_address(host: str) -> bool:
    """Whether *host* needs no looking up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def addresses_of(host: str, port: int) -> tuple[str, ...]:
    """The addresses that *host* has, the preferred one first.

    The loop's own way leaves behind a thread that the program waits for when it ends: with a name
    server that does not answer, Ctrl-C would do nothing for half a minute.

    Raises:
        OSError: it has none, or nobody knows.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[tuple[str, ...]] = loop.create_future()

    def tell(addresses: tuple[str, ...], error: OSError | None) -> None:
        if found.done():
            return
        if error is None:
            found.set_result(addresses)
        else:
            found.set_exception(error)

    def look_up() -> None:
        addresses: tuple[str, ...] = ()
        failed: OSError | None = None
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses = tuple(dict.fromkeys(str(info[4][0]) for info in infos))
        except UnicodeError:  # an empty label, or one that is too long
            failed = socket.gaierror(socket.EAI_NONAME, "this is no name of a host")
        except OSError as error:
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, addresses, failed)

    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    return await found
