"""The first look at a server: who it is, what it offers, how far away it is, whether it takes us.

One session: greeting, EHLO, what the run asks for (STARTTLS, AUTH), two NOOPs for their round trip,
then a transaction that is not carried out, to find out early whether the run's addresses will do.
"""

import asyncio
import re
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from fsm_smtp.check.engine.connection import Connection, Target, TLSMode
from fsm_smtp.check.engine.events import ServerInfo
from fsm_smtp.check.engine.outcome import Outcome
from fsm_smtp.check.engine.pace import Pace, pace_of
from fsm_smtp.check.engine.policy import ADVICE, Findings, Policy, refusal
from fsm_smtp.check.engine.presence import RETRY_AFTER
from fsm_smtp.check.engine.session import OpeningError, Settings, authenticate, ehlo, expect
from fsm_smtp.errors import TargetUnreachable

#: Seconds that a NOOP is waited for at least: it only measures.
_NOOP_WAIT = 2.0
#: Replies that take longer than this, in seconds, and than so many round trips, are slow.
_SLOW = 1.0
_SLOW_ROUND_TRIPS = 5
#: Seconds that something which does not greet is given to show what it is.
_SNIFF = 1.0


@dataclass(frozen=True, slots=True)
class Look:
    """What the first look has found.

    Attributes:
        server: what the server says of itself.
        pace: of the run, by the round trips that were measured.
        findings: policies that refuse the run's addresses.
        notes: what masks cases, in sentences that say what to do.
    """

    server: ServerInfo
    pace: Pace
    findings: Findings = field(default_factory=Findings)
    notes: tuple[str, ...] = ()


async def first_look(target: Target, settings: Settings) -> Look:
    """Greeting, offers, pace and policies of the target.

    Raises:
        TargetUnreachable: no connection, no greeting, or one that is not SMTP's.
    """
    try:
        return await _Survey(target, settings).run()
    except TargetUnreachable as error:
        if not isinstance(error.__cause__, ConnectionError):
            raise
    # A busy server, or a link that loses connections, may take the next one.
    await asyncio.sleep(RETRY_AFTER)
    return await _Survey(target, settings).run()


