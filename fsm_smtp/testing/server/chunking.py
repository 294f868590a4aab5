"""BDAT: content in chunks (RFC 3030)."""

import re

from fsm_smtp.testing.server.conversation import Refused, Transaction
from fsm_smtp.testing.server.data import Data

# bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ] CR LF                          (RFC 3030 §2)
_BDAT = re.compile(rb"([0-9]+)( +LAST)?\Z", re.IGNORECASE)


class Chunking(Data):
    """Content whose length is announced."""

    async def do_bdat(self, argument: bytes) -> None:
        """The chunk is read in any case, then it is answered (RFC 3030 §2)."""
        if not self.implements("CHUNKING"):
            raise Refused(502, "5.5.1", "BDAT is not implemented")
        size, last = self.chunk_size(argument)
        chunk = await self.read_chunk(size)
        transaction = self.bdat_in_order()
        try:
            self.take_chunk(transaction, chunk, size)
            if last:
                self.check_chunks(transaction)
        except Refused:
            self.chunk_failed(transaction)
            raise
        if last:
            self.last_chunk(transaction)
        else:
            self.answer_chunk(size)

    def chunk_size(self, argument: bytes) -> tuple[int, bool]:
        """The announced number of octets, and whether it is the last chunk."""
        found = _BDAT.match(argument)
        if found is None:
            raise Refused(501, "5.5.4", "BDAT takes a number of octets, and LAST")
        return int(found[1]), found[2] is not None

    async def read_chunk(self, size: int) -> bytes:
        """Exactly so many octets."""
        chunk = await self.take(size)
        if self.watch is not None:
            self.watch.heard_chunk(chunk)
        return chunk

    def bdat_in_order(self) -> Transaction:
        """Behind an accepted RCPT, and not behind a refused chunk (RFC 3030 §2)."""
        self.in_order("bdat")
        return self.open_transaction()

    def take_chunk(self, transaction: Transaction, chunk: bytes, size: int) -> None:
        """Add it to the message."""
        if transaction.chunks is None:
            transaction.chunks = bytearray()
        if self.too_big(len(transaction.chunks) + size):
            self.refuse_size()
        transaction.chunks += chunk

    def check_chunks(self, transaction: Transaction) -> None:
        """What may be wrong with the whole: nothing here, its octets are as announced."""

    def chunk_failed(self, transaction: Transaction) -> None:
        """What follows in the pipe is thrown away, until RSET."""
        transaction.spoilt = True

    def answer_chunk(self, size: int) -> None:
        """250 to each chunk (RFC 3030 §2)."""
        self.say(250, "2.0.0", f"{size} octets")

    def last_chunk(self, transaction: Transaction) -> None:
        """The message is complete; one reply to chunk and message."""
        self.deliver(transaction, bytes(transaction.chunks or b""))
        self.answer_message(transaction)
        self.forget_after_content()
