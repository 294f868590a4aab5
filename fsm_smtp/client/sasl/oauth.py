"""Bearer tokens of OAuth 2.0: OAUTHBEARER (RFC 7628), and XOAUTH2 that came before it.

A token that is refused comes with a challenge that says why; an answer to it lets the server end
the exchange with its 535.
"""

from fsm_smtp.client.sasl.mechanism import Place, Unproven

_SEPARATOR = b"\x01"


class OAuthBearer(Unproven):
    """OAUTHBEARER (RFC 7628 §3.1)."""

    def __init__(self, user: str, token: str, place: Place) -> None:
        # saslname (RFC 5801 §4): "," and "=" have a meaning of their own.
        name = user.replace("=", "=3D").replace(",", "=2C")
        pairs = (f"host={place.host}", f"port={place.port}", f"auth=Bearer {token}")
        header = f"n,a={name},".encode()
        self._message = _SEPARATOR.join([header, *(p.encode() for p in pairs), b"", b""])

    def initial(self) -> bytes | None:
        """The whole message."""
        return self._message

    def respond(self, challenge: bytes) -> bytes:
        """The message for an empty challenge; for an error, the one octet of RFC 7628 §3.2.3."""
        return _SEPARATOR if challenge else self._message


class XOAuth2(Unproven):
    """XOAUTH2, Google's and Microsoft's form."""

    def __init__(self, user: str, token: str) -> None:
        pairs = (f"user={user}", f"auth=Bearer {token}")
        self._message = _SEPARATOR.join([*(p.encode() for p in pairs), b"", b""])

    def initial(self) -> bytes | None:
        """The whole message."""
        return self._message

    def respond(self, challenge: bytes) -> bytes:
        """The message for an empty challenge; for an error, nothing."""
        return b"" if challenge else self._message
