"""Policies of servers, known by their usual words: they mask what a case is about.

A reply that refuses for a reason of policy says nothing about the protocol. The words are those of
servers in wide use; enhanced status codes are RFC 3463's and RFC 7372's. What is about the given
sender or recipient counts only if the survey has found it so: see `Findings`.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from fsm_smtp.wire.replies import Reply


class Policy(StrEnum):
    """A reason to refuse that is not about the protocol."""

    GREYLISTING = "greylisting"
    THROTTLING = "throttling"
    CONNECTIONS = "too many connections"
    AUTHENTICATION = "authentication demanded"
    TLS = "TLS demanded"
    RELAY = "relay refused"
    SENDER = "sender refused"
    RECIPIENT = "recipient refused"


#: What to do about it, for the notes of a run.
ADVICE = {
    Policy.GREYLISTING: "the server greylists: run again later, or with more patience",
    Policy.THROTTLING: "the server limits the rate: run with --jobs 1, or let this host be exempt",
    Policy.CONNECTIONS: "the server limits connections: run with --jobs 1",
    Policy.AUTHENTICATION: "the server wants authentication first: --user and --password",
    Policy.TLS: "the server wants TLS first: --starttls or --tls",
    Policy.RELAY: "the server does not take mail for the recipient from here: name one that"
    " exists there, with --recipient, or authenticate",
    Policy.SENDER: "the sender is refused: name one that is taken there, with --sender",
    Policy.RECIPIENT: "the recipient is refused: name one that exists there, with --recipient",
}


@dataclass(frozen=True, slots=True)
class Findings:
    """What the survey has found of the run's addresses.

    Attributes:
        sender: the policy that refuses the sender, or ``None``.
        recipient: the policy that refuses the recipient, or ``None``.
        address: the recipient.
    """

    sender: Policy | None = None
    recipient: Policy | None = None
    address: str = ""


_DEFERRED = frozenset({421, 450, 451, 452})
#: Verbs at which greylisting happens; the end of data is ``.``.
_TRANSACTION = frozenset({"MAIL", "RCPT", "DATA", "BDAT", "."})

_GREY = re.compile(
    r"gr[ae]y[- ]?list|\b4\.7\.1\b|first (?:time|contact)|(?:come|try) (?:back|again) in \d"
    r"|retry (?:in|after) \d|postgrey",
    re.IGNORECASE,
)
_CROWD = re.compile(
    r"too many (?:\w+ ){0,3}(?:connections|sessions|clients|processes)"
    r"|(?:connection|session) (?:count|limit|rate)|max\w* (?:\w+ )*connections",
    re.IGNORECASE,
)
_RATE = re.compile(
    r"rate[- ]?limit|throttl|slow down|too (?:fast|frequent)|limit exceeded|exceeded (?:\w+ )*rate"
    r"|too many (?:\w+ ){0,3}(?:messages|mails|errors|commands|failures|requests)",
    re.IGNORECASE,
)
_LOG_IN = re.compile(
    r"auth\w* (?:is )?(?:required|needed)|must (?:first )?(?:authenticate|log ?in)|log ?in first"
    r"|(?:requires?|needs?|without) (?:\w+ )?auth\w*|auth\w* first|smtp auth\b",
    re.IGNORECASE,
)
_SECURE = re.compile(
    r"starttls|(?:tls|ssl|encrypt\w*) (?:\w+ )*(?:required|needed|first|mandatory)"
    r"|(?:must|requires?|needs?) (?:\w+ )*(?:tls|ssl|encrypt\w*)",
    re.IGNORECASE,
)
_RELAY = re.compile(r"relay|\b5\.7\.1\b|not (?:permitted|authori[sz]ed|local)", re.IGNORECASE)
_CLOCK = re.compile(r"\b(\d{1,2}):(\d\d)\b")
_ASKED = re.compile(
    r"(?:in|after|for|retry[- ]?after[:=]?)\s*(\d{1,5})\s*(m\b|min)?", re.IGNORECASE
)


def recognised(command: bytes, reply: Reply, findings: Findings) -> Policy | None:
    """The policy that speaks from *reply* to *command* (``b"."`` for the end of data), if any."""
    verb = command.split(b" ", 1)[0].strip().upper().decode("latin-1")
    text = b" ".join(reply.lines).decode("latin-1")
    deferred = reply.code in _DEFERRED or reply.code == 554
    if deferred and (passing := _for_now(verb, reply.code, text)):
        return passing
    if verb in ("AUTH", "STARTTLS"):
        return None
    if reply.code == 530:
        return Policy.TLS if _SECURE.search(text) else Policy.AUTHENTICATION
    if reply.code in (550, 553, 554) and re.match(r"5\.7\.\d", text):
        if _SECURE.search(text):
            return Policy.TLS
        if _LOG_IN.search(text):
            return Policy.AUTHENTICATION
    return _about_addresses(verb, command, reply.code, findings)


def _for_now(verb: str, code: int, text: str) -> Policy | None:
    """The policies that pass with time."""
    if _CROWD.search(text):
        return Policy.CONNECTIONS
    if code in _DEFERRED and _RATE.search(text):
        return Policy.THROTTLING
    if code in (450, 451) and verb in _TRANSACTION and _GREY.search(text):
        return Policy.GREYLISTING
    return None


def _about_addresses(verb: str, command: bytes, code: int, findings: Findings) -> Policy | None:
    if code < 400 or code == 421:
        return None
    if verb == "MAIL":
        return findings.sender
    if verb == "RCPT" and findings.address.encode("latin-1").lower() in command.lower():
        return findings.recipient
    return None


def refusal(command: bytes, reply: Reply) -> Policy:
    """The policy with which the survey's MAIL or RCPT was refused."""
    if policy := recognised(command, reply, Findings()):
        return policy
    if command[:4].upper() == b"MAIL":
        return Policy.SENDER
    text = b" ".join(reply.lines).decode("latin-1")
    return Policy.RELAY if reply.code >= 500 and _RELAY.search(text) else Policy.RECIPIENT


def wait_asked(text: str) -> float | None:
    """The seconds that a reply asks us to wait (``in 300 seconds``, ``05:00``), if it says so."""
    if clock := _CLOCK.search(text):
        return 60.0 * int(clock[1]) + int(clock[2])
    if found := _ASKED.search(text):
        return float(found[1]) * (60 if found[2] else 1)
    return None
