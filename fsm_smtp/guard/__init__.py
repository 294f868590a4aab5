"""The guard: the machine inside other people's SMTP clients.

    from fsm_smtp.guard.smtplib import SMTP      # in place of smtplib's
    smtp = guard(smtp)                           # an object made elsewhere
    fsm_smtp.guard.install()                     # every smtplib client of this process

An illegal command raises before an octet is written; a server that breaks the protocol ends the
session. `Guard` is the part without I/O, for everything that has no adapter here.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from fsm_smtp.guard.errors import (
    GuardedCommand,
    GuardedContent,
    GuardedLine,
    GuardedOctets,
    GuardedOffer,
    GuardedReply,
    GuardError,
)
from fsm_smtp.guard.findings import Finding, Kind
from fsm_smtp.guard.options import GuardOptions

if TYPE_CHECKING:
    from fsm_smtp.guard.core import Guard
    from fsm_smtp.guard.installing import install, uninstall
    from fsm_smtp.guard.wrapping import guard

_LAZY = {
    "Guard": "fsm_smtp.guard.core",
    "guard": "fsm_smtp.guard.wrapping",
    "install": "fsm_smtp.guard.installing",
    "uninstall": "fsm_smtp.guard.installing",
}

__all__ = [
    "Finding",
    "Guard",
    "GuardError",
    "GuardOptions",
    "GuardedCommand",
    "GuardedContent",
    "GuardedLine",
    "GuardedOctets",
    "GuardedOffer",
    "GuardedReply",
    "Kind",
    "guard",
    "install",
    "uninstall",
]


def __getattr__(name: str) -> object:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(module), name)
