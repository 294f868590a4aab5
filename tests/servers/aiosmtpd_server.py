"""aiosmtpd in a process of its own, with the addresses, user and Maildirs of the other servers."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tests.servers.base import (
    DOMAIN,
    HOSTNAME,
    KNOWN,
    PASSWORD,
    SIZE_LIMIT,
    USER,
    Launch,
    Offers,
    Server,
)

SCRIPT = Path(__file__).with_name("aiosmtpd_child.py")


@dataclass(frozen=True)
class _Config:
    port: int
    host: str
    hostname: str
    mailboxes: str
    chain: str
    key: str
    domain: str
    known: tuple[str, ...]
    user: str
    password: str
    size: int
    auth_in_plaintext: bool
    auth_required: bool
    tls_required: bool
    discard: bool


class Aiosmtpd(Server):
    """aiosmtpd. It runs wherever Python does: no root, nothing fetched."""

    name: ClassVar[str] = "aiosmtpd"
    supports: ClassVar[frozenset[str]] = frozenset({"auth_required", "tls_required", "discard"})
    auth_in_plaintext: ClassVar[bool] = True

    @property
    def offers(self) -> Offers:
        return Offers(
            frozenset({"SIZE", "8BITMIME", "SMTPUTF8"}),
            starttls=True,
            tls_works=True,
            auth=frozenset({"PLAIN", "LOGIN"}),
        )

    def prepare(self) -> Launch:
        chain, key = self.copy_certificate()
        self.mailboxes.mkdir()
        config = _Config(
            port=self.port,
            host=self.host,
            hostname=HOSTNAME,
            mailboxes=str(self.mailboxes),
            chain=str(chain),
            key=str(key),
            domain=DOMAIN,
            known=KNOWN,
            user=USER,
            password=PASSWORD,
            size=SIZE_LIMIT,
            auth_in_plaintext=self.auth_in_plaintext,
            auth_required=self.options.auth_required,
            tls_required=self.options.tls_required,
            discard=self.options.discard,
        )
        path = self.write("config.json", json.dumps(vars(config)), 0o600)
        # -P keeps this folder off the child's path: it must not take our modules for others.
        # Our own environment: whatever makes this interpreter find aiosmtpd, the child needs too.
        return Launch([sys.executable, "-P", str(SCRIPT), str(path)], os.environ)
