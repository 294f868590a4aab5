"""CRAM-MD5 (RFC 2195): a keyed digest of the server's challenge.

MD5, and a password that the server has to keep in clear: historic, and used only where the caller
names it.
"""

import hmac

from fsm_smtp.client.sasl.mechanism import MechanismFailed, Unproven


class CramMd5(Unproven):
    """CRAM-MD5 for one exchange."""

    def __init__(self, user: str, password: str) -> None:
        self._user = user.encode()
        self._key = password.encode()

    def initial(self) -> bytes | None:
        """Nothing: the server challenges."""
        return None

    def respond(self, challenge: bytes) -> bytes:
        """The user and the digest."""
        if not challenge:
            raise MechanismFailed("CRAM-MD5 knows no empty challenge")
        return self._user + b" " + hmac.new(self._key, challenge, "md5").hexdigest().encode()
