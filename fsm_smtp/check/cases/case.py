"""A conformance case as data: what is sent, which outcomes are allowed, what each one means."""

import re
from dataclasses import dataclass
from enum import StrEnum

from fsm_smtp.check.cases.offers import Condition


class Verdict(StrEnum):
    """What a case says about the server. The names are part of the JSON contract."""

    #: The requirement is kept.
    PASS = "pass"
    #: A requirement (MUST) is broken.
    FAIL = "fail"
    #: A recommendation (SHOULD) is not followed.
    WARN = "warn"
    #: The RFC leaves it open, and the server chose the less usual way.
    LATITUDE = "latitude"
    #: Worth knowing, neither right nor wrong.
    INFO = "info"
    #: Needs an extension that the server does not offer.
    SKIP = "skip"
    #: Masked by an earlier refusal or by policy: the case never came to its point.
    INCONCLUSIVE = "inconclusive"
    #: No reply in time.
    TIMEOUT = "timeout"
    #: A mistake of ours.
    ERROR = "error"

    @property
    def weight(self) -> int:
        """Of the verdicts of several steps the heaviest is the verdict of the case."""
        return _WEIGHT.index(self)

    @property
    def goes_on(self) -> bool:
        """Whether the steps behind this one still say something."""
        return self in (Verdict.PASS, Verdict.INFO, Verdict.LATITUDE, Verdict.WARN)


_WEIGHT = (
    Verdict.PASS,
    Verdict.INFO,
    Verdict.LATITUDE,
    Verdict.WARN,
    Verdict.SKIP,
    Verdict.INCONCLUSIVE,
    Verdict.TIMEOUT,
    Verdict.ERROR,
    Verdict.FAIL,
)


