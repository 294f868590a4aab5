"""Errors, in families by culprit: the caller, the peer, the connection, or a file.

The bases `ProtocolError`, `LocalProtocolError` and `RemoteProtocolError` are for ``except``
clauses and are never raised themselves. All errors pickle, so that they survive a process pool.
No error carries credentials: AUTH lines are redacted before they get here.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Rebuild = tuple[Callable[..., Any], tuple[Any, ...]]


def _rebuild(cls: type[BaseException], state: dict[str, Any]) -> BaseException:
    error = cls.__new__(cls)
    error.args = state.pop("args")
    error.__dict__.update(state)
    return error


class _Picklable(Exception):
    """Pickles by attributes, so that a subclass may take any arguments it likes."""

    def __reduce__(self) -> Rebuild:
        return _rebuild, (type(self), {"args": self.args, **self.__dict__})


class ProtocolError(_Picklable):
    """The SMTP protocol was, or was about to be, broken. Never raised itself."""


class LocalProtocolError(ProtocolError):
    """Our side was about to break the protocol; nothing was written. Never raised itself."""


class CommandRefused(LocalProtocolError):
    """The machine does not allow this trigger now: zero bytes were written, nothing changed.

    Attributes:
        state: name of the state, as in the table (``SMTP_MAIL``).
        trigger: what was attempted (``send_data``).
        command: the command line it came from, redacted; ``None`` for a bare trigger.
        legal: client triggers that are legal now, in the table's order.
        why: one sentence.
        rfc: the section that says so (``5321 §4.1.4``).
    """

    def __init__(
        self,
        state: str,
        trigger: str,
        *,
        legal: tuple[str, ...],
        why: str,
        rfc: str,
        command: str | None = None,
    ) -> None:
        self.state = state
        self.trigger = trigger
        self.command = command
        self.legal = legal
        self.why = why
        self.rfc = rfc
        what = f"{command!r} ({trigger})" if command is not None else trigger
        allowed = ", ".join(legal) if legal else "nothing"
        super().__init__(f"{what} is not legal in {state}: {why} (RFC {rfc}). Legal now: {allowed}")


class InvalidCommand(LocalProtocolError, ValueError):
    """A command, address or parameter that must not be put on a line.

    Attributes:
        what: the offending thing, in words; never the text of credentials.
        rfc: the section that forbids it.
    """

    def __init__(self, what: str, rfc: str) -> None:
        self.what = what
        self.rfc = rfc
        super().__init__(f"{what} (RFC {rfc})")


class NotOffered(InvalidCommand):
    """What was asked for needs an extension that the server does not offer; nothing was written.

    Attributes:
        keyword: the EHLO keyword that is missing.
    """

    def __init__(self, what: str, keyword: str, rfc: str) -> None:
        super().__init__(f"{what}, as the server does not offer {keyword}", rfc)
        self.keyword = keyword


class LimitReached(LocalProtocolError):
    """A command beyond what the server takes (LIMITS, RFC 9422); nothing was written.

    Attributes:
        limit: ``MAILMAX``, ``RCPTMAX`` or ``RCPTDOMAINMAX``.
        most: its value.
        state: name of the state.
        command: the command line.
    """

    def __init__(self, limit: str, most: int, *, state: str, command: str) -> None:
        self.limit = limit
        self.most = most
        self.state = state
        self.command = command
        super().__init__(f"{command!r} in {state} is beyond {limit}={most} (RFC 9422 §4)")


class NotConnected(LocalProtocolError, RuntimeError):
    """There is no connection (any more).

    Attributes:
        who: who closed the last one: ``"server"``, ``"client"`` or ``"network"``; ``None`` if
            there was none.
        state: name of the state in which it was closed.
        command: the last command that was sent on it, redacted.
        why: in words.
    """

    def __init__(
        self,
        who: str | None = None,
        state: str | None = None,
        command: str | None = None,
        why: str | None = None,
    ) -> None:
        self.who = who
        self.state = state
        self.command = command
        self.why = why
        what = "this client is not connected"
        if who is not None:
            after = f" after {command!r}" if command is not None else ""
            what = f"{what}: {why}, by the {who}, in {state}{after}"
        super().__init__(what)


class InvalidContent(LocalProtocolError, ValueError):
    """Message content that must not be sent as it is (bare CR or LF, a line too long, …)."""

    def __init__(self, what: str, rfc: str) -> None:
        self.what = what
        self.rfc = rfc
        super().__init__(f"{what} (RFC {rfc})")


class RemoteProtocolError(ProtocolError):
    """The server broke the protocol. Never raised itself."""


class MalformedReply(RemoteProtocolError):
    """Bytes from the server that are no reply, or more of them than a reply may have.

    Attributes:
        what: what is wrong with them.
        rfc: the section that says so.
        received: the first octets of the offending input, at most 80 of them.
        state: name of the state they arrived in; ``None`` outside a session.
        command: the last command that was sent, redacted; ``None`` before the first.
    """

    def __init__(
        self,
        what: str,
        rfc: str,
        received: bytes = b"",
        *,
        state: str | None = None,
        command: str | None = None,
    ) -> None:
        self.what = what
        self.rfc = rfc
        self.received = bytes(received[:80])
        self.state = state
        self.command = command
        where = f" in {state}" if state is not None else ""
        after = f" after {command!r}" if command is not None else ""
        got = f"; received {self.received!r}" if self.received else ""
        super().__init__(f"{what}{where}{after} (RFC {rfc}){got}")


class UnexpectedReply(RemoteProtocolError):
    """A well-formed reply that the protocol does not allow now.

    Attributes:
        state: name of the state it arrived in.
        command: the command it answers, redacted; ``None`` for a reply nobody asked for.
        reply: the reply's text, code included.
        why: one sentence.
        rfc: the section that says so.
    """

    def __init__(self, state: str, command: str | None, reply: str, *, why: str, rfc: str) -> None:
        self.state = state
        self.command = command
        self.reply = reply
        self.why = why
        self.rfc = rfc
        to = f"to {command!r} " if command is not None else ""
        super().__init__(f"reply {reply!r} {to}in {state}: {why} (RFC {rfc})")


class ConnectionLost(ProtocolError, ConnectionError):
    """The connection ended, or could not be made.

    Attributes:
        state: name of the state it ended in.
        command: the last command that was sent, redacted; ``None`` before the first.
        who: ``"server"``, ``"client"`` or ``"network"``.
    """

    def __init__(self, what: str, *, state: str, command: str | None, who: str) -> None:
        self.what = what
        self.state = state
        self.command = command
        self.who = who
        after = f" after {command!r}" if command is not None else ""
        never_there = who == "network" and command is None
        super().__init__(what if never_there else f"{what} in {state}{after}, by the {who}")


class ReplyTimeout(ProtocolError, TimeoutError):
    """No (complete) reply in time.

    Attributes:
        state: name of the state.
        command: the command that waits, redacted; ``None`` for the greeting.
        seconds: how long was waited.
        rfc: the section with the recommended time.
    """

    def __init__(self, state: str, command: str | None, seconds: float, rfc: str) -> None:
        self.state = state
        self.command = command
        self.seconds = seconds
        self.rfc = rfc
        to = f" to {command!r}" if command is not None else ""
        super().__init__(f"no reply{to} within {seconds:g} s in {state} (RFC {rfc})")


class HandshakeFailed(ProtocolError, ConnectionError):
    """TLS was wanted and could not be had: not offered, refused, or the handshake failed.

    Attributes:
        what: what happened.
        state: name of the state.
        rfc: the section that bears on it.
    """

    def __init__(self, what: str, *, state: str, rfc: str) -> None:
        self.what = what
        self.state = state
        self.rfc = rfc
        super().__init__(f"{what} in {state} (RFC {rfc})")


class Rejected(ProtocolError):
    """The server refused a command without which the session cannot go on.

    Attributes:
        command: the command, redacted; ``None`` for the connection itself.
        code: the reply code.
        reply: the reply's text, code included.
        state: name of the state that this led to.
    """

    def __init__(
        self, command: str | None, code: int, reply: str, *, state: str | None = None
    ) -> None:
        self.command = command
        self.code = code
        self.reply = reply
        self.state = state
        what = repr(command) if command is not None else "the connection"
        then = f"; now in {state}" if state is not None else ""
        super().__init__(f"the server refused {what}: {reply}{then}")


class SpecError(ValueError):
    """A table, overlay or suite that cannot be used: where, what, and what was perhaps meant.

    Attributes:
        path: the file.
        line: 1-based line.
        column: 1-based column.
        what: one sentence.
        suggestion: the nearest thing that exists, or ``None``.
    """

    def __init__(
        self, path: Path | str, line: int, column: int, what: str, suggestion: str | None = None
    ) -> None:
        self.path = str(path)
        self.line = line
        self.column = column
        self.what = what
        self.suggestion = suggestion
        hint = f"; did you mean {suggestion}?" if suggestion else ""
        super().__init__(f"{self.path}:{line}:{column}: {what}{hint}")

    def __reduce__(self) -> Rebuild:
        return type(self), (self.path, self.line, self.column, self.what, self.suggestion)


class TargetUnreachable(ProtocolError, ConnectionError):
    """A server that was to be judged cannot be reached, or does not speak SMTP at all.

    Attributes:
        target: ``host:port``.
        why: what happened, in words.
    """

    def __init__(self, target: str, why: str) -> None:
        self.target = target
        self.why = why
        super().__init__(f"{target}: {why}")
