"""Sessions for tests of the guard: what was found, and how far a session has come."""

from fsm_smtp.guard import Finding, Guard, GuardOptions

GREETING = b"220 mx.example.test ESMTP\r\n"
OFFERS = (
    b"250-mx.example.test\r\n250-SIZE\r\n250-8BITMIME\r\n250-AUTH PLAIN LOGIN\r\n250-STARTTLS\r\n"
    b"250-PIPELINING\r\n250 CHUNKING\r\n"
)
OK = b"250 2.0.0 Ok\r\n"
GO = b"354 End data with <CR><LF>.<CR><LF>\r\n"

#: A client's lines in lock-step and their answers, up to and with the end of content.
MESSAGE = (
    (b"MAIL FROM:<a@example.org>\r\n", OK),
    (b"RCPT TO:<b@example.test>\r\n", OK),
    (b"DATA\r\n", GO),
    (b"Subject: x\r\n\r\nhello\r\n.\r\n", OK),
)


class Found(list[Finding]):
    """The findings of a guard, in their order."""

    @property
    def violations(self) -> list[str]:
        """Why, of those that break the protocol."""
        return [each.why for each in self if each.violation]


def open_guard(
    options: GuardOptions | None = None,
    *,
    offers: bytes = OFFERS,
    ehlo: bool = True,
    lockstep: bool = False,
) -> Guard:
    """A guard whose client has been greeted, and has said EHLO."""
    guard = Guard(options or GuardOptions(), lockstep=lockstep)
    guard.connected()
    guard.received(GREETING)
    if ehlo:
        guard.sending(b"EHLO client.example.test\r\n")
        guard.received(offers)
    return guard


def exchange(guard: Guard, *steps: tuple[bytes, bytes]) -> None:
    """Let each line pass, and its answer."""
    for line, answer in steps:
        assert guard.sending(line) == line
        guard.received(answer)
