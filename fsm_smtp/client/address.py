"""The name that a client without a domain says in EHLO."""


def address_literal(address: object) -> str:
    """A socket's address as an address literal (RFC 5321 §4.1.3); ``localhost`` for a Unix one."""
    match address:
        case (str(host), int()):
            return f"[{host}]"
        case (str(host), int(), int(), int()):
            return f"[IPv6:{host.partition('%')[0]}]"
        case _:
            return "localhost"
