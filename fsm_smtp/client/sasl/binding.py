"""Channel binding (RFC 5056): what ties an authentication to the TLS connection below it."""

from typing import Protocol


class Bound(Protocol):
    """What `ssl.SSLSocket` and `ssl.SSLObject` know of their connection."""

    def version(self) -> str | None:
        """``TLSv1.3`` and the like."""
        ...

    def get_channel_binding(self, cb_type: str = "tls-unique") -> bytes | None:
        """The octets of the binding, if there are some."""
        ...

    def getpeercert(self, binary_form: bool = False) -> object:
        """The certificate of the server."""
        ...


def binding(secured: Bound | None) -> tuple[str, object] | None:
    """The best binding that this connection has, as its name and what `scramp` makes it from.

    ``tls-unique`` (RFC 5929 §3) up to TLS 1.2, in which it is defined; else
    ``tls-server-end-point`` (§4), the server's certificate. Python's `ssl` exports no keying
    material, which ``tls-exporter`` (RFC 9266) would need.
    """
    if secured is None:
        return None
    if secured.version() != "TLSv1.3":
        unique = secured.get_channel_binding("tls-unique")
        if unique:
            return "tls-unique", unique
    if secured.getpeercert(binary_form=True) is None:
        return None
    return "tls-server-end-point", secured
