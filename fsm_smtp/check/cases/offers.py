"""What a server offers in EHLO, and conditions on that, on TLS and on the run's credentials."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

#: Conditions that are not about EHLO.
CREDENTIALS, TLS, CLEAR = "credentials", "tls", "clear"
#: The parameter that stands for "a number above 0" (RFC 1870 §4: 0 is no limit).
LIMIT = "SIZE limit"
#: The same, for a number that can be exceeded.
SMALL_LIMIT = "SIZE small limit"
#: The keyword of RFC 9422, and its limits that a connection can come to.
LIMITS, LIMIT_NAMES = "LIMITS", ("MAILMAX", "RCPTMAX")

_CONDITION = re.compile(r"[A-Z0-9][A-Z0-9-]*(?: [\x21-\x7e]+)?\Z")


@dataclass(frozen=True, slots=True)
class Offers:
    """The keywords of one answer to EHLO, in upper case, each with its parameters."""

    keywords: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @classmethod
    def of(cls, lines: Iterable[str]) -> "Offers":
        """Of the lines behind the first, without their code (RFC 5321 §4.1.1.1)."""
        found: dict[str, tuple[str, ...]] = {}
        for line in lines:
            keyword, *parameters = line.upper().split() or [""]
            found[keyword] = (*found.get(keyword, ()), *parameters)
        return cls(found)

    @property
    def size(self) -> int | None:
        """The number that SIZE offers, ``None`` without one or with 0 (RFC 1870 §4)."""
        parameters = self.keywords.get("SIZE", ())
        if not parameters or not re.fullmatch(r"[0-9]{1,20}", parameters[0]):
            return None
        return int(parameters[0]) or None

    def limit(self, name: str) -> int | None:
        """The number of the limit *name*, ``None`` if none is given (RFC 9422 §4)."""
        for parameter in self.keywords.get(LIMITS, ()):
            given, _, value = parameter.partition("=")
            if given == name and re.fullmatch(r"[1-9][0-9]{0,5}", value):
                return int(value)
        return None


@dataclass(frozen=True, slots=True)
class Facts:
    """What holds on a session, as far as a case may ask.

    Attributes:
        offers: those in force.
        credentials: whether the run has a user and a password.
        tls: whether the session is under TLS.
    """

    offers: Offers = field(default_factory=Offers)
    credentials: bool = False
    tls: bool = False

    def after_ehlo(self, lines: Iterable[bytes]) -> "Facts":
        """These, once EHLO was answered with *lines* (without their code)."""
        _, *rest = lines
        return replace(self, offers=Offers.of(line.decode("latin-1") for line in rest))

    def under_tls(self) -> "Facts":
        """These, once TLS has come up; the offers stand until the next EHLO."""
        return replace(self, tls=True)


@dataclass(frozen=True, slots=True)
class Condition:
    """``KEYWORD``, ``KEYWORD PARAM``, ``SIZE limit``, ``credentials``, ``tls`` or ``clear``."""

    text: str

    @staticmethod
    def is_valid(text: str) -> bool:
        """Whether *text* is a condition at all."""
        return text in (CREDENTIALS, TLS, CLEAR) or _CONDITION.match(text) is not None

    @property
    def is_about_ehlo(self) -> bool:
        """Whether it is valid, and an answer to EHLO decides it."""
        return _CONDITION.match(self.text) is not None

    def holds(self, facts: Facts) -> bool:
        """Whether *facts* meet it."""
        match self.text:
            case "credentials":
                return facts.credentials
            case "tls":
                return facts.tls
            case "clear":
                return not facts.tls
            case "SIZE limit":
                return facts.offers.size is not None
            case _:
                return self._offered(facts)

    def _offered(self, facts: Facts) -> bool:
        keyword, _, parameter = self.text.partition(" ")
        parameters = facts.offers.keywords.get(keyword)
        return parameters is not None and (not parameter or parameter.upper() in parameters)

    def __str__(self) -> str:
        return self.text

    @property
    def wanted(self) -> str:
        """What is expected of a session where it must hold."""
        return _WANTED.get(self.text, f"{self.text} offered in EHLO")

    @property
    def unwanted(self) -> str:
        """What is expected of a session where it must not hold."""
        return _UNWANTED.get(self.text, f"no {self.text} in EHLO")

    @property
    def absent(self) -> str:
        """What is the matter where it does not hold."""
        return _ABSENT.get(self.text, f"{self.text} is not offered")

    @property
    def present(self) -> str:
        """What is the matter where it holds."""
        return _PRESENT.get(self.text, f"{self.text} is offered")


_WANTED = {
    CREDENTIALS: "a user and a password to try (--user, --password)",
    TLS: "a session under TLS",
    CLEAR: "a session without TLS",
    SMALL_LIMIT: "a limit of at most 1 MiB behind SIZE",
}
_UNWANTED = {
    CREDENTIALS: "a run without credentials",
    TLS: _WANTED[CLEAR],
    CLEAR: _WANTED[TLS],
}
_ABSENT = {
    CREDENTIALS: "the run has none",
    TLS: "this one is in clear",
    CLEAR: "this one is under TLS",
    LIMIT: "SIZE with a limit is not offered",
    SMALL_LIMIT: "so much is not sent",
}
_PRESENT = {
    CREDENTIALS: "this one has some",
    TLS: _ABSENT[CLEAR],
    CLEAR: _ABSENT[TLS],
    LIMIT: "SIZE with a limit is offered",
}
