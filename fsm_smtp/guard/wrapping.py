"""`guard`: the guard for an object that was made elsewhere."""

import smtplib
import sys
from typing import TypeVar

from fsm_smtp.guard.options import DEFAULTS, GuardOptions

Client = TypeVar("Client")


def guard(client: Client, options: GuardOptions = DEFAULTS) -> Client:
    """Guard *client*, an object of smtplib's or aiosmtplib's classes or of a subclass, and give it
    back: yagmail's, Django's, what Flask-Mail has connected.

    It should be between two messages. What it has learned so far (EHLO, offers, TLS) is taken from
    it; whether it has authenticated cannot be seen.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(client, smtplib.SMTP):
        from fsm_smtp.guard.smtplib import adopt

        adopt(client, options)
        return client
    if "aiosmtplib" in sys.modules:  # who has one of its objects has imported it
        import aiosmtplib

        if isinstance(client, aiosmtplib.SMTP):
            from fsm_smtp.guard.aiosmtplib import adopt as adopt_async

            adopt_async(client, options)
            return client
    raise TypeError(f"{type(client).__name__} is no client that can be guarded")