class _Survey:
    def __init__(self, target: Target, settings: Settings) -> None:
        self._settings = settings
        self._connection = Connection(target, settings.timeout)
        self._redaction = settings.redaction()
        self._round_trips: list[float] = []
        self._slowest = 0.0
        self._notes: list[str] = []
        self._first: tuple[str, ...] = ()
        self._offers: tuple[str, ...] = ()
        self._findings = Findings()

    async def run(self) -> Look:
        await self._connection.open()
        try:
            greeting = await self._greeting()
            text = "\n".join(line.rstrip(b"\r\n").decode("latin-1") for line in greeting.raw)
            if greeting.word == "220":
                await self._look_around()
            else:
                self._note(f"the session is refused: {self._shown(greeting)}")
        finally:
            await self._connection.close()
        pace = pace_of(self._round_trips, self._settings.timeout, self._settings.quiet)
        if self._slowest > max(_SLOW, _SLOW_ROUND_TRIPS * pace.rtt):
            self._note(
                f"a reply took {self._slowest:.1f} s, which is not the link's doing: the server is"
                " busy, or slow on purpose to strangers"
            )
        server = ServerInfo(text, self._offers, self._first)
        return Look(server, pace, self._findings, tuple(self._notes))

    async def _greeting(self) -> Outcome:
        connection = self._connection
        greeting = await self._timed(connection.outcome())
        first = greeting.raw[0] if greeting.raw else b""
        if greeting.word == "silence":
            raise await self._silent(greeting)
        if greeting.word == "closed":
            cut = ConnectionResetError("no greeting")
            raise self._unreachable("it closed the connection without a greeting") from cut
        if greeting.word == "malformed" and not re.match(rb"[ +-]?[0-9]", first):
            raise self._unreachable(f"this is no SMTP server: {greeting.detail}")
        return greeting

    async def _silent(self, greeting: Outcome) -> TargetUnreachable:
        """Who says nothing by itself: a web server and TLS both wait for the client."""
        connection = self._connection
        await connection.write(f"EHLO {self._settings.ehlo_name}\r\n".encode("latin-1"))
        answer = await connection.outcome(min(_SNIFF, self._settings.timeout))
        first = answer.raw[0] if answer.raw else b""
        if first.startswith(b"HTTP/"):
            return self._unreachable("this is no SMTP server: a web server answers (HTTP)")
        hint = "" if connection.target.tls is TLSMode.IMPLICIT else "; does this port want --tls?"
        return self._unreachable(f"no greeting: {greeting}{hint}")

    async def _look_around(self) -> None:
        starttls = self._connection.target.tls is TLSMode.STARTTLS
        try:
            offers = await self._timed(ehlo(self._connection, self._settings), measures=True)
            self._first = self._offers = _lines(offers)
            if starttls:
                await self._connection.write(b"STARTTLS\r\n")
                await expect(self._connection, "220", "STARTTLS")
                await self._connection.start_tls()
                offers = await ehlo(self._connection, self._settings)
                self._offers = _lines(offers)
        except OpeningError as refused:
            if starttls:
                why = f"no session under TLS: {refused.wanted}, but {self._shown(refused.outcome)}"
                raise self._unreachable(why) from refused
            self._note(f"the session cannot be opened: {self._shown(refused.outcome)}")
            return
        if await self._measure() and await self._let_in(offers):
            await self._ask_for_a_transaction()
            await self._connection.write(b"QUIT\r\n")
            await self._connection.outcome(_SNIFF)

    async def _measure(self) -> bool:
        """Two NOOPs; whether they were answered."""
        limit = min(self._settings.timeout, max(_NOOP_WAIT, 4 * max(self._round_trips)))
        for _ in range(2):
            await self._connection.write(b"NOOP\r\n")
            outcome = await self._timed(self._connection.outcome(limit), measures=True)
            if outcome.reply is None:
                # Not of a round trip, then; the cases will tell what is wrong.
                self._round_trips.pop()
                return False
        return True

    async def _let_in(self, offers: Outcome) -> bool:
        if self._settings.user is None:
            return True
        try:
            await authenticate(self._connection, offers, self._settings)
        except OpeningError as refused:
            self._note(f"AUTH is refused: {self._shown(refused.outcome)}: see --user, --password")
            return False
        return True

    async def _ask_for_a_transaction(self) -> None:
        settings = self._settings
        sender = await self._taken(f"MAIL FROM:<{settings.sender}>")
        self._findings = Findings(sender, None, settings.recipient)
        if sender is None:
            recipient = await self._taken(f"RCPT TO:<{settings.recipient}>")
            self._findings = Findings(None, recipient, settings.recipient)
            if recipient is None:
                await self._unknown(settings.unknown_recipient)
        await self._ask("RSET")

    async def _taken(self, line: str) -> Policy | None:
        """``None`` if *line* is taken, or nothing lasting speaks against it."""
        outcome = await self._ask(line)
        if outcome.reply is None or outcome.word.startswith("2"):
            return None
        policy = refusal(line.encode("latin-1"), outcome.reply)
        what = line.split(":", maxsplit=1)[0]
        self._note(f"{what} is answered {self._shown(outcome)}: {ADVICE[policy]}")
        # What is only deferred may be taken a moment later.
        return policy if outcome.word.startswith("5") else None

    async def _unknown(self, recipient: str) -> None:
        outcome = await self._ask(f"RCPT TO:<{recipient}>")
        if outcome.word.startswith("2"):
            self._note(
                f"RCPT TO:<{recipient}> is taken: cases on refused recipients say nothing; name"
                " one that is refused, with --unknown-recipient"
            )

    async def _ask(self, line: str) -> Outcome:
        await self._connection.write(f"{line}\r\n".encode("latin-1"))
        outcome = await self._timed(self._connection.outcome())
        if outcome.word == "silence":
            what, limit = line.split(":", maxsplit=1)[0], self._settings.timeout
            self._note(f"no reply to {what} within {limit:g} s: more --timeout may help")
        return outcome

    async def _timed(
        self, waiting: Coroutine[Any, Any, Outcome], *, measures: bool = False
    ) -> Outcome:
        began = time.monotonic()
        outcome = await waiting
        took = time.monotonic() - began
        if measures:
            self._round_trips.append(took)
        if outcome.reply is not None:
            self._slowest = max(self._slowest, took)
        return outcome

    def _shown(self, outcome: Outcome) -> str:
        return outcome.shown(self._redaction)

    def _note(self, what: str) -> None:
        self._notes.append(what)

    def _unreachable(self, why: str) -> TargetUnreachable:
        return TargetUnreachable(str(self._connection.target), why)


def _lines(outcome: Outcome) -> tuple[str, ...]:
    lines = outcome.reply.lines if outcome.reply else ()
    return tuple(line.decode("latin-1") for line in lines)
