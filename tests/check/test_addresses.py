"""A name is looked up once for a run, and the address that takes a connection is kept."""

import asyncio
import socket
from typing import Any

import pytest

from fsm_smtp.check.engine.addresses import addresses_of, is_address
from fsm_smtp.check.engine.connection import Connection, Target
from fsm_smtp.errors import TargetUnreachable
from fsm_smtp.testing import ScriptedServer

HOST = "127.0.0.1"
NAME = "mx.example.test"


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let every name have these *addresses*; the names that were asked for."""
    asked: list[str] = []
    own = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, **options: Any) -> Any:
        if is_address(host):
            return own(host, port, **options)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


async def opened(target: Target) -> None:
    """A connection to *target*, opened and closed."""
    connection = Connection(target, 30.0)
    await connection.open()
    await connection.close()


def test_the_first_address_that_takes_a_connection_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving(monkeypatch, "127.0.0.2", HOST, "127.0.0.3")

    async def twice() -> tuple[str, ...]:
        with ScriptedServer((), ()) as server:
            target = Target(NAME, server.port)
            await opened(target)
            await opened(target)
        return await target.addresses()

    assert asyncio.run(twice()) == (HOST,)
    assert asked == [NAME]


def test_no_address_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "127.0.0.2", "127.0.0.3")
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(TargetUnreachable, match=f"{NAME}:{port}: connection refused"):
        asyncio.run(Connection(Target(NAME, port), 30.0).open())


@pytest.mark.parametrize("name", ["no-such-host.invalid", "a" * 64 + ".test", "a..test"])
def test_no_such_name(name: str) -> None:
    with pytest.raises(OSError, match="ame"):
        asyncio.run(addresses_of(name, 25))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "fe80::1%eth0"])
def test_an_address_is_not_looked_up(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving(monkeypatch)
    assert asyncio.run(Target(host, 25).addresses()) == (host,)
    assert asked == []
