"""SASL mechanisms, as the answers they give to challenges. No I/O, no SMTP."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol


class Mechanism(Protocol):
    """A SASL mechanism for one exchange."""

    def initial(self) -> bytes | None:
        """The initial response, or ``None`` when the server speaks first."""
        ...

    def respond(self, challenge: bytes) -> bytes:
        """The response to a challenge, both decoded."""
        ...


class Plain:
    """PLAIN (RFC 4616): everything in one message."""

    def __init__(self, user: str, password: str) -> None:
        self._message = b"\0" + user.encode() + b"\0" + password.encode()

    def initial(self) -> bytes | None:
        """The whole message."""
        return self._message

    def respond(self, challenge: bytes) -> bytes:
        """The message, for a server that asks for it by an empty challenge."""
        return self._message


class Login:
    """LOGIN (obsolete, never standardised, widely offered): user, then password."""

    def __init__(self, user: str, password: str) -> None:
        self._answers = iter((user.encode(), password.encode()))

    def initial(self) -> bytes | None:
        """Nothing: the server asks."""
        return None

    def respond(self, challenge: bytes) -> bytes:
        """The user for the first challenge, the password for the second, then nothing."""
        return next(self._answers, b"")


#: By name, in the order of preference.
MECHANISMS: Mapping[str, Callable[[str, str], Mechanism]] = {"PLAIN": Plain, "LOGIN": Login}


def choose(offered: Iterable[str]) -> list[str]:
    """The names of the mechanisms that are offered and known, best first."""
    names = {name.upper() for name in offered}
    return [name for name in MECHANISMS if name in names]
