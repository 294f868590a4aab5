"""Opening a session for a case: the greeting, EHLO, TLS and AUTH as the run wants them."""

import base64
import re
from dataclasses import dataclass, field

from fsm_smtp.check.case import Start
from fsm_smtp.check.connection import Connection, Outcome, Target, TLSMode
from fsm_smtp.check.events import ServerInfo
from fsm_smtp.errors import TargetUnreachable


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
        quiet: seconds without a reply that count as silence.
        case_timeout: seconds for a case as a whole.
        jobs: cases at a time.
    """

    sender: str = "sender@client.example.test"
    recipient: str = "rcpt@example.test"
    unknown_recipient: str = "no-such-mailbox-here@example.test"
    ehlo_name: str = "client.example.test"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 10.0
    quiet: float = 1.0
    case_timeout: float = 120.0
    jobs: int = 4

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
            "n": "1",
        }


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


async def open_session(connection: Connection, start: Start, settings: Settings) -> None:
    """Bring a connected *connection* to where the steps of a case begin.

    Raises:
        OpeningError: the server does not let us get there.
        TargetUnreachable: the TLS handshake failed.
    """
    if start is Start.RAW:
        return
    await _expect(connection, "220", "the greeting")
    if connection.target.tls is TLSMode.STARTTLS:
        await _ehlo(connection, settings)
        await connection.write(b"STARTTLS\r\n")
        await _expect(connection, "220", "STARTTLS")
        await connection.start_tls()
    if start is Start.EHLO:
        reply = await _ehlo(connection, settings)
        if settings.user is not None:
            await _authenticate(connection, reply, settings.user, settings.password or "")


async def probe(target: Target, settings: Settings) -> ServerInfo:
    """Greeting and EHLO of the target, as a first look.

    Raises:
        TargetUnreachable: no connection, no greeting, or one that is not SMTP's.
    """
    connection = Connection(target, settings.timeout)
    await connection.open()
    try:
        greeting = await connection.outcome()
        if greeting.word == "silence":
            hint = "" if target.tls is TLSMode.IMPLICIT else "; does this port want --tls?"
            raise TargetUnreachable(str(target), f"no greeting: {greeting}{hint}")
        if greeting.word == "closed":
            raise TargetUnreachable(str(target), "it closed the connection without a greeting")
        first = greeting.raw[0] if greeting.raw else b""
        if greeting.word == "malformed" and not re.match(rb"[ +-]?[0-9]", first):
            raise TargetUnreachable(str(target), f"this is no SMTP server: {greeting.detail}")
        return await _offers(connection, _text_of(greeting), greeting, settings)
    finally:
        await connection.close()


async def _offers(
    connection: Connection, text: str, greeting: Outcome, settings: Settings
) -> ServerInfo:
    if greeting.word != "220":
        return ServerInfo(text)
    try:
        if connection.target.tls is TLSMode.STARTTLS:
            await _ehlo(connection, settings)
            await connection.write(b"STARTTLS\r\n")
            await _expect(connection, "220", "STARTTLS")
            await connection.start_tls()
        reply = await _ehlo(connection, settings)
    except OpeningError as refused:
        if connection.target.tls is TLSMode.STARTTLS:
            raise TargetUnreachable(str(connection.target), str(refused)) from refused
        return ServerInfo(text)
    lines = reply.reply.lines if reply.reply else ()
    return ServerInfo(text, tuple(line.decode("latin-1") for line in lines))


def _text_of(outcome: Outcome) -> str:
    return "\n".join(line.rstrip(b"\r\n").decode("latin-1") for line in outcome.raw)


async def _ehlo(connection: Connection, settings: Settings) -> Outcome:
    await connection.write(f"EHLO {settings.ehlo_name}\r\n".encode("latin-1"))
    return await _expect(connection, "250", "EHLO")


async def _expect(connection: Connection, code: str, what: str) -> Outcome:
    outcome = await connection.outcome()
    if outcome.word != code:
        raise OpeningError(
            f"{code} to {what}" if what[0].isupper() else f"{what} with {code}", outcome
        )
    return outcome


async def _authenticate(connection: Connection, ehlo: Outcome, user: str, password: str) -> None:
    lines = ehlo.reply.lines if ehlo.reply else ()
    offered = {
        word.upper() for line in lines if line.upper().startswith(b"AUTH") for word in line.split()
    }
    if b"PLAIN" in offered or b"LOGIN" not in offered:
        response = base64.b64encode(f"\0{user}\0{password}".encode())
        await connection.write(b"AUTH PLAIN " + response + b"\r\n")
    else:
        await connection.write(b"AUTH LOGIN\r\n")
        for secret in (user, password):
            await _expect(connection, "334", "AUTH LOGIN")
            await connection.write(base64.b64encode(secret.encode()) + b"\r\n", secret=True)
    await _expect(connection, "235", "AUTH")
