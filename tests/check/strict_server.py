"""A strict SMTP server for the tests of the checker, with single faults to order.

Without faults it keeps every requirement of the suite; a fault is one deviation, named by what
it does. It listens on loopback, in the event loop or in a thread of its own.
"""

import asyncio
import base64
import re
import ssl
import threading
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager

HOST = "127.0.0.1"
NAME = "mx.example.test"
USER, PASSWORD = "user", "open sesame"
KNOWN = frozenset({b"rcpt@example.test", b"postmaster@example.test", b"postmaster"})

_SOURCE_ROUTE = re.compile(rb"@[^:]+:")
_PATH = re.compile(rb'<((?:"[^"]*"|[^<>"])*)>( .*)?\Z')
_NO_HOST = re.compile(rb".*_|\[[3-9][0-9]{2}\.")


class Session:
    """One connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        faults: frozenset[str],
        offers: frozenset[str],
        context: ssl.SSLContext | None,
    ) -> None:
        self.reader, self.writer = reader, writer
        self.faults, self.offers, self.context = faults, offers, context
        self.buffer = b""
        self.greeted = self.authenticated = self.secure = False
        self.unknown = self.transactions = 0
        self.sender: bytes | None = None
        self.recipients: list[bytes] = []

    def has(self, fault: str) -> bool:
        return fault in self.faults

    def forget(self) -> None:
        self.sender, self.recipients = None, []

    async def say(self, *lines: str) -> None:
        *first, last = lines
        text = "".join(f"{line[:3]}-{line[4:]}\r\n" for line in first) + f"{last}\r\n"
        self.writer.write(text.encode("latin-1"))
        await self.writer.drain()

    async def line(self, end: bytes = b"\r\n") -> bytes | None:
        ends = [b"\r\n", b"\n", b"\r"] if self.has("any line end ends a command") else [end]
        while not any(each in self.buffer for each in ends):
            if self.has("acts before CRLF") and self.buffer == b"NOOP":
                self.buffer = b""
                return b"NOOP"
            data = await self.reader.read(65536)
            if not data:
                return None
            self.buffer += data
        found = next(each for each in ends if each in self.buffer)
        line, self.buffer = self.buffer.split(found, 1)
        if self.has("throws away what follows") and not self.recipients:
            self.buffer = b""
        return line

    async def run(self) -> None:
        if self.has("refuses the session and closes"):
            await self.say(f"554 {NAME} no SMTP service here")
            return
        if self.has("is silent at first"):
            await asyncio.sleep(30)
        if self.has("greets without a name"):
            await self.say("220 ***")
        elif self.has("greets with markup and controls"):
            await self.say(f"220 {NAME} [bold red]loud[/] \x1b[31mred\x07")
        else:
            await self.say(f"220 {NAME} ready")
        while (line := await self.line()) is not None:
            if not await self.command(line):
                return

    async def command(self, line: bytes) -> bool:
        limit = 400 if self.has("takes short lines only") else 512
        if len(line) + 2 > limit:
            await self.say("500 line too long")
            return True
        verb, _, argument = line.partition(b" ")
        argument = argument.strip()
        name = verb.decode("latin-1")
        name = name if self.has("wants verbs in upper case") else name.upper()
        handler = getattr(self, f"do_{name.lower()}", None) if name.isupper() else None
        always = name in ("EHLO", "AUTH", "QUIT", "STARTTLS")
        if self.has("demands authentication") and not (always or self.authenticated):
            await self.say("530 5.7.0 authentication required")
            return True
        if handler is None:
            return await self.not_known()
        return bool(await handler(argument))

    async def not_known(self) -> bool:
        self.unknown += 1
        if self.has("closes on an unknown command"):
            return False
        if self.has("gives up after three unknown commands") and self.unknown == 3:
            await self.say("500 goodbye")
            return False
        if self.has("shuts down after three unknown commands") and self.unknown == 3:
            await self.say(f"421 {NAME} too many errors")
            return False
        await self.say("500 not recognised")
        return True

    async def do_post(self, argument: bytes) -> bool:
        await self.say("421 this is not HTTP")
        return False

    async def do_ehlo(self, argument: bytes) -> bool:
        if not argument or _NO_HOST.match(argument):
            await self.say("501 a name, please")
            if self.has("a refused EHLO resets"):
                self.forget()
            return True
        if self.greeted and self.has("refuses a second EHLO"):
            await self.say("503 again?")
            return True
        self.greeted = True
        if not self.has("EHLO forgets nothing"):
            self.forget()
        keywords = sorted(self.offers)
        if self.context is not None and not self.secure:
            keywords.append("STARTTLS")
        if self.has("lists a keyword with a colon"):
            keywords.insert(0, "SIZE: 1000")
        lines = [f"250 {NAME}", *(f"250 {keyword}" for keyword in keywords)]
        if self.has("mixes codes"):
            await self.raw(f"250-{NAME}\r\n251-PIPELINING\r\n250 HELP\r\n".encode())
            return True
        await self.say(*lines)
        return True

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def do_helo(self, argument: bytes) -> bool:
        if not argument:
            await self.say("501 a name, please")
            return True
        if self.has("does not know HELO"):
            return await self.not_known()
        self.greeted = True
        if not self.has("HELO forgets nothing"):
            self.forget()
        extensions = ["250 PIPELINING"] if self.has("lists extensions to HELO") else []
        await self.say(f"250 {NAME}", *extensions)
        return True

    async def do_starttls(self, argument: bytes) -> bool:
        assert self.context is not None
        await self.say("220 go on")
        await self.writer.start_tls(self.context)
        self.secure, self.greeted, self.buffer = True, False, b""
        self.forget()
        return True

    async def do_auth(self, argument: bytes) -> bool:
        mechanism, _, response = argument.partition(b" ")
        if mechanism.upper() == b"LOGIN":
            await self.say("334 VXNlcm5hbWU6")
            user = base64.b64decode(await self.line() or b"")
            await self.say("334 UGFzc3dvcmQ6")
            password = base64.b64decode(await self.line() or b"")
        else:
            _, user, password = base64.b64decode(response).split(b"\0")
        self.authenticated = (user.decode(), password.decode()) == (USER, PASSWORD)
        await self.say("235 welcome" if self.authenticated else "535 no")
        return True

    async def do_mail(self, argument: bytes) -> bool:
        if self.has("shuts down at MAIL"):
            await self.say(f"421 {NAME} busy")
            return False
        if not self.greeted:
            await self.say("503 EHLO first")
            return True
        if self.sender is not None and not self.has("a nested MAIL keeps the recipients"):
            await self.say("503 a transaction is open")
            return True
        path, reply = self.path(argument, b"FROM:")
        if self.transactions and self.has("one transaction only"):
            reply = "503 enough"
        if reply and self.has("a refused MAIL is taken"):
            self.sender = b""
        if path == b"" and self.has("refuses the null reverse-path"):
            reply = "501 who?"
        if reply is None:
            self.sender = path
        await self.say(reply or "250 sender ok")
        return True

    def path(self, argument: bytes, keyword: bytes) -> tuple[bytes, str | None]:
        if argument[: len(keyword)].upper() != keyword:
            return b"", "501 syntax"
        rest = argument[len(keyword) :]
        if self.has("takes a path without brackets") and not rest.startswith(b"<"):
            rest = b"<" + rest + b">"
        found = _PATH.match(rest)
        if found is None or re.search(rb"[\x00-\x1f\x7f-\xff]", rest):
            return b"", "501 syntax"
        if len(found[1]) + 2 > 256:
            return b"", "501 path too long"
        if found[2] and not self.has("takes any parameter"):
            return b"", "555 unknown parameter"
        return found[1], None

    async def do_rcpt(self, argument: bytes) -> bool:
        if self.sender is None and not self.has("takes RCPT without MAIL"):
            await self.say("503 MAIL first")
            return True
        path, reply = self.path(argument, b"TO:")
        if self.has("refuses source routes") and path.startswith(b"@"):
            reply = "501 syntax"
        mailbox = _SOURCE_ROUTE.sub(b"", path).replace(b'"', b"")
        if mailbox.lower() == b"postmaster" and self.has("does not know a bare postmaster"):
            reply = "550 who?"
        if reply is None and mailbox.lower() not in KNOWN:
            if self.has("a refused RCPT drops the others"):
                self.recipients = []
            reply = "550 no such mailbox"
        if reply is None and self.has("takes 50 recipients") and len(self.recipients) == 50:
            reply = "452 too many"
        if reply is None:
            self.recipients.append(mailbox)
        await self.say(reply or "250 recipient ok")
        return True

    async def do_data(self, argument: bytes) -> bool:
        if argument:
            await self.say("501 no argument")
        elif not self.recipients and not self.has("takes DATA without recipients"):
            if self.has("a refused DATA resets"):
                self.forget()
            await self.say("503 RCPT first")
        else:
            await self.say("354 go on")
            return await self.content()
        return True

    async def content(self) -> bool:
        end = b"\r\n"
        if self.has("LF.LF ends the data"):
            end = b"\n"
        too_long = False
        while (line := await self.line(end)) is not None:
            if (
                line == b"."
                or (end == b"\n" and line == b".\r")
                or (self.has("a leading dot ends the data") and line.startswith(b"."))
            ):
                break
            limit = 900 if self.has("takes short text lines only") else 1000
            too_long = too_long or len(line) > limit
        else:
            return False
        self.transactions += 1
        replies = 2 if self.has("answers the end of data per recipient") else 1
        for _ in range(replies):
            await self.say("500 line too long" if too_long else "250 accepted")
        if not self.has("the end of data clears nothing"):
            self.forget()
        return True

    async def do_rset(self, argument: bytes) -> bool:
        if argument:
            await self.say("501 no argument")
        elif not self.greeted and self.has("refuses RSET before EHLO"):
            await self.say("503 EHLO first")
        else:
            if not self.has("RSET forgets nothing"):
                self.forget()
            if self.has("RSET closes"):
                return False
            await self.say("250 reset")
        return True

    async def do_noop(self, argument: bytes) -> bool:
        if self.has("NOOP resets"):
            self.forget()
        if self.has("never answers NOOP"):
            return True
        if self.has("four digits"):
            await self.raw(b"2500 fine\r\n")
        elif self.has("a bare LF ends replies"):
            await self.raw(b"250 fine\n")
        else:
            await self.say(*["250 fine"])
            if self.has("answers NOOP twice"):
                await self.say("250 and again")
        return True

    async def do_vrfy(self, argument: bytes) -> bool:
        if self.has("VRFY resets"):
            self.forget()
        if self.has("does not know VRFY"):
            return await self.not_known()
        await self.say("250 <somebody@example.test>" if self.has("verifies everybody") else "252 ?")
        return True

    async def do_expn(self, argument: bytes) -> bool:
        expands = self.has("expands without saying so")
        await self.say("250 <somebody@example.test>" if expands else "502 not here")
        return True

    async def do_help(self, argument: bytes) -> bool:
        await self.say(
            "502 not here" if self.has("lists HELP without having it") else "214 see RFC"
        )
        return True

    async def do_quit(self, argument: bytes) -> bool:
        if argument:
            await self.say("501 no argument")
            return True
        if self.has("QUIT is not answered"):
            return False
        await self.say(f"221 {NAME} bye")
        if self.has("QUIT does not close"):
            await asyncio.sleep(30)
        return False


@asynccontextmanager
async def strict_server(
    *faults: str,
    offers: Iterable[str] = ("PIPELINING", "HELP"),
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncGenerator[int]:
    """The port of a server with these faults."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await Session(reader, writer, frozenset(faults), frozenset(offers), starttls).run()
        except (ConnectionError, asyncio.CancelledError):
            pass  # the checker closes when it has seen enough
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, HOST, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def strict_server_in_thread(
    *faults: str, offers: Iterable[str] = ("PIPELINING", "HELP")
) -> Generator[int]:
    """The same, for a test that has no event loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    context = strict_server(*faults, offers=offers)
    try:
        yield asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(5)
    finally:
        asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
