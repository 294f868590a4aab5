"""Opening a session for a case: the greeting, EHLO, TLS and AUTH as the run wants them."""

import base64
from dataclasses import dataclass, field

from fsm_smtp.check.cases.case import Start
from fsm_smtp.check.cases.offers import Facts, Offers
from fsm_smtp.check.cases.template import credentials
from fsm_smtp.check.engine.connection import Connection, Target, TLSMode
from fsm_smtp.check.engine.events import ServerInfo
from fsm_smtp.check.engine.outcome import Outcome
from fsm_smtp.check.engine.transcript import Redaction


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run may use, and its patience.

    Attributes:
        sender: a reverse-path that the server takes.
        recipient: a mailbox that exists there.
        unknown_recipient: one that does not.
        ehlo_name: the name we give in EHLO.
        user: user name for AUTH, or ``None``.
        password: the password, or ``None``; never shown.
        timeout: seconds to wait for a reply.
        quiet: seconds without a reply that count as silence; ``None``: by the measured round trip.
        case_timeout: seconds for a case as a whole.
        jobs: cases at a time.
        slow: whether slow cases are played.
        strict: whether a recommendation that is not followed fails.
        patience: seconds that the run may wait for greylisting to pass.
    """

    sender: str = "sender@client.example.test"
    recipient: str = "rcpt@example.test"
    unknown_recipient: str = "no-such-mailbox-here@example.test"
    ehlo_name: str = "client.example.test"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 10.0
    quiet: float | None = None
    case_timeout: float = 120.0
    jobs: int = 4
    slow: bool = False
    strict: bool = False
    patience: float = 15.0

    def values(self) -> dict[str, str]:
        """The placeholders of a case."""
        local_part, _, domain = self.recipient.rpartition("@")
        return {
            "sender": self.sender,
            "recipient": self.recipient,
            "unknown_recipient": self.unknown_recipient,
            "ehlo_name": self.ehlo_name,
            "local_part": local_part,
            "unknown_local_part": self.unknown_recipient.rpartition("@")[0],
            "domain": domain,
            "upper_domain": domain.upper(),
            "n": "1",
            **credentials(self.user, self.password),
        }

    def redaction(self) -> Redaction:
        """What hides the credentials, as they are and as AUTH sends them."""
        if self.user is None:
            return Redaction()
        found = credentials(self.user, self.password)
        secrets = [found[name].encode() for name in ("plain", "user64", "password64")]
        return Redaction([*secrets, (self.password or "").encode()])


class OpeningError(Exception):
    """The session could not be opened as far as the case wants it.

    Attributes:
        wanted: what was wanted.
        outcome: what came.
    """

    def __init__(self, wanted: str, outcome: Outcome) -> None:
        self.wanted = wanted
        self.outcome = outcome
        super().__init__(f"{wanted}: {outcome}")


def facts_at(start: Start, target: Target, settings: Settings, server: ServerInfo) -> Facts:
    """What holds where a case with this *start* begins, by what the first look has found."""
    behind_starttls = target.tls is TLSMode.STARTTLS and start in (Start.GREETING, Start.EHLO)
    lines = server.ehlo if behind_starttls or start is Start.EHLO else server.first_ehlo
    return Facts(
        Offers.of(lines[1:]),
        credentials=settings.user is not None,
        tls=behind_starttls or target.tls is TLSMode.IMPLICIT,
    )


async def open_session(connection: Connection, start: Start, settings: Settings) -> Outcome | None:
    """Bring a connected *connection* to where the steps of a case begin.

    Returns:
        The answer to the last EHLO, if there was one whose offers are in force.

    Raises:
        OpeningError: the server does not let us get there.
        TargetUnreachable: the TLS handshake failed.
    """
    if start is Start.RAW:
        return None
    await expect(connection, "220", "the greeting")
    if start is Start.PLAIN:
        return await ehlo(connection, settings)
    if connection.target.tls is TLSMode.STARTTLS:
        await ehlo(connection, settings)
        await connection.write(b"STARTTLS\r\n")
        await expect(connection, "220", "STARTTLS")
        await connection.start_tls()
    if start is Start.GREETING:
        return None
    reply = await ehlo(connection, settings)
    if settings.user is not None:
        await authenticate(connection, reply, settings)
    return reply


async def ehlo(connection: Connection, settings: Settings) -> Outcome:
    """EHLO and its 250, or `OpeningError`."""
    await connection.write(f"EHLO {settings.ehlo_name}\r\n".encode("latin-1"))
    return await expect(connection, "250", "EHLO")


async def expect(connection: Connection, code: str, what: str) -> Outcome:
    """The reply with *code* to *what*, or `OpeningError`."""
    outcome = await connection.outcome()
    if outcome.word != code:
        raise OpeningError(
            f"{code} to {what}" if what[0].isupper() else f"{what} with {code}", outcome
        )
    return outcome


async def authenticate(connection: Connection, offers: Outcome, settings: Settings) -> None:
    """AUTH by PLAIN, or by LOGIN if *offers* has only that; 235, or `OpeningError`."""
    user, password = settings.user or "", settings.password or ""
    lines = offers.reply.lines if offers.reply else ()
    offered = {
        word.upper() for line in lines if line.upper().startswith(b"AUTH") for word in line.split()
    }
    if b"PLAIN" in offered or b"LOGIN" not in offered:
        response = base64.b64encode(f"\0{user}\0{password}".encode())
        await connection.write(b"AUTH PLAIN " + response + b"\r\n")
    else:
        await connection.write(b"AUTH LOGIN\r\n")
        for secret in (user, password):
            await expect(connection, "334", "AUTH LOGIN")
            await connection.write(base64.b64encode(secret.encode()) + b"\r\n", secret=True)
    await expect(connection, "235", "AUTH")
