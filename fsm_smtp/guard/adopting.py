"""A guard for a session that was begun without it."""

from fsm_smtp.guard.core import Guard


def catch_up(
    guard: Guard, *, tls: bool, verb: bytes = b"EHLO", ehlo: bytes | None, helo: bool
) -> None:
    """Take *guard* to where a session stands between two messages. Whether AUTH has succeeded
    cannot be known.

    Args:
        guard: a new one.
        tls: whether TLS is up.
        verb: what the client says for EHLO: ``LHLO`` in LMTP (RFC 2033 §4.1).
        ehlo: the text of the reply that accepted it, a line for each line; ``None`` for none.
        helo: otherwise, whether HELO was accepted.
    """
    guard.connected(tls=tls)
    guard.received(b"220 before the guard\r\n")
    if ehlo is not None:
        guard.sending(verb + b" before-the-guard\r\n")
        *lines, last = ehlo.split(b"\n")
        guard.received(b"".join(b"250-%b\r\n" % line for line in lines) + b"250 %b\r\n" % last)
    elif helo:
        guard.sending(b"HELO before-the-guard\r\n")
        guard.received(b"250 before the guard\r\n")
