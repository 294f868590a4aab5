"""What can come from a server: a reply, or a word in place of one."""

from collections.abc import Sequence
from dataclasses import dataclass

from fsm_smtp.check.engine.transcript import MAX_SHOWN, Redaction, printable
from fsm_smtp.wire.replies import Reply


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came: a reply, or a word: ``closed``, ``silence``, ``malformed``, ``secured``, …

    Attributes:
        word: three digits, or the word.
        reply: the reply, if it is one.
        raw: its lines as they came, line ends included.
        detail: what is wrong, for ``malformed`` and ``unsecured``; the protocol, for ``secured``.
        waited: seconds that were waited, for ``silence``.
    """

    word: str
    reply: Reply | None = None
    raw: Sequence[bytes] = ()
    detail: str = ""
    waited: float = 0.0

    def __str__(self) -> str:
        return self.shown(Redaction())

    def shown(self, redaction: Redaction) -> str:
        """What came, in words, without secrets."""
        if self.reply is not None:
            first = printable(redaction.hide(self.raw[0].rstrip(b"\r\n")))
            shown = first if len(first) <= MAX_SHOWN else f"{first[:MAX_SHOWN]}…"
            more = len(self.raw) - 1
            return f"{shown} (and {more} more lines)" if more else shown
        return {
            "closed": "the server closed the connection",
            "silence": f"silence for {self.waited:g} s",
            "malformed": f"no readable reply: {self.detail}",
            "secured": f"TLS is up ({self.detail})",
            "unsecured": f"the TLS handshake failed: {self.detail}",
        }[self.word]
