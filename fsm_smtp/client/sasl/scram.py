"""SCRAM (RFC 5802, RFC 7677), with channel binding where the name ends in -PLUS. Needs `scramp`."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from fsm_smtp.client.sasl.binding import binding
from fsm_smtp.client.sasl.mechanism import MechanismFailed, Place
from fsm_smtp.errors import InvalidCommand


def is_here() -> bool:
    """Whether `scramp` can be imported."""
    return find_spec("scramp") is not None


class Scram:
    """One exchange. The server proves that it knows the password too, or is not believed."""

    def __init__(self, name: str, user: str, password: str, place: Place) -> None:
        self._scramp: Any = import_module("scramp")  # which has no types
        # Without -PLUS, naming the binding says that we would have used it (RFC 5802 §6): a server
        # that does offer it then knows that somebody took it out of its list.
        unneeded = place.binds and not name.endswith("-PLUS")
        bound = None if unneeded else binding(place.secured)
        try:
            self._client: Any = self._scramp.ScramClient([name], user, password, bound)
        except (self._scramp.ScramException, ValueError):
            # Without the cause, which may show the password.
            what = "a user or a password that SCRAM cannot carry"
            raise InvalidCommand(what, "5802 §5.1") from None
        self._challenges = 0
        self._proven = False

    def initial(self) -> bytes | None:
        """The client-first-message."""
        first: str = self._client.get_client_first()
        return first.encode()

    def respond(self, challenge: bytes) -> bytes:
        """The client-final-message; nothing once the server has proved itself."""
        self._challenges += 1
        try:
            message = challenge.decode()
            if self._challenges == 1:
                self._client.set_server_first(message)
                final: str = self._client.get_client_final()
                return final.encode()
            self.prove(message)
        except (self._scramp.ScramException, ValueError) as error:
            raise MechanismFailed("the server's part of SCRAM is wrong") from error
        return b""

    def prove(self, message: str) -> None:
        """Take in the server-final-message."""
        self._client.set_server_final(message)
        self._proven = True

    def done(self) -> bool:
        """Whether the server has proved itself."""
        return self._proven
