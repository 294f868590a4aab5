"""smtp-server, the one that Nodemailer's authors wrote, behind a small script. Needs node."""

import json
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
    Needs,
    Offers,
    Server,
)

MODULE = "npm/smtp-server/node_modules/smtp-server"
SCRIPT = Path(__file__).with_name("nodemailer_child.js")


class NodemailerSmtpServer(Server):
    """smtp-server, with the addresses, user and Maildirs of the other servers."""

    name: ClassVar[str] = "smtp-server"
    needs: ClassVar[Needs] = Needs(fetched=(MODULE,), node=True)
    supports: ClassVar[frozenset[str]] = frozenset({"auth_required"})

    @property
    def offers(self) -> Offers:
        return Offers(
            frozenset({"PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE"}),
            starttls=True,
            tls_works=True,
            auth=frozenset({"PLAIN", "LOGIN"}),
        )

    def prepare(self) -> Launch:
        chain, key = self.copy_certificate()
        self.mailboxes.mkdir()
        config = {
            "module": str(self.fetched / MODULE),
            "host": self.host,
            "port": self.port,
            "hostname": HOSTNAME,
            "mailboxes": str(self.mailboxes),
            "chain": str(chain),
            "key": str(key),
            "size": SIZE_LIMIT,
            "domain": DOMAIN,
            "known": KNOWN,
            "user": USER,
            "password": PASSWORD,
            "authRequired": self.options.auth_required,
        }
        path = self.write("config.json", json.dumps(config), 0o600)
        return Launch(["node", str(SCRIPT), str(path)])
