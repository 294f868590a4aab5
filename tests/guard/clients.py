"""Clients of other people's, plain or guarded."""

import smtplib

import aiosmtplib
import pytest

from fsm_smtp.guard import aiosmtplib as guarded_aiosmtplib
from fsm_smtp.guard import smtplib as guarded_smtplib

NAME = "client.example.test"

#: Both of them, of a test that takes *guarded*.
BOTH = pytest.mark.parametrize("guarded", [False, True], ids=["plain", "guarded"])


def smtplib_client(port: int, *, guarded: bool, timeout: float = 10) -> smtplib.SMTP:
    """A client of smtplib, connected."""
    cls = guarded_smtplib.SMTP if guarded else smtplib.SMTP
    return cls("127.0.0.1", port, NAME, timeout)


def aiosmtplib_client(port: int, *, guarded: bool, timeout: float = 10) -> aiosmtplib.SMTP:
    """A client of aiosmtplib, not connected yet."""
    cls = guarded_aiosmtplib.SMTP if guarded else aiosmtplib.SMTP
    return cls(
        hostname="127.0.0.1", port=port, local_hostname=NAME, timeout=timeout, start_tls=False
    )
