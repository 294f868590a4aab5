"""How a guard behaves: whether it blocks, and how strict it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fsm_smtp.guard.findings import Finding


@dataclass(frozen=True, slots=True)
class GuardOptions:
    """What a guard does with what it finds.

    Attributes:
        mode: ``"enforce"`` raises before an octet moves, and ends the session when the server
            breaks the protocol; ``"record"`` reports and blocks nothing.
        grammar: addresses, parameters and lengths against their grammar are recorded
            (``"record"``) or refused like anything else (``"strict"``). Other people's clients
            send what is merely untidy.
        replies: untidy replies (`fsm_smtp.wire.replies` names them) are recorded (``"tolerant"``)
            or break the session (``"strict"``). What two readers could understand differently is
            refused in either case.
        require_tls: AUTH and MAIL are illegal before TLS is up (the overlay of that name).
        on_finding: called with every `Finding`, also with those that are raised afterwards.
    """

    mode: Literal["enforce", "record"] = "enforce"
    grammar: Literal["record", "strict"] = "record"
    replies: Literal["tolerant", "strict"] = "tolerant"
    require_tls: bool = False
    on_finding: Callable[[Finding], None] | None = None

    @property
    def enforces(self) -> bool:
        """Whether what breaks the protocol is blocked."""
        return self.mode == "enforce"


DEFAULTS = GuardOptions()
