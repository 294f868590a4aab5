"""Whom a pool talks to."""

from dataclasses import dataclass, field

from fsm_smtp.client.options import Options


@dataclass(frozen=True)
class Server:
    """A server, and how to talk to it: what a client is made of.

    A connection is given only to who asks for the same server with the same options.

    Attributes:
        host: name or address; with *path* only the name for TLS.
        port: TCP port.
        options: security, credentials, names, times.
        path: a Unix socket to connect to, in place of host and port.
        source_address: local address and port to connect from.
    """

    host: str = "localhost"
    port: int = 25
    options: Options = field(default_factory=Options)
    path: str | None = None
    source_address: tuple[str, int] | None = None

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"
