"""Certificates, good and bad, and both adapters."""

import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.client.driver import ADAPTERS


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    """Each test is one of both clients."""
    return str(request.param)


@dataclass(frozen=True)
class Tls:
    """What a client trusts, and servers of good and bad repute."""

    trusting: ssl.SSLContext
    good: ssl.SSLContext
    bad: dict[str, ssl.SSLContext]


@pytest.fixture(scope="session")
def tls() -> Tls:
    """Made anew for each run."""
    authority, stranger = trustme.CA(), trustme.CA()
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)

    def serves(leaf: trustme.LeafCert) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(context)
        return context

    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    return Tls(
        trusting,
        serves(authority.issue_cert("127.0.0.1", "mx.example.test")),
        {
            "unknown authority": serves(stranger.issue_cert("127.0.0.1")),
            "wrong name": serves(authority.issue_cert("other.example.test")),
            "expired": serves(authority.issue_cert("127.0.0.1", not_after=yesterday)),
        },
    )


@pytest.fixture(scope="session")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server whose certificate is its own authority."""
    folder: Path = tmp_path_factory.mktemp("self-signed")
    authority = trustme.CA()
    authority.private_key_pem.write_to_path(str(folder / "key.pem"))
    authority.cert_pem.write_to_path(str(folder / "cert.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context
