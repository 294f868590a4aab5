"""The kit's server as these tests use it: what it offers is named, and what came is looked up."""

from collections import Counter
from typing import Any

from fsm_smtp.testing import Deviation, SMTPServer


def offering(*extensions: str, **options: Any) -> SMTPServer:
    """A server with these extensions and no others."""
    return SMTPServer(extensions=frozenset(extensions), **options)


def saying(offer: str) -> Deviation:
    """It lies in its reply to EHLO: this is what it offers."""
    return Deviation("EHLO", reply=f"250-mx.example.test\n{offer}", lie=True)


def last_commands(server: SMTPServer) -> list[bytes]:
    """The last command of each connection."""
    return [session.commands[-1] for session in server.sessions]


def mails(server: SMTPServer) -> list[int]:
    """How many MAIL commands each connection has had."""
    return [
        sum(command.startswith(b"MAIL") for command in session.commands)
        for session in server.sessions
    ]


def arrived(server: SMTPServer) -> Counter[str]:
    """How often each first recipient has got a message."""
    return Counter(message.recipients[0].path.decode() for message in server.messages)
