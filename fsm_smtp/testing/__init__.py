"""The test kit: what tests of SMTP servers and clients need. Each part loads when it is used.

`SMTPServer` is the model server for a test of a client, `ScriptedServer` one that says whatever is
written for it; `SMTPServerMachine` explores a server and `SMTPClientMachine` a client (both need
Hypothesis); `strategies` make addresses, commands, replies, content and sessions. The pytest plugin
brings them as fixtures and options.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsm_smtp.testing.machines.client import SMTPClientMachine
    from fsm_smtp.testing.machines.exploring import explore
    from fsm_smtp.testing.machines.mail import Mail
    from fsm_smtp.testing.machines.server import SMTPServerMachine
    from fsm_smtp.testing.scripted.server import ScriptedServer
    from fsm_smtp.testing.served import SMTPServer
    from fsm_smtp.testing.server.deviations import Deviation

_LAZY = {
    "Deviation": "fsm_smtp.testing.server.deviations",
    "Mail": "fsm_smtp.testing.machines.mail",
    "SMTPClientMachine": "fsm_smtp.testing.machines.client",
    "SMTPServer": "fsm_smtp.testing.served",
    "SMTPServerMachine": "fsm_smtp.testing.machines.server",
    "ScriptedServer": "fsm_smtp.testing.scripted.server",
    "explore": "fsm_smtp.testing.machines.exploring",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


__all__ = [
    "Deviation",
    "Mail",
    "SMTPClientMachine",
    "SMTPServer",
    "SMTPServerMachine",
    "ScriptedServer",
    "explore",
]
