"""Faults in paths, recipients and parameters (RFC 5321 §4.1.1.2, §4.1.1.3, §4.1.1.11, §4.1.2)."""

from fsm_smtp.testing.server.conversation import Refused, Transaction
from fsm_smtp.testing.server.faults.registry import (
    fault,
    liberty,
    no,
    nothing,
    refuses,
    same,
    weakness,
)
from fsm_smtp.testing.server.grammar import Mailbox
from fsm_smtp.testing.server.session import Session


def _wants_somebody(session: Session, path: bytes, parameters: object) -> None:
    if not path:
        raise Refused(501, "5.1.7", "who?")


def _no_routes(session: Session, path: bytes) -> bytes:
    if path.startswith(b"@"):
        raise Refused(501, "5.1.3", "this is no address")
    return path


def _bare_paths(session: Session, octets: bytes) -> tuple[bytes, bytes] | None:
    if octets and not octets.startswith(b"<"):
        path, _, rest = octets.partition(b" ")
        octets = b"<" + path + b"> " + rest
    return Session.split_path(session, octets)


def _dequoted(session: Session, path: bytes) -> Mailbox:
    mailbox = Session.mailbox(session, path)
    return Mailbox(b"?" + mailbox.local, mailbox.domain) if b'"' in path else mailbox


def _domain_as_it_is(session: Session, mailbox: Mailbox) -> str:
    return mailbox.domain.decode()


def _is_listed(session: Session, local_part: bytes) -> bool:
    return local_part in session.options.mailboxes


fault("refuses the null reverse-path", "R079", check_sender=_wants_somebody)
fault("refuses source routes", "R024", without_route=_no_routes)
liberty("takes a path without brackets", "R079", split_path=_bare_paths)
fault("takes the quoted form for another mailbox", "R082", mailbox=_dequoted)
fault("knows domains in lower case only", "R003",
      folded_domain=_domain_as_it_is)  # fmt: skip

# Postmaster


def _lower_only(session: Session, path: bytes) -> bool:
    return path == b"postmaster"


def _lower_case(session: Session, local_part: bytes) -> bool:
    return local_part in (*session.options.mailboxes, b"postmaster")


fault("does not know a bare postmaster", "R130", is_bare_postmaster=no)
fault("knows a bare postmaster in lower case only", "R052", is_bare_postmaster=_lower_only)
fault("knows postmaster in lower case only", "R052", is_known=_lower_case)
fault("has no postmaster", "R130", is_bare_postmaster=no,
      is_known=_is_listed)  # fmt: skip

# Parameters

fault("takes any parameter", "R077", unknown_parameter=nothing)
weakness("refuses an unknown recipient with 502", "R122", check_recipient=refuses(
    502, "5.1.1", "no such mailbox"))  # fmt: skip


def _unlisted(session: Session, path: bytes, transaction: Transaction) -> None:
    try:
        Session.check_recipient(session, path, transaction)
    except Refused as refused:
        raise Refused(557, refused.status, refused.text) from None


weakness("refuses an unknown recipient with 557", "R108", check_recipient=_unlisted)


def _only_one(session: Session, path: bytes, transaction: Transaction) -> None:
    if transaction.recipients:
        raise Refused(503, "5.5.1", "one recipient, please")


fault("takes one recipient only", "R026", count_recipient=_only_one)
fault("takes source routes for a part of the mailbox", "R080", without_route=same)


def _up_to_the_first(session: Session, octets: bytes) -> tuple[bytes, bytes] | None:
    path, end, rest = octets[1:].partition(b">")
    return (path, rest.strip()) if octets.startswith(b"<") and end else None


fault("reads a path up to its first >", "R082", split_path=_up_to_the_first)


def _no_null_forward_path(session: Session, path: bytes, transaction: Transaction) -> None:
    if path:
        Session.check_recipient(session, path, transaction)


weakness("takes the null path as a recipient", "R079", check_recipient=_no_null_forward_path)
