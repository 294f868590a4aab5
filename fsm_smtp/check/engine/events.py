"""What the runner emits, in this order; reporters listen to nothing else."""

from dataclasses import dataclass, replace
from datetime import datetime

from fsm_smtp.check.cases.case import Case, Verdict


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What the server said of itself.

    Attributes:
        greeting: the text of the greeting, code included.
        ehlo: the lines of the answer to EHLO, without their code; empty if it was refused.
        first_ehlo: those of the first EHLO on a fresh connection, before STARTTLS.
    """

    greeting: str
    ehlo: tuple[str, ...] = ()
    first_ehlo: tuple[str, ...] = ()

    @property
    def extensions(self) -> frozenset[str]:
        """The keywords that EHLO listed, in upper case."""
        return frozenset(line.split(" ", 1)[0].upper() for line in self.ehlo[1:])


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The verdict of one case.

    Attributes:
        case: the case.
        verdict: its verdict.
        expected: what was allowed, at the step that decided.
        actual: what came.
        transcript: the session, credentials redacted.
        duration_s: seconds from connecting to the verdict.
        also: requirements beside the case's own that were broken on the way (a connection
            closed where it must not be, a reply that nobody asked for or could read).
        policy: the policy that masks the case, if one was recognised; see `policy`.
    """

    case: Case
    verdict: Verdict
    expected: str
    actual: str
    transcript: tuple[str, ...] = ()
    duration_s: float = 0.0
    also: tuple[str, ...] = ()
    policy: str = ""

    @property
    def requirements(self) -> tuple[str, ...]:
        """All requirements that the verdict is about, the case's own first."""
        return tuple(dict.fromkeys((*self.case.requirements, *self.also)))

    def judged(self, *, strict: bool) -> "CaseResult":
        """The same in a *strict* run, or in another: there a recommendation that is not followed
        fails."""
        if strict and self.verdict is Verdict.WARN:
            return replace(self, verdict=Verdict.FAIL)
        return self


@dataclass(frozen=True, slots=True)
class SuiteStarted:
    """The server answers; the cases follow.

    Attributes:
        rtt_s: seconds of the shortest round trip that was measured.
        quiet_s: seconds without a reply that count as silence in this run.
        notes: what the first look has found that masks cases, in sentences that say what to do.
    """

    target: str
    version: str
    started: datetime
    server: ServerInfo
    cases: int
    rtt_s: float = 0.0
    quiet_s: float = 0.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseStarted:
    """A case begins; others may be under way."""

    case: Case


@dataclass(frozen=True, slots=True)
class CaseFinished:
    """A case has its verdict, *at_s* seconds after the suite began."""

    result: CaseResult
    at_s: float


@dataclass(frozen=True, slots=True)
class SuiteFinished:
    """Nothing more follows. Results stand in the order of the suite.

    Attributes:
        notes: those of the start, and what happened later.
    """

    results: tuple[CaseResult, ...]
    duration_s: float
    notes: tuple[str, ...] = ()


Event = SuiteStarted | CaseStarted | CaseFinished | SuiteFinished
