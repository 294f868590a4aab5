"""Dovecot: submission, and LMTP beside it, over an overlay of /usr. Needs root.

What is submitted goes on to an aiosmtpd of its own, whose replies to recipients it passes on.
"""

import pwd
import shutil
from pathlib import Path
from typing import ClassVar

from tests.servers import namespace
from tests.servers.aiosmtpd_server import Aiosmtpd
from tests.servers.base import (
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

UNPACKED = "root/dovecot/usr"
OWNER, INTERNAL, LOGIN = "mail", "daemon", "nobody"


class _Relay(Aiosmtpd):
    """Offers no AUTH: Dovecot adds AUTH= to MAIL where it is offered, and aiosmtpd refuses that."""

    auth_in_plaintext: ClassVar[bool] = False


class Dovecot(Server):
    """Dovecot. Submission on `port` always demands AUTH; LMTP on `lmtp_port` takes the known."""

    name: ClassVar[str] = "dovecot"
    needs: ClassVar[Needs] = Needs(
        fetched=(
            f"{UNPACKED}/sbin/dovecot",
            f"{UNPACKED}/lib/dovecot/lmtp",
            f"{UNPACKED}/lib/dovecot/submission",
        ),
        root=True,
        namespaces=True,
        overlay=UNPACKED,
    )
    ports_needed: ClassVar[int] = 2

    _relay: _Relay | None = None

    @property
    def lmtp_port(self) -> int:
        """Where LMTP listens on `host`: LHLO, and after the end of data a reply per recipient."""
        return self._more_ports[0]

    @property
    def demands_auth(self) -> bool:
        return True

    @property
    def offers(self) -> Offers:
        # Behind AUTH it offers what the relay has as well.
        return Offers(
            frozenset({"8BITMIME", "SIZE", "CHUNKING", "ENHANCEDSTATUSCODES", "PIPELINING"}),
            starttls=True,
            tls_works=True,
            auth=frozenset({"PLAIN", "LOGIN"}),
        )

    def logs(self) -> list[Path]:
        return [self.run / "dovecot.log"]

    def message_files(self, recipient: str) -> list[Path]:
        relayed = self._relay.message_files(recipient) if self._relay else []
        return super().message_files(recipient) + relayed

    def prepare(self) -> Launch:
        home = self.run / "relay"
        home.mkdir()
        self._relay = _Relay(home, self.fetched, self.certificate)
        self._relay.start()
        self.copy_certificate()
        (self.run / "base").mkdir()
        self.mailboxes.mkdir()
        shutil.chown(self.mailboxes, OWNER)
        owner = pwd.getpwnam(OWNER)
        users = "".join(
            f"{name}:{{PLAIN}}{PASSWORD}:{owner.pw_uid}:{owner.pw_gid}::{self.mailboxes}/{name}::\n"
            for name in (USER, *KNOWN)
        )
        shutil.chown(self.write("users", users, 0o400), INTERNAL)
        config = self.write("dovecot.conf", self._settings(self._relay.port))
        overlay = f"mount -t overlay -o lowerdir={self.fetched / UNPACKED}:/usr none /usr"
        argv = ["/usr/sbin/dovecot", "-F", "-c", str(config)]
        return Launch(namespace.command(argv, [overlay]))

    def stop(self) -> None:
        super().stop()
        if self._relay is not None:
            self._relay.stop()

    def processes(self) -> frozenset[int]:
        return super().processes() | (self._relay.processes() if self._relay else frozenset())

    def _settings(self, relay_port: int) -> str:
        return f"""\
protocols = submission lmtp
listen = {self.host}
base_dir = {self.run}/base
state_dir = {self.run}/base
log_path = {self.run}/dovecot.log
hostname = {HOSTNAME}
default_internal_user = {INTERNAL}
default_internal_group = {INTERNAL}
default_login_user = {LOGIN}
auth_mechanisms = plain login
auth_username_format = %Ln
auth_failure_delay = 0
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{self.run}/cert.pem
ssl_key = <{self.run}/key.pem
mail_location = maildir:{self.mailboxes}/%n
mail_max_userip_connections = 200
first_valid_uid = 1
first_valid_gid = 1
submission_max_mail_size = {SIZE_LIMIT}
submission_relay_host = {self.host}
submission_relay_port = {relay_port}
submission_relay_trusted = no
passdb {{
  driver = passwd-file
  args = {self.run}/users
}}
userdb {{
  driver = passwd-file
  args = {self.run}/users
}}
service submission-login {{
  chroot =
  inet_listener submission {{
    port = {self.port}
  }}
}}
service lmtp {{
  user = {OWNER}
  inet_listener lmtp {{
    address = {self.host}
    port = {self.lmtp_port}
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
# Closed, since it would make each failed AUTH from one address slower than the last.
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""
