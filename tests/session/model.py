"""What the gate should do, worked out from the written rows alone; and acts to try it with."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from fsm_smtp.session import Session
from fsm_smtp.table import Row, Table, load_table
from fsm_smtp.verify.interpreter import Edge, Interpreter, Place
from fsm_smtp.wire import Command, commands, parse_command

#: In every credential, and in nothing else.
SECRET = "hunter2-correct-horse"
POLICIES = ((), ("no_auth_retry", "auth_wanted"), ("no_auth_retry", "require_tls"))


@dataclass(frozen=True)
class Act:
    """Something that somebody does, the trigger that it is, and the octets it may put out."""

    name: str
    trigger: str
    do: Callable[[Session], bytes]
    octets: bytes = b""


@dataclass(frozen=True)
class Said:
    """Octets from the server: one reply, half a reply, or what is none."""

    octets: bytes
    kind: Literal["reply", "half", "rubbish"]
    code: int = 0
    keywords: tuple[str, ...] = ()


def _sends(trigger: str, command: Command) -> Act:
    return Act(command.redacted, trigger, lambda session: session.send(command), command.line)


def _chunk(trigger: str, chunk: bytes, *, last: bool) -> Act:
    octets = b"BDAT %d%s\r\n" % (len(chunk), b" LAST" if last else b"") + chunk
    return Act(trigger, trigger, lambda session: session.send_chunk(chunk, last=last), octets)


def _link(trigger: str, do: Callable[[Session], object]) -> Act:
    def silently(session: Session) -> bytes:
        do(session)
        return b""

    return Act(trigger, trigger, silently)


def _content(chunk: bytes) -> Act:
    return Act("content", "send_content", lambda session: session.send_content(chunk), chunk)


ACTS = (
    _sends("send_ehlo", commands.ehlo("client.example.test")),
    _sends("send_helo", commands.helo("client.example.test")),
    _sends("send_starttls", commands.starttls()),
    _sends("send_auth", commands.auth("PLAIN", f"\0u\0{SECRET}".encode())),
    _sends("send_auth", commands.auth("LOGIN")),
    _sends("send_auth", parse_command(f"auth plain {SECRET}\r\n".encode())),
    _sends("send_response", commands.sasl_response(SECRET.encode())),
    _sends("send_cancel", commands.sasl_cancel()),
    _sends("send_mail", commands.mail("me@example.test", {"BODY": "8BITMIME"})),
    _sends("send_mail_binary", commands.mail("", {"BODY": "BINARYMIME"})),
    _sends("send_rcpt", commands.rcpt("you@example.test")),
    _sends("send_data", commands.data()),
    _sends("send_rset", commands.rset()),
    _sends("send_noop", commands.noop("x")),
    _sends("send_vrfy", commands.vrfy("you")),
    _sends("send_expn", commands.expn("all")),
    _sends("send_help", commands.help_()),
    _sends("send_custom", commands.custom("XYZZY a b")),
    _sends("send_quit", commands.quit_()),
    _chunk("send_bdat", b"a\r\n.\r\n", last=False),
    _chunk("send_bdat", b"", last=False),
    _chunk("send_bdat_last", b"\0.", last=True),
    *map(_content, (b"", b"a", b".", b"\r", b"\n", b".\r\n.", b"\r\n.\r\nQUIT\r\n")),
    Act("end of data", "send_dot", lambda session: session.end_content()),
    _link("connect", lambda session: session.connect()),
    _link("connect_tls", lambda session: session.connect(tls=True)),
    _link("close", lambda session: session.close()),
    _link("eof", lambda session: session.eof()),
    _link("timeout", lambda session: session.timeout(3.0)),
    _link("tls_up", lambda session: session.tls_up()),
    _link("tls_failed", lambda session: session.tls_failed()),
)

_CODES = (220, 235, 250, 251, 259, 334, 354, 359, 421, 450, 500, 535, 554)
_OFFERED = ("STARTTLS", "AUTH", "CHUNKING", "PIPELINING", "SIZE")


def _reply(code: int, *more: str) -> bytes:
    lines = ["mx.example.test", *more]
    text = [f"{code}-{line}\r\n" for line in lines[:-1]] + [f"{code} {lines[-1]}\r\n"]
    return "".join(text).encode()


SAID = (
    *(Said(_reply(code), "reply", code) for code in _CODES),
    Said(_reply(250, *_OFFERED), "reply", 250, _OFFERED),
    Said(_reply(250, "STARTTLS", "CHUNKING"), "reply", 250, ("STARTTLS", "CHUNKING")),
    Said(b"250-mx.example.test\r\n", "half", 250),
    Said(b"2500 ok\r\n", "rubbish"),
    Said(b"250 bare LF\n", "rubbish"),
)


#: What a session is for. The rest changes nothing, or ends it.
LEADS_ON = frozenset(
    (
        "connect",
        "connect_tls",
        "tls_up",
        "send_ehlo",
        "send_starttls",
        "send_auth",
        "send_response",
        "send_mail",
        "send_mail_binary",
        "send_rcpt",
        "send_data",
        "send_content",
        "send_dot",
        "send_bdat",
        "send_bdat_last",
    )
)


def wire_form(body: bytes) -> bytes:
    """The content as DATA wants it, by the rules of RFC 5321 §2.3.8 and §4.5.2, plainly."""
    text = re.sub(rb"\r\n|\r|\n", b"\r\n", body)
    if text and not text.endswith(b"\r\n"):
        text += b"\r\n"
    return b"".join(
        (b"." if line.startswith(b".") else b"") + line for line in text.splitlines(keepends=True)
    ) + (b".\r\n")


@cache
def table(policies: tuple[str, ...]) -> Table:
    return load_table(overlays=policies)


@cache
def _edges(policies: tuple[str, ...], place: Place) -> dict[str, Edge]:
    """Trigger → step, from *place*."""
    edges = list(Interpreter(table(policies)).edges(place))
    found = {edge.trigger: edge for edge in edges}
    assert len(found) == len(edges)
    return found


@dataclass
class Model:
    """The session as the written rows have it."""

    policies: tuple[str, ...]
    half: bool = False  # the server owes the rest of a reply
    dead: bool = False  # octets that are no reply have come
    body: bytes = b""
    rows: Interpreter = field(init=False)

    def __post_init__(self) -> None:
        self.rows = Interpreter(table(self.policies))
        self.place = self.rows.start

    def __getitem__(self, variable: str) -> str:
        return self.rows.value(self.place, variable)

    def row(self, trigger: str) -> Row | None:
        """The row that *trigger* would fire."""
        edge = _edges(self.policies, self.place).get(trigger)
        return edge.row if edge else None

    def take(self, trigger: str) -> Row:
        """Fire it."""
        edge = _edges(self.policies, self.place)[trigger]
        self.place = edge.target
        return edge.row

    def act(self, act: Act) -> None:
        """An act that is legal."""
        self.take(act.trigger)
        if act.trigger == "send_content":
            self.body += act.octets
        else:
            self.body = b""
        if act.trigger in ("connect", "connect_tls", "tls_up"):
            self.half = self.dead = False

    def hear(self, said: Said) -> Row | None:
        """The row that decides about what the server said; ``None`` for half a reply."""
        if self["awaiting"] == "handshake":
            return self.take("reply_invalid")
        if self.dead or said.kind == "rubbish" or (self.half and said.code != 250):
            self.dead = True
            return self.take("reply_invalid")
        if said.kind == "half":
            self.half = True
            return None
        self.half = False
        row = self.take(self._word(said.code))
        if self["awaiting"] == "offers":
            for keyword in said.keywords:
                trigger = f"offer_{keyword.lower()}"
                if trigger in self.rows.table.triggers:
                    self.take(trigger)
            self.take("offers_end")
        return row

    def is_good(self, said: Said) -> bool:
        """Whether this is a reply that the protocol allows now, and no refusal."""
        if said.kind != "reply" or said.code >= 400:
            return False
        row = self.row(self._word(said.code))
        return row is not None and row.violation is None

    def _word(self, code: int) -> str:
        exact = f"reply_{code}"
        return exact if exact in self.rows.table.triggers else f"reply_{code // 100}yz"