class Level(StrEnum):
    """How strongly the RFC puts the requirement (RFC 2119; MUST NOT counts as MUST)."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"

    @property
    def violated(self) -> Verdict:
        """The verdict on an outcome that a case does not list."""
        return _VIOLATED[self]


_VIOLATED = {Level.MUST: Verdict.FAIL, Level.SHOULD: Verdict.WARN, Level.MAY: Verdict.INFO}


class Start(StrEnum):
    """How far the session is opened before the first step."""

    #: Connected; nothing was read.
    RAW = "raw"
    #: The greeting was read, and was 220; behind STARTTLS, if the run asks for that.
    GREETING = "greeting"
    #: The same, and EHLO was answered 250, without the STARTTLS and AUTH that the run asks for.
    PLAIN = "plain"
    #: EHLO was answered 250, behind the STARTTLS and AUTH that the run asks for.
    EHLO = "ehlo"


class Action(StrEnum):
    """What a step does."""

    #: Lines on the way to the point of the case: a refusal makes it inconclusive.
    SETUP = "setup"
    #: One command line; CRLF is added.
    SEND = "send"
    #: Octets as they stand, each item in a write of its own.
    RAW = "raw"
    #: Several command lines in one write.
    PIPELINE = "pipeline"
    #: Content: lines made canonical, dots stuffed, the end of data added.
    MESSAGE = "message"
    #: BDAT with its octets, in one write (RFC 3030 §2).
    CHUNK = "chunk"
    #: Nothing: what comes next is judged.
    AWAIT = "await"
    #: The TLS handshake (RFC 3207 §4).
    TLS = "tls"
    #: Nothing is written or judged for some seconds.
    PAUSE = "pause"
    #: Our side ends the connection.
    DROP = "drop"
    #: Steps that share a condition.
    GROUP = "group"


#: Outcomes that are no reply.
WORDS = ("any", "closed", "silence", "malformed", "secured", "unsecured")
#: Replies that tell of policy or of the end of the service, not of the point of a case: no class
#: (``4yz``, ``5yz``) has them (RFC 5321 §3.8, RFC 3207 §4, RFC 4954 §6).
POLICY = (421, 530)

_CODE = re.compile(r"[2-5](?:[0-5](?:[0-9]|z)|yz)\Z")


@dataclass(frozen=True, slots=True)
class Pattern:
    """An outcome, or a set of them: ``250``, ``50z``, ``5yz``, ``any``, ``closed``, …"""

    text: str

    @staticmethod
    def is_valid(text: str) -> bool:
        """Whether *text* is a pattern at all."""
        return text in WORDS or _CODE.match(text) is not None

    def matches(self, outcome: str) -> bool:
        """Whether *outcome* (a three-digit code, or one of the words) is in the set."""
        if self.text == outcome:
            return True
        if not outcome.isdigit():
            return False
        if self.text == "any":
            return outcome != "421"
        if int(outcome) in POLICY:
            return False
        return self.text not in WORDS and outcome.startswith(self.text.rstrip("yz"))


@dataclass(frozen=True, slots=True)
class Expectation:
    """The allowed outcomes of one wait, as sets by verdict; the first that matches counts."""

    sets: tuple[tuple[Verdict, tuple[Pattern, ...]], ...]
    otherwise: Verdict

    def judge(self, outcome: str) -> Verdict | None:
        """The verdict on a listed outcome, ``None`` for one that no set lists."""
        for verdict, patterns in self.sets:
            if any(pattern.matches(outcome) for pattern in patterns):
                return verdict
        return None

    def lists(self, word: str) -> bool:
        """Whether *word* stands in a set by its own name."""
        return any(pattern.text == word for _, patterns in self.sets for pattern in patterns)

    def __str__(self) -> str:
        passed = self._named(Verdict.PASS)
        left_open = self._named(Verdict.LATITUDE)
        refused = " or ".join(filter(None, (self._named(Verdict.FAIL), self._named(Verdict.WARN))))
        if refused and passed == _IN_WORDS["any"]:
            passed = ""
        said = passed or (f"anything but {refused}" if refused else "anything")
        return f"{said} (the RFC leaves open: {left_open})" if left_open else said

    def _named(self, wanted: Verdict) -> str:
        return " or ".join(
            _IN_WORDS.get(pattern.text, pattern.text)
            for verdict, patterns in self.sets
            if verdict is wanted
            for pattern in patterns
        )


_IN_WORDS = {
    "any": "any reply",
    "closed": "a closed connection",
    "malformed": "an unreadable reply",
    "secured": "TLS",
    "unsecured": "a refused handshake",
}


#: Most rounds of one step: more would be load, not a check.
MAX_REPEAT = 1000
#: The session that a step is played on if it does not say.
FIRST_SESSION = "a"


@dataclass(frozen=True, slots=True)
class Step:
    """One write (or none) and the outcomes that are then awaited.

    Attributes:
        action: what the step does.
        texts: templates of what is written (see `template`); for a drop ``close`` or ``reset``.
        expects: one expectation for each reply that is awaited, in order.
        branches: steps that follow only if the last outcome is in the set.
        repeat: how often the step is played; ``{n}`` is the number of the round, from 1.
        limit: the limit of RFC 9422 that says so in the place of *repeat*, if there is one.
        wait: seconds after which nothing counts as ``silence``; ``None`` for the usual.
        form: names of checks that each reply must stand beside its code; see `forms`.
        when: conditions without which the step is left out.
        unless: conditions with which it is left out.
        session: the session it is played on, opened when it is first named.
        last: whether a chunk is the last one.
        declared: the size that a chunk claims, if not the true one.
        seconds: length of a pause.
        steps: the steps of a group.
    """

    action: Action
    texts: tuple[str, ...] = ()
    expects: tuple[Expectation, ...] = ()
    branches: tuple[tuple[tuple[Pattern, ...], tuple["Step", ...]], ...] = ()
    repeat: int = 1
    limit: str | None = None
    wait: float | None = None
    form: tuple[str, ...] = ()
    when: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    session: str = FIRST_SESSION
    last: bool = False
    declared: int | None = None
    seconds: float = 0.0
    steps: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One testable requirement of an RFC.

    Attributes:
        id: stable for ever, ``RFC-SECTION-words``.
        rfc: the RFC's number.
        section: its section.
        title: what that section is about.
        level: how strongly it is put.
        requirements: identifiers in the register of requirements.
        requirement: one sentence in our own words.
        start: how far the session is opened first.
        needs: conditions without which the case is skipped.
        lacks: conditions with which the case is skipped.
        steps: what is played.
        slow: seconds that the case takes by its nature; played only if the run has the time.
    """

    id: str
    rfc: str
    section: str
    title: str
    level: Level
    requirements: tuple[str, ...]
    requirement: str
    start: Start
    needs: tuple[Condition, ...]
    lacks: tuple[Condition, ...]
    steps: tuple[Step, ...]
    slow: float = 0.0
