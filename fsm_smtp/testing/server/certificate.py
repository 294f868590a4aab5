"""A certificate for 127.0.0.1, made once in a process, and a context that trusts it."""

import ssl
from functools import cache

import trustme

from fsm_smtp.testing.server.options import HOST, NAME


@cache
def authority() -> trustme.CA:
    """Who has signed."""
    return trustme.CA()


@cache
def server_context() -> ssl.SSLContext:
    """The server's side."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = authority().issue_cert(HOST, NAME)
    with issued.private_key_and_cert_chain_pem.tempfile() as path:
        context.load_cert_chain(path)
    return context


@cache
def client_context() -> ssl.SSLContext:
    """A client that trusts the authority."""
    context = ssl.create_default_context()
    context.load_verify_locations(cadata=authority().cert_pem.bytes().decode())
    return context
