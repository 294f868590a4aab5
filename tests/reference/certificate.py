"""A certificate for 127.0.0.1, made once in a test run, and a context that trusts it."""

import ssl
from functools import cache

import trustme

from tests.reference.options import HOST, NAME


@cache
def authority() -> trustme.CA:
    """Who has signed."""
    return trustme.CA()


@cache
def server_context() -> ssl.SSLContext:
    """The server's side."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(HOST, NAME).configure_cert(context)
    return context


@cache
def client_context() -> ssl.SSLContext:
    """A client that trusts the authority."""
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context
