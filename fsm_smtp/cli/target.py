"""HOST[:PORT] on a command line."""

import re

_BRACKETED = re.compile(r"\[([^\[\]]+)\](?::(.*))?\Z", re.DOTALL)


def host_and_port(text: str, default: int) -> tuple[str, int]:
    """The host and the port of ``HOST``, ``HOST:PORT``, ``[IPv6]`` or ``[IPv6]:PORT``.

    Raises:
        ValueError: it is none of these; the text says what is wrong.
    """
    if text.count(":") > 1 and not text.startswith("["):
        raise ValueError(f"{text!r}: an IPv6 address stands in brackets, [{text}]")
    port: str | None
    if bracketed := _BRACKETED.match(text):
        host, port = bracketed[1], bracketed[2]
    else:
        host, colon, port = text.partition(":")
        port = port if colon else None
    if not host or re.search(r"[\s/@\[\]]", host):
        raise ValueError(f"{text!r} is no HOST or HOST:PORT")
    if port is None:
        return host, default
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"{text!r}: the port is a number from 1 to 65535")
    return host, int(port)
