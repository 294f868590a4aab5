"""LMTP in place of SMTP (RFC 2033): LHLO, and a reply for each recipient."""

from fsm_smtp.testing.server.asking import Asking
from fsm_smtp.testing.server.conversation import Refused, Transaction


class Lmtp(Asking):
    """What is different where `Options.lmtp` says so; SMTP is not touched."""

    async def do_lhlo(self, argument: bytes) -> None:
        """What EHLO is to SMTP (RFC 2033 §4.1)."""
        if not self.options.lmtp:
            raise Refused(500, "5.5.2", "not recognised")
        await super().do_ehlo(argument)

    async def do_ehlo(self, argument: bytes) -> None:
        """Never a success (RFC 2033 §4.1)."""
        self.only_smtp()
        await super().do_ehlo(argument)

    async def do_helo(self, argument: bytes) -> None:
        """Never a success (RFC 2033 §4.1)."""
        self.only_smtp()
        await super().do_helo(argument)

    def only_smtp(self) -> None:
        """Refuse what LMTP does not have."""
        if self.options.lmtp:
            raise Refused(500, "5.5.1", "this is LMTP; LHLO, please")

    async def do_bdat(self, argument: bytes) -> None:
        """A last chunk that no recipient was taken for gets no reply (RFC 2033 §4.3)."""
        nobody = self.transaction is not None and not self.transaction.recipients
        if self.options.lmtp and nobody:
            size, last = self.chunk_size(argument)
            if last:
                await self.read_chunk(size)
                return
        await super().do_bdat(argument)

    def answer_message(self, transaction: Transaction) -> None:
        """A reply for each recipient (RFC 2033 §4.2)."""
        for _ in transaction.recipients if self.options.lmtp else range(1):
            self.answer_once(transaction)

    def answer_once(self, transaction: Transaction) -> None:
        """One of them."""
        super().answer_message(transaction)
