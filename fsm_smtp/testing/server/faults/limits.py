"""Limits that are too low, or answered wrongly (RFC 5321 §4.5.3.1)."""

from collections.abc import Callable

from fsm_smtp.testing.server.conversation import Refused, Transaction
from fsm_smtp.testing.server.faults.registry import fault, weakness
from fsm_smtp.testing.server.grammar import Mailbox, too_long
from fsm_smtp.testing.server.session import Session
from fsm_smtp.testing.server.wire import Ended

# Lines


def _commands_of(octets: int) -> Callable[[Session, bytes], int]:
    return lambda session, verb: octets


fault("takes short lines only", "R137", limit_of=_commands_of(400))
fault("takes lines of 511 octets only", "R126", limit_of=_commands_of(511))
fault("does not lengthen RCPT for DSN", "D08", limit_of=_commands_of(512))

# Paths


def _parts_of(
    local: int, domain: int, path: int
) -> Callable[[Session, bytes, Mailbox | None], bool]:
    def path_too_long(session: Session, octets: bytes, mailbox: Mailbox | None) -> bool:
        if len(octets) + 2 > path or too_long(octets, mailbox):
            return True
        return mailbox is not None and (len(mailbox.local) > local or len(mailbox.domain) > domain)

    return path_too_long


fault("takes local-parts of 32 octets only", "R134", path_too_long=_parts_of(32, 255, 256))
fault("takes domains of 64 octets only", "R135", path_too_long=_parts_of(64, 64, 256))
fault("takes paths of 128 octets only", "R136", path_too_long=_parts_of(64, 255, 128))

# Content


def _lines_of(octets: int) -> Callable[[Session, bytes], None]:
    def check_content(session: Session, content: bytes) -> None:
        Session.check_content(session, content)
        if session.longest_line(content) > octets:
            raise Refused(500, "5.5.2", "the line is too long")

    return check_content


def _counts_the_dot(session: Session, content: bytes) -> None:
    Session.check_content(session, content)
    if max(map(len, content.split(b"\r\n"))) + 2 > 1000:
        raise Refused(500, "5.5.2", "the line is too long")


fault("takes short text lines only", "R139", check_content=_lines_of(900))
fault("counts the stuffed dot to a text line", "R139", check_content=_counts_the_dot)
fault("takes 32 KiB of content only", "R140", options={"size": 32768})

# Recipients


def _recipients(most: int, code: int) -> Callable[[Session, bytes, Transaction], None]:
    def count_recipient(session: Session, path: bytes, transaction: Transaction) -> None:
        if len(transaction.recipients) >= most:
            raise Refused(code, f"{code // 100}.5.3", "too many recipients")

    return count_recipient


def _closes(session: Session, path: bytes, transaction: Transaction) -> None:
    if len(transaction.recipients) >= 100:
        raise Ended


def _forgets(session: Session, path: bytes, transaction: Transaction) -> None:
    if len(transaction.recipients) >= 100:
        session.forget_transaction()
        raise Refused(452, "4.5.3", "too many recipients")


fault("takes 50 recipients", "R141", count_recipient=_recipients(50, 452))
fault("refuses too many recipients with 503", "R142", count_recipient=_recipients(100, 503))
fault("refuses too many recipients with 501", "R142", count_recipient=_recipients(100, 501))
fault("closes at too many recipients", "R141", count_recipient=_closes)
fault("too many recipients end the transaction", "R141", count_recipient=_forgets)
weakness("takes fewer recipients than LIMITS says", "N08", count_recipient=_recipients(99, 452))


def _mails(session: Session) -> None:
    session.memory["mails"] = session.memory.get("mails", 0) + 1
    if session.memory["mails"] > 50:
        raise Refused(452, "4.5.3", "too many transactions in this session")


weakness("takes fewer transactions than LIMITS says", "N09", count_mail=_mails)
