"""MAIL and RCPT: the envelope of a mail transaction (RFC 5321 §3.3, §4.1.1.2, §4.1.1.3)."""

from fsm_smtp.testing.server.conversation import Refused, Transaction
from fsm_smtp.testing.server.grammar import (
    Mailbox,
    is_utf8,
    read_mailbox,
    split_path,
    too_long,
    without_route,
)
from fsm_smtp.testing.server.parameters import Parameters, ParametersOf
from fsm_smtp.testing.server.record import Recipient


class Envelope(ParametersOf):
    """Sender and recipients."""

    async def do_mail(self, argument: bytes) -> None:
        """Begins a transaction (RFC 5321 §4.1.1.2)."""
        self.mail_in_order()
        self.count_mail()
        path, rest = self.path_behind(b"FROM:", argument)
        parameters = self.mail_parameters(rest)
        self.check_sender(path, parameters)
        self.begin(path, parameters)
        self.say(250, "2.1.0", "sender ok")

    def mail_in_order(self) -> None:
        """Behind EHLO or HELO, outside a transaction (RFC 5321 §4.1.4)."""
        self.in_order("mail")

    def count_mail(self) -> None:
        """MAILMAX counts them all (RFC 9422 §4.1)."""
        self.mails += 1
        if self.mails > self.options.mails and self.implements("LIMITS"):
            raise Refused(452, "4.5.3", "too many transactions in this session")

    def begin(self, sender: bytes, parameters: Parameters) -> None:
        """New buffers."""
        self.transaction = Transaction(sender, parameters)

    def path_behind(self, keyword: bytes, argument: bytes) -> tuple[bytes, bytes]:
        """The path, without brackets, and what stands behind it (RFC 5321 §4.1.2)."""
        if argument[: len(keyword)].upper() != keyword:
            raise Refused(501, "5.5.4", f"{keyword.decode()}<path>, please")
        split = self.split_path(argument[len(keyword) :])
        if split is None:
            raise Refused(501, "5.1.3", "a path in angle brackets, please")
        return split

    def split_path(self, octets: bytes) -> tuple[bytes, bytes] | None:
        """``<path> parameters`` taken apart."""
        return split_path(octets)

    def without_route(self, path: bytes) -> bytes:
        """Source routes are read, and ignored (RFC 5321 §4.1.1.3, appendix C)."""
        return without_route(path)

    def mailbox(self, path: bytes) -> Mailbox:
        """The mailbox of a path that is not empty."""
        mailbox = read_mailbox(self.without_route(path))
        if self.path_too_long(path, mailbox):
            raise Refused(501, "5.1.3", "the path is too long")
        if mailbox is None or not is_utf8(path):
            raise Refused(501, "5.1.3", "this is no address")
        return mailbox

    def path_too_long(self, path: bytes, mailbox: Mailbox | None) -> bool:
        """RFC 5321 §4.5.3.1.1 to 3."""
        return too_long(path, mailbox)

    def check_sender(self, path: bytes, parameters: Parameters) -> None:
        """The null reverse-path, or a mailbox; in ASCII without SMTPUTF8 (RFC 6531 §3.5)."""
        if path:
            self.mailbox(path)
        if not path.isascii() and b"SMTPUTF8" not in parameters:
            self.refuse_utf8_sender()

    def refuse_utf8_sender(self) -> None:
        """RFC 6531 §3.5."""
        raise Refused(550, "5.6.7", "this address needs SMTPUTF8")

    async def do_rcpt(self, argument: bytes) -> None:
        """Adds a recipient, or changes nothing (RFC 5321 §4.1.1.3)."""
        transaction = self.rcpt_in_order()
        path, rest = self.path_behind(b"TO:", argument)
        parameters = self.rcpt_parameters(rest)
        self.check_recipient(path, transaction)
        self.count_recipient(path, transaction)
        self.add(Recipient(path, parameters), transaction)
        self.say(250, "2.1.5", "recipient ok")

    def rcpt_in_order(self) -> Transaction:
        """Behind MAIL (RFC 5321 §3.3), in front of the content."""
        self.in_order("rcpt")
        return self.open_transaction()

    def add(self, recipient: Recipient, transaction: Transaction) -> None:
        """RCPT adds to the recipients and touches nothing else."""
        transaction.recipients.append(recipient)

    def check_recipient(self, path: bytes, transaction: Transaction) -> None:
        """A mailbox here, or postmaster; anywhere for the authenticated in submission."""
        if self.is_bare_postmaster(path):
            return
        mailbox = self.mailbox(path)
        if not path.isascii() and b"SMTPUTF8" not in transaction.parameters:
            self.refuse_utf8_recipient()
        domain = self.folded_domain(mailbox)
        if self.options.takes_all:
            return
        if domain in self.options.without_mail:
            raise Refused(556, "5.1.10", "this domain takes no mail")
        if domain in self.options.domains:
            if not self.is_known(mailbox.local):
                raise Refused(550, "5.1.1", "no such mailbox")
        elif not (self.options.submission and self.user):
            raise Refused(550, "5.7.1", "mail for this domain is not taken")

    def refuse_utf8_recipient(self) -> None:
        """RFC 6531 §3.5."""
        raise Refused(553, "5.6.7", "this address needs SMTPUTF8")

    def is_bare_postmaster(self, path: bytes) -> bool:
        """The one recipient without a domain, in any case (RFC 5321 §4.1.1.3)."""
        return path.lower() == b"postmaster"

    def folded_domain(self, mailbox: Mailbox) -> str:
        """Domains are the same in every case (RFC 5321 §2.4)."""
        return mailbox.domain.decode().lower()

    def is_known(self, local_part: bytes) -> bool:
        """Whether each of the domains has this mailbox (case matters, but for postmaster)."""
        return local_part in self.options.mailboxes or local_part.lower() == b"postmaster"

    def count_recipient(self, path: bytes, transaction: Transaction) -> None:
        """An orderly limit (RFC 5321 §4.5.3.1.10; RFC 9422 §4.2, §4.3)."""
        if len(transaction.recipients) >= self.options.recipients:
            raise Refused(452, "4.5.3", "too many recipients")
        domains = self.recipient_domains | {path.rpartition(b"@")[2].lower()}
        if len(domains) > self.options.recipient_domains and self.implements("LIMITS"):
            raise Refused(452, "4.5.3", "too many domains of recipients in this session")
        self.recipient_domains = domains
