"""A plain client for trying servers: smtplib, and a message that transport likes to break."""

import smtplib
import ssl
import uuid

from tests.servers.base import PASSWORD, RECIPIENTS, SENDER, USER, Server
from tests.servers.delivered import split_trace

SECONDS = 10.0


def connect(server: Server) -> smtplib.SMTP:
    return smtplib.SMTP(server.host, server.port, "client.example.test", SECONDS)


def context(server: Server) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(server.certificate.authority))


def secured(server: Server) -> smtplib.SMTP:
    """A client behind a handshake that verified the certificate."""
    client = connect(server)
    client.starttls(context=context(server))
    client.ehlo()
    return client


def ready_to_send(server: Server) -> smtplib.SMTP:
    """A client that may send: authenticated where the server demands it."""
    client = connect(server)
    client.ehlo()
    if server.demands_auth:
        client.login(USER, PASSWORD)
    return client


def message() -> bytes:
    """A complete message (nothing left for a server to add) with what transport likes to break."""
    token = uuid.uuid4().hex
    lines = [
        f"From: {SENDER}",
        f"To: {RECIPIENTS[0]}",
        f"Subject: {token}",
        "Date: Mon, 01 Jan 2024 00:00:00 +0000",
        f"Message-ID: <{token}@client.example.test>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        ".",
        "..two dots",
        "",
        "  trailing blanks  ",
        "\ttab",
        "From a line that mailboxes like to quote",
        "x" * 998,
        "",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode()


def arrived(server: Server, recipient: str, sent: bytes, before: int) -> None:
    """Assert that exactly `sent` was delivered, below the trace fields."""
    stored = server.wait_for_message(recipient, before + 1)
    contents = [split_trace(each)[1] for each in stored[before:]]
    assert contents == [sent]
