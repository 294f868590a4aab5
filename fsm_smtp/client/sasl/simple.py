"""Mechanisms that send what they know: PLAIN, LOGIN, EXTERNAL."""

from fsm_smtp.client.sasl.mechanism import Unproven


class Plain(Unproven):
    """PLAIN (RFC 4616): everything in one message."""

    def __init__(self, user: str, password: str) -> None:
        self._message = b"\0" + user.encode() + b"\0" + password.encode()

    def initial(self) -> bytes | None:
        """The whole message."""
        return self._message

    def respond(self, challenge: bytes) -> bytes:
        """The message, for a server that asks for it by an empty challenge."""
        return self._message


class Login(Unproven):
    """LOGIN (obsolete, never standardised, widely offered): user, then password."""

    def __init__(self, user: str, password: str) -> None:
        self._answers = iter((user.encode(), password.encode()))

    def initial(self) -> bytes | None:
        """Nothing: the server asks."""
        return None

    def respond(self, challenge: bytes) -> bytes:
        """The user for the first challenge, the password for the second, then nothing."""
        return next(self._answers, b"")


class External(Unproven):
    """EXTERNAL (RFC 4422 appendix A): who we are is known from below, such as our certificate."""

    def __init__(self, user: str) -> None:
        self._identity = user.encode()

    def initial(self) -> bytes | None:
        """The identity to act as; empty for the one that is known."""
        return self._identity

    def respond(self, challenge: bytes) -> bytes:
        """The same, for a server that asks for it by an empty challenge."""
        return self._identity
