"""DATA: content up to its end of data, and what becomes of a message (RFC 5321 §4.1.1.4)."""

import re
from typing import ClassVar

from fsm_smtp.testing.server.conversation import Refused, Transaction
from fsm_smtp.testing.server.envelope import Envelope
from fsm_smtp.testing.server.options import NAME
from fsm_smtp.testing.server.record import Message

#: Longest text line with its CRLF, the stuffed dot not counted (RFC 5321 §4.5.3.1.6).
MAX_TEXT_LINE = 1000
# A CR without LF, or an LF without CR (RFC 5321 §2.3.8).
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


class Data(Envelope):
    """Content with a dot at its end."""

    #: CRLF.CRLF and nothing else; the first CRLF may be the one of the DATA command.
    END_OF_DATA: ClassVar[re.Pattern[bytes]] = re.compile(rb"(?:\A|\r\n)\.\r\n")
    #: How far the end of data reaches back at most.
    OVERLAP: ClassVar[int] = 16

    async def do_data(self, argument: bytes) -> None:
        """354, the content, and one reply for the message."""
        if argument:
            self.data_with_argument()
        transaction = self.data_in_order()
        self.say(354, "", "the message, please; a dot ends it")
        content = await self.read_content()
        if self.watch is not None:
            self.watch.heard_content(self.without_stuffing(content))
        self.take_message(transaction, content)
        self.forget_after_content()

    def take_message(self, transaction: Transaction, content: bytes) -> None:
        """Deliver what is right, and answer."""
        try:
            self.check_content(content)
        except Refused as refused:
            self.say(refused.code, refused.status, refused.text)
        else:
            self.deliver(transaction, self.without_stuffing(content))
            self.answer_message(transaction)

    def data_with_argument(self) -> None:
        """RFC 5321 §4.1.1."""
        raise Refused(501, "5.5.4", "DATA takes no argument")

    def data_in_order(self) -> Transaction:
        """Behind an accepted RCPT (RFC 5321 §3.3), not behind BDAT or for BINARYMIME (RFC 3030)."""
        self.in_order("data")
        transaction = self.open_transaction()
        self.data_unmixed(transaction)
        return transaction

    def data_unmixed(self, transaction: Transaction) -> None:
        """BODY=BINARYMIME wants BDAT (RFC 3030 §3)."""
        if (transaction.parameters.get(b"BODY") or b"").upper() == b"BINARYMIME":
            raise Refused(503, "5.5.1", "BODY=BINARYMIME wants BDAT")

    async def read_content(self) -> bytes:
        """Everything in front of the end of data, with the CRLF of its last line."""
        buffer = self.wire.buffer
        searched = 0
        while (found := self.END_OF_DATA.search(buffer, searched)) is None:
            searched = max(len(buffer) - self.OVERLAP, 0)
            await self.more()
        content = bytes(buffer[: found.start()])
        if found.start():
            content += b"\r\n"
        del buffer[: found.end()]
        return content

    def check_content(self, content: bytes) -> None:
        """Its size and its lines (RFC 5321 §4.5.3.1.9, §2.3.8)."""
        if self.too_big(len(content)):
            self.refuse_size()
        if not self.options.keeps_bare and _BARE.search(content):
            raise Refused(554, "5.6.0", "a bare CR or LF")
        longest = max(map(len, content.split(b"\r\n"))) + len("\r\n")
        if longest > MAX_TEXT_LINE and self.longest_line(content) > MAX_TEXT_LINE:
            raise Refused(500, "5.5.2", "a line is too long")

    def refuse_size(self) -> None:
        """RFC 1870 §6.3."""
        raise Refused(552, "5.3.4", "the message is too big")

    def longest_line(self, content: bytes) -> int:
        """Octets of the longest line with its CRLF, dot-stuffing undone."""
        lines = self.without_stuffing(content).split(b"\r\n")
        return max(map(len, lines)) + len("\r\n")

    def without_stuffing(self, content: bytes) -> bytes:
        """One leading dot less on each line that has one (RFC 5321 §4.5.2)."""
        return re.sub(rb"(\A|\r\n)\.", rb"\1", content)

    def deliver(self, transaction: Transaction, content: bytes) -> None:
        """The message is ours from here on."""
        message = Message(
            transaction.sender,
            transaction.parameters,
            tuple(transaction.recipients),
            content,
            self.trace(transaction),
        )
        self.record.messages.append(message)
        self.tell(message)

    def trace(self, transaction: Transaction) -> bytes:
        """A Received field (RFC 5321 §4.4; the words behind "with": RFC 3848, RFC 6531 §4.3)."""
        protocol = "SMTP"
        if self.greeted == "EHLO":
            protocol = "UTF8SMTP" if b"SMTPUTF8" in transaction.parameters else "ESMTP"
            protocol += ("S" if self.secure else "") + ("A" if self.user else "")
        return b"Received: from %s by %s with %s\r\n" % (
            self.client_name,
            NAME.encode(),
            protocol.encode(),
        )

    def answer_message(self, transaction: Transaction) -> None:
        """One reply, for the message as a whole."""
        self.say(250, "2.0.0", "message taken")

    def forget_after_content(self) -> None:
        """The transaction is over, whatever the reply (RFC 5321 §4.1.1.4)."""
        self.forget_transaction()
