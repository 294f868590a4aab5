"""The first look at a server: its greeting and what it offers."""

import re

from fsm_smtp.check.connection import Connection, Outcome, Target, TLSMode
from fsm_smtp.check.events import ServerInfo
from fsm_smtp.check.session import OpeningError, Settings, ehlo, expect
from fsm_smtp.errors import TargetUnreachable


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
    first: tuple[str, ...] = ()
    try:
        reply = await ehlo(connection, settings)
        first = _lines(reply)
        if connection.target.tls is TLSMode.STARTTLS:
            await connection.write(b"STARTTLS\r\n")
            await expect(connection, "220", "STARTTLS")
            await connection.start_tls()
            reply = await ehlo(connection, settings)
    except OpeningError as refused:
        if connection.target.tls is TLSMode.STARTTLS:
            raise TargetUnreachable(str(connection.target), str(refused)) from refused
        return ServerInfo(text)
    return ServerInfo(text, _lines(reply), first)


def _lines(outcome: Outcome) -> tuple[str, ...]:
    lines = outcome.reply.lines if outcome.reply else ()
    return tuple(line.decode("latin-1") for line in lines)


def _text_of(outcome: Outcome) -> str:
    return "\n".join(line.rstrip(b"\r\n").decode("latin-1") for line in outcome.raw)
