"""SASL against a real server: Dovecot, set up with every mechanism that it and we know."""

from collections.abc import Iterator
from ssl import create_default_context
from typing import Any

import pytest

from fsm_smtp.client import Client, Credentials, Options
from tests.servers.base import HOSTNAME, PASSWORD, USER
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import ServerPark

MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN")


class EveryMechanism(Dovecot):
    """Dovecot, which is asked for more than PLAIN and LOGIN."""

    def _settings(self, relay_port: int) -> str:
        few = "auth_mechanisms = plain login"
        text = super()._settings(relay_port)
        assert few in text
        return text.replace(few, f"auth_mechanisms = {' '.join(MECHANISMS).lower()}")


@pytest.fixture(scope="module")
def dovecot(servers: ServerPark) -> Iterator[Dovecot]:
    plain = servers.start("dovecot")
    home = plain.run.parent / "every-mechanism"  # where its own users may go, too
    home.mkdir(0o755)
    server = EveryMechanism(home, plain.fetched, plain.certificate)
    server.start()
    yield server
    server.stop()


def options(server: Dovecot, **given: Any) -> Options:
    tls = create_default_context(cafile=str(server.certificate.authority))
    return Options(
        security="starttls",
        timeout=15.0,
        server_name=HOSTNAME,
        tls=tls,
        **given,
    )


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("right", [True, False])
def test_each_mechanism(dovecot: Dovecot, mechanism: str, right: bool) -> None:
    with Client(dovecot.host, dovecot.port, options(dovecot)) as client:
        assert mechanism in client.offers["AUTH"]
        reply = client.auth(mechanism, Credentials(USER, PASSWORD if right else "wrong"))
        assert (reply.code == 235) == right
        assert client.is_authenticated == right


def test_the_best_one_is_taken(dovecot: Dovecot) -> None:
    lines: list[str] = []
    how = options(dovecot, user=USER, password=PASSWORD, on_command=lines.append)
    with Client(dovecot.host, dovecot.port, how) as client:
        assert client.is_authenticated
    assert [line for line in lines if line.startswith("AUTH")] == ["AUTH SCRAM-SHA-256 [redacted]"]
