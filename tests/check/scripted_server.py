"""A server that knows no order: each verb has its replies, and everything it hears is kept.

For tests of what a step writes, where the strict server would have an opinion.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

HOST = "127.0.0.1"


@dataclass(slots=True)
class Heard:
    """What came, by session in the order of their connections.

    Attributes:
        port: where it listens.
        octets: what each session has written so far.
        ended: how each session ended: ``closed`` or ``reset``.
    """

    port: int = 0
    octets: list[bytes] = field(default_factory=list[bytes])
    ended: dict[int, str] = field(default_factory=dict[int, str])


@asynccontextmanager
async def scripted_server(
    replies: Mapping[str, str], *, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[Heard]:
    """Answers the verb with ``replies[verb]`` (``|`` for a line end), others with 500.

    ``BDAT`` takes its octets first; an empty reply says nothing. After a 220 to STARTTLS comes
    the handshake, if there is a context for it.
    """
    heard = Heard()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(heard.octets)
        heard.octets.append(b"")
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)

        async def say(text: str) -> None:
            if text:
                writer.write("".join(f"{line}\r\n" for line in text.split("|")).encode())
                await writer.drain()

        try:
            await say(replies.get("greeting", "220 mx.example.test"))
            while line := await reader.readline():
                heard.octets[number] += line
                verb, _, argument = line.decode("latin-1").strip().partition(" ")
                if verb == "BDAT":
                    heard.octets[number] += await reader.readexactly(int(argument.split()[0]))
                await say(replies.get(verb, "500 what?"))
                if verb == "STARTTLS" and tls is not None:
                    await writer.start_tls(tls)
                if verb == "QUIT":
                    break
            heard.ended[number] = "closed"
        except ConnectionError:
            heard.ended[number] = "reset"
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            heard.ended[number] = "closed"
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    heard.port = server.sockets[0].getsockname()[1]
    try:
        yield heard
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
