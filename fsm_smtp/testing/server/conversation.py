"""What every command needs: state, reading of lines, writing of replies."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from fsm_smtp.session import Event
from fsm_smtp.testing.server.options import Options
from fsm_smtp.testing.server.record import Message, Recipient, SessionRecord
from fsm_smtp.testing.server.watch import Violation, Watch
from fsm_smtp.testing.server.wire import Wire


class Refused(Exception):
    """A command is answered with this, and nothing has changed."""

    def __init__(self, code: int, status: str, text: str) -> None:
        super().__init__(code, status, text)
        self.code, self.status, self.text = code, status, text


@dataclass(slots=True)
class Transaction:
    """The buffers of a mail transaction (RFC 5321 §4.1.1)."""

    sender: bytes
    parameters: dict[bytes, bytes | None]
    recipients: list[Recipient] = field(default_factory=list[Recipient])
    #: What BDAT has brought; ``None`` before the first chunk.
    chunks: bytearray | None = None
    #: A chunk was refused: only RSET and QUIT lead on (RFC 3030 §2).
    spoilt: bool = False


class Conversation:
    """State of a session, and its lines."""

    #: Longest line of the AUTH dialogue, with CRLF (RFC 4954 §4).
    AUTH_LINE: ClassVar[int] = 12288
    #: Octets that end a line (RFC 5321 §2.3.8).
    LINE_ENDS: ClassVar[tuple[bytes, ...]] = (b"\r\n",)
    #: What only a fault remembers, for all sessions of its class.
    shared: ClassVar[dict[str, Any]] = {}

    def __init__(self, wire: Wire, options: Options, record: SessionRecord) -> None:
        self.wire = wire
        self.options = options
        self.record = record
        self.secure = options.implicit_tls
        #: The verb that opened the session, ``EHLO`` or ``HELO``.
        self.greeted: str | None = None
        self.client_name = b""
        self.user: str | None = None
        self.transaction: Transaction | None = None
        #: MAIL commands so far, and the domains of recipients (RFC 9422).
        self.mails = 0
        self.recipient_domains: set[bytes] = set()
        #: What only a fault remembers.
        self.memory: dict[str, Any] = {}
        #: The judge of the client.
        self.watch: Watch | None = None
        if options.watches:
            self.watch = Watch(self.blame, self.tell if options.listener else None)

    def tell(self, what: Event | Violation | Message) -> None:
        """Something has happened."""
        if self.options.listener is not None:
            self.options.listener(self.record, what)

    def blame(self, violation: Violation) -> None:
        """The client has done something wrong."""
        self.record.violations.append(violation)
        self.tell(violation)

    def forget_transaction(self) -> None:
        """Clear the buffers, as RSET does (RFC 5321 §4.1.1.5)."""
        self.transaction = None

    def open_transaction(self) -> Transaction:
        """The transaction; an empty one, if a fault has let something pass without."""
        if self.transaction is None:
            self.transaction = Transaction(b"", {})
        return self.transaction

    def forget_session(self) -> None:
        """Back to the state just behind the greeting (RFC 3207 §4.2)."""
        self.forget_transaction()
        self.greeted, self.client_name, self.user = None, b"", None

    def implements(self, keyword: str) -> bool:
        """Whether the extension is there at all."""
        return keyword in self.options.extensions

    # Reading

    async def more(self) -> None:
        """Wait for octets."""
        await self.wire.more(self.options.patience)

    async def line(self, limit: int) -> bytes:
        """The next line without its CRLF; of a line above *limit* octets, its beginning.

        The rest of such a line is thrown away, so that it is not taken for a command.
        """
        buffer = self.wire.buffer
        kept = b""
        while True:
            found = self.find_line_end(bytes(buffer))
            if found is not None:
                start, end = found
                line = kept + bytes(buffer[:start])
                del buffer[:end]
                return line
            if len(buffer) > limit:
                # The last octet may be the CR of the line's end.
                kept = (kept + bytes(buffer[:-1]))[: limit + 1]
                del buffer[:-1]
            await self.more()

    def find_line_end(self, octets: bytes) -> tuple[int, int] | None:
        """Where the first line ends, without and with its line end."""
        ends = ((octets.find(end), end) for end in self.LINE_ENDS)
        found = min(((at, -len(end)) for at, end in ends if at >= 0), default=None)
        return None if found is None else (found[0], found[0] - found[1])

    async def take(self, count: int) -> bytes:
        """The next *count* octets, whatever they are; only so many are kept as a message has."""
        kept = bytearray()
        while count:
            if not self.wire.buffer:
                await self.more()
            part = bytes(self.wire.buffer[:count])
            del self.wire.buffer[: len(part)]
            count -= len(part)
            if len(kept) <= self.options.size or not self.options.size:
                kept += part
        return bytes(kept)

    # Replies

    def say(self, code: int, status: str, *texts: str) -> None:
        """One reply: *texts* are its lines, *status* its enhanced status code (RFC 2034)."""
        self.transmit(self.reply(code, status, texts or ("",)))

    def reply(self, code: int, status: str, texts: tuple[str, ...]) -> bytes:
        """The octets of a reply (RFC 5321 §4.2, RFC 2034 §4)."""
        prefix = f"{status} " if status and self.implements("ENHANCEDSTATUSCODES") else ""
        *first, last = texts
        lines = [f"{code}-{prefix}{text}" for text in first]
        return "".join(f"{line}\r\n" for line in (*lines, f"{code} {prefix}{last}")).encode()

    def transmit(self, octets: bytes) -> None:
        """Write a reply."""
        self.heed_reply(octets)
        self.wire.write(octets)

    def heed_reply(self, octets: bytes) -> None:
        """A reply is on its way."""
        self.record.lines.append(("S", octets))
        if self.watch is not None:
            self.watch.replied(octets, waiting=bool(self.wire.buffer))
