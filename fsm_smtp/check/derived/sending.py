"""An input of the model as octets on a connection."""

from fsm_smtp.check.cases.template import render
from fsm_smtp.check.engine.connection import Connection
from fsm_smtp.check.engine.outcome import Outcome
from fsm_smtp.check.engine.session import Settings
from fsm_smtp.owed import Input, word_of

#: The mode that an input goes through when TLS comes up behind its reply.
HANDSHAKE = "handshake"


class Sender:
    """Writes inputs; reads no reply."""

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self._connection = connection
        self._values = settings.values()

    async def send(self, *symbols: Input) -> None:
        """Write the lines of *symbols*, each with CRLF, and their octets behind them, at once."""
        await self._connection.write(b"".join(map(self.octets, symbols)))

    def octets(self, symbol: Input) -> bytes:
        """What *symbol* sends."""
        octets = symbol.octets.encode("latin-1")
        known = {**self._values, "octets": str(len(octets))}
        lines = (render(line, known).encode("latin-1") + b"\r\n" for line in symbol.lines)
        return b"".join(lines) + octets

    async def secure(self, symbol: Input, outcome: Outcome) -> str | None:
        """The handshake, if *outcome* is the reply that begins it; why it failed, if it did."""
        if symbol.through != HANDSHAKE or word_of(outcome.word) not in symbol.after:
            return None
        done = await self._connection.handshake()
        return None if done.word == "secured" else f"the TLS handshake failed: {done.detail}"
