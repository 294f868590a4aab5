"""What a guard knows of its connection, and how it reports: see `fsm_smtp.guard.core`."""

import logging
from collections import deque
from functools import lru_cache
from typing import Final

from fsm_smtp.ahead import Flight, Pipeline
from fsm_smtp.command import SMTPCommand
from fsm_smtp.configuration import Configuration
from fsm_smtp.counts import RepliesDue
from fsm_smtp.guard.content import ContentWatch
from fsm_smtp.guard.errors import ErrorMaker, error_for
from fsm_smtp.guard.findings import Finding, Kind
from fsm_smtp.guard.modes import Mode, modes_of
from fsm_smtp.guard.options import DEFAULTS, GuardOptions
from fsm_smtp.guard.recognise import Recognised, recogniser_of
from fsm_smtp.machine import ProtocolMachine, shared_machine
from fsm_smtp.wire import Offers, Reply, ReplyParser

#: Where findings go besides the callback.
log = logging.getLogger("fsm_smtp.guard")

#: How many lines of the session an error shows: an envelope and what led to it.
TAIL: Final = 12

_NOTHING: Final = Offers(b"", {})
#: The modes in which the quick paths may be taken.
PLAIN: Final = (Mode.LINE, Mode.CONTENT)


@lru_cache(maxsize=64)
def pipeline_of(machine: ProtocolMachine) -> Pipeline:
    """A machine's rules of running ahead, shared by all its guards."""
    return Pipeline(machine)


class Watching:
    """One connection of a client at a time, and what is found on it; arguments as of `Guard`."""

    __slots__ = (
        *("__weakref__", "_after_content", "_asked", "_before", "_calm", "_chunk", "_content"),
        *(
            "_end",
            "_errors",
            "_flight",
            "_held",
            "_here",
            "_machine",
            "_modes",
            "_offers",
            "_parser",
        ),
        *("_pipeline", "_queue", "_quick", "_recogniser", "_known", "_replies", "_said", "_stray"),
        *("_tail", "_unread", "_watch", "_words", "lost", "options"),
    )

    def __init__(
        self,
        options: GuardOptions = DEFAULTS,
        *,
        machine: ProtocolMachine | None = None,
        errors: ErrorMaker = error_for,
        lockstep: bool = False,
        lmtp: bool = False,
    ) -> None:
        if machine is None:
            chosen = {"require_tls": options.require_tls, "lmtp": lmtp}
            machine = shared_machine(tuple(name for name, wanted in chosen.items() if wanted))
        self._pipeline = None if lockstep else pipeline_of(machine)
        self.options = options
        self._machine = machine
        self._recogniser = recogniser_of(machine)
        self._known = self._recogniser.known
        self._said = self._recogniser.replies
        self._calm = self._recogniser.calm
        self._content = self._recogniser.content
        self._end = self._recogniser.end_of_data
        self._after_content = self._recogniser.after_content
        self._words = self._recogniser.vocabulary
        self._modes = modes_of(machine)
        self._errors = errors
        self._start()

    def _start(self) -> None:
        self._here = self._machine.space.start
        self._parser = ReplyParser(tolerant=self.options.replies == "tolerant")
        self._offers = _NOTHING
        self._before: Configuration = self._here  # the last command was sent
        self._asked: Recognised | None = None  # what the next reply answers
        self._flight: Flight | None = None  # what was sent ahead of replies
        self._queue: tuple[Recognised, ...] = ()  # the commands of the flight, oldest first
        self._replies = RepliesDue.of(self._machine.table)
        self._stray = False  # `_asked` was illegal, and only recorded
        self._tail: deque[Recognised | Reply | int | str] = deque(maxlen=TAIL)
        self._unread = False  # there are octets that nobody has asked for
        self._held: bytes = b""  # the beginning of a line, or of what may be the end of data
        self._watch: ContentWatch | None = None
        self._chunk: int = 0  # octets of a BDAT chunk that are still to come
        #: Whether what happens on this connection is beyond judgement (mode ``record`` only).
        self.lost = False
        self._quick = self._replies is None  # whether the quick paths may be taken

    def give_up(self) -> None:
        """Watch this connection no longer: what happens on it is beyond judgement."""
        self.lost = True
        self._quick = False

    def _look_again(self) -> None:
        """Whether the quick paths may be taken: nothing is half done, or out of the way."""
        self._quick = not (
            self.lost
            or self._unread
            or self._stray
            or self._held
            or self._chunk
            or self._watch is not None
            or self._flight is not None
            or self._replies is not None
            or self._parser.pending
            or self._modes[self._here] not in PLAIN
        )

    # -- what is so ------------------------------------------------------------------------------

    @property
    def configuration(self) -> Configuration:
        """The state and the memory, as far as replies have confirmed them."""
        return self._here

    @property
    def _expected(self) -> Configuration:
        """The configuration if every outstanding command succeeds."""
        return self._here if self._flight is None else self._flight.expected

    @property
    def state(self) -> SMTPCommand:
        """The state."""
        return self._here.command

    @property
    def legal(self) -> tuple[str, ...]:
        """The client triggers that are legal now."""
        return self._machine.legal(self._here)

    @property
    def offers(self) -> Offers:
        """What EHLO offered, as far as it is in force."""
        return self._offers if self._here["greeted"] == "ehlo" else _NOTHING

    @property
    def handshaking(self) -> bool:
        """Whether STARTTLS was accepted, and the TLS handshake is due."""
        return self._modes[self._here] is Mode.HANDSHAKE

    @property
    def transcript(self) -> tuple[str, ...]:
        """The last lines of the session, redacted."""
        lines: list[str] = []
        for entry in self._tail:
            if isinstance(entry, Recognised):
                lines.append(f"C: {entry.text}")
            elif isinstance(entry, Reply):
                lines += (f"S: {line}" for line in str(entry).split("\n"))
            elif isinstance(entry, int):
                lines.append(f"C: (content, {entry} octets)")
            else:
                lines.append(entry)
        return tuple(lines[-TAIL:])

    # -- findings --------------------------------------------------------------------------------

    def _find(
        self,
        kind: Kind,
        why: str,
        rfc: str,
        *,
        violation: bool = True,
        command: str | None = None,
        trigger: str | None = None,
        legal: tuple[str, ...] = (),
    ) -> None:
        """Something about the client."""
        finding = Finding(
            kind,
            violation,
            "client",
            self._here.state,
            command,
            trigger,
            legal,
            why,
            rfc,
            None,
            self.transcript,
        )
        self._settle(finding)

    def _reply_finding(
        self,
        kind: Kind,
        why: str,
        rfc: str,
        text: str,
        asked: Recognised | None,
        *,
        violation: bool,
        state: str | None = None,
    ) -> None:
        """Something about the server."""
        finding = Finding(
            kind,
            violation,
            "server",
            state or self._here.state,
            None if asked is None else asked.text,
            None if asked is None else asked.trigger,
            (),
            why,
            rfc,
            text,
            self.transcript,
        )
        self._settle(finding)

    def _settle(self, finding: Finding) -> None:
        """Report it, and raise it if it is to be blocked."""
        self._report(finding)
        if finding.violation and self.options.enforces:
            raise self._errors(finding)

    def _report(self, finding: Finding) -> None:
        quiet = self.options.enforces or not finding.violation
        log.log(logging.INFO if quiet else logging.WARNING, "%s", finding)
        if self.options.on_finding is not None:
            self.options.on_finding(finding)

    def _exposed(self, why: str, rfc: str, command: str | None = None) -> None:
        self._find(Kind.EXPOSED, why, rfc, violation=False, command=command)
