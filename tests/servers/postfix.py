"""Postfix, its whole queue and all its daemons in the run folder. Needs root."""

import os
import pwd
import shutil
import subprocess
import time
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

# Two accounts that every Debian has. The owner of the queue must not be the default for privileges.
OWNER, SETGID, UNPRIVILEGED = "mail", "operator", "nobody"
AGE_SECONDS = 3600.0

_QUEUES = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming"),
    *("private", "saved", "trace"),
)

# name, type, private, unprivileged, chroot, wakeup, limit, command
_SERVICES = """
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""

_HARDENED = {
    "smtpd_forbid_bare_newline": "yes",
    "smtpd_forbid_unauth_pipelining": "yes",
    "smtpd_helo_required": "yes",
    "strict_rfc821_envelopes": "yes",
    "smtpd_delay_reject": "no",
}


class Postfix(Server):
    """Postfix: the most complete list of extensions among the servers here."""

    name: ClassVar[str] = "postfix"
    needs: ClassVar[Needs] = Needs(
        fetched=("root/postfix/usr/lib/postfix/sbin/master",),
        programs=("saslpasswd2",),
        root=True,
    )
    supports: ClassVar[frozenset[str]] = frozenset(
        {"auth_required", "tls_required", "hardened", "impatient"}
    )

    @property
    def offers(self) -> Offers:
        keywords = "PIPELINING SIZE VRFY ETRN ENHANCEDSTATUSCODES 8BITMIME DSN SMTPUTF8 CHUNKING"
        return Offers(
            frozenset(keywords.split()),
            starttls=True,
            tls_works=True,
            # Postfix keeps AUTH to itself where it demands TLS first.
            auth=frozenset() if self.options.tls_required else frozenset({"PLAIN", "LOGIN"}),
        )

    def logs(self) -> list[Path]:
        return [self.run / "postfix.log"]

    def prepare(self) -> Launch:
        self._make_queue()
        self._make_sasl()
        main = "".join(f"{name} = {value}\n" for name, value in self._settings().items())
        written = [
            self.write("etc/main.cf", main),
            self.write("etc/master.cf", f"{self.host}:{self.port} inet n - n - - smtpd{_SERVICES}"),
            self.run / "etc/sasl/smtpd.conf",
        ]
        # Each program re-reads a main.cf younger than two seconds in sleeps of 300 ms.
        past = time.time() - AGE_SECONDS
        for path in written:
            os.utime(path, (past, past))
        config = self.run / "etc"
        return Launch(
            [self.root("postfix/usr/lib/postfix/sbin/master"), "-c", str(config), "-d"],
            {"LD_LIBRARY_PATH": self.root("postfix/usr/lib/postfix"), "MAIL_CONFIG": str(config)},
        )

    def _make_queue(self) -> None:
        queue = self.run / "q"
        for name, mode, group in (
            *((name, 0o700, None) for name in _QUEUES),
            ("maildrop", 0o730, SETGID),
            ("public", 0o710, SETGID),
        ):
            (queue / name).mkdir(parents=True)
            shutil.chown(queue / name, OWNER, group)
            (queue / name).chmod(mode)
        (queue / "pid").mkdir()
        for name in ("data", "mbox"):
            (self.run / name).mkdir()
            shutil.chown(self.run / name, OWNER)

    def _make_sasl(self) -> None:
        users = self.run / "etc/sasl/sasldb2"
        self.write(
            "etc/sasl/smtpd.conf",
            "pwcheck_method: auxprop\nauxprop_plugin: sasldb\n"
            f"sasldb_path: {users}\nmech_list: PLAIN LOGIN\n",
        )
        save_sasl_user(users)
        shutil.chown(users, OWNER)

    def _settings(self) -> dict[str, str]:
        ids = pwd.getpwnam(OWNER)
        unpacked = self.root("postfix")
        mailboxes = ", ".join(f"{name}@{DOMAIN}={name}/" for name in KNOWN)
        chain, key = self.copy_certificate()
        settings = {
            "compatibility_level": "3.6",
            "queue_directory": f"{self.run}/q",
            "data_directory": f"{self.run}/data",
            "command_directory": f"{unpacked}/usr/sbin",
            "daemon_directory": f"{unpacked}/usr/lib/postfix/sbin",
            "shlib_directory": f"{unpacked}/usr/lib/postfix",
            "meta_directory": f"{unpacked}/etc/postfix",
            "sendmail_path": f"{unpacked}/usr/sbin/sendmail",
            "mail_owner": OWNER,
            "setgid_group": SETGID,
            "default_privs": UNPRIVILEGED,
            # The master clears its environment, and its children need the libraries too.
            "import_environment": "MAIL_CONFIG MAIL_LOGTAG TZ LANG=C LD_LIBRARY_PATH",
            "maillog_file": f"{self.run}/postfix.log",
            "maillog_file_prefixes": str(self.run),
            "inet_interfaces": self.host,
            "inet_protocols": "ipv4",
            "myhostname": HOSTNAME,
            "mydomain": DOMAIN,
            "mydestination": "",
            # Nobody is trusted for the place it comes from: 127.0.0.1 must authenticate to relay.
            "mynetworks": "127.0.0.2/32",
            "alias_maps": "",
            "alias_database": "",
            "local_transport": "error:no local users",
            "local_recipient_maps": "",
            # Who has authenticated may send anywhere; bounces as well: none leaves this machine.
            "default_transport": "discard:nothing leaves this machine",
            "relay_transport": "discard:nothing leaves this machine",
            "smtp_dns_support_level": "disabled",
            "disable_dns_lookups": "yes",
            "smtpd_peername_lookup": "no",
            "virtual_mailbox_domains": DOMAIN,
            "virtual_mailbox_maps": f"inline:{{ {mailboxes} }}",
            "virtual_alias_maps": f"inline:{{ postmaster=postmaster@{DOMAIN} }}",
            "virtual_alias_domains": "",
            "virtual_mailbox_base": f"{self.run}/mbox",
            "virtual_uid_maps": f"static:{ids.pw_uid}",
            "virtual_gid_maps": f"static:{ids.pw_gid}",
            "virtual_minimum_uid": "1",
            "smtpd_relay_restrictions": "permit_sasl_authenticated, reject_unauth_destination",
            "smtpd_recipient_restrictions": "permit_sasl_authenticated, reject_unauth_destination",
            "message_size_limit": str(SIZE_LIMIT),
            "virtual_mailbox_limit": "0",
            "smtpd_error_sleep_time": "0",
            "smtpd_tls_cert_file": str(chain),
            "smtpd_tls_key_file": str(key),
            "smtpd_tls_security_level": "encrypt" if self.options.tls_required else "may",
            "smtpd_tls_auth_only": "no",
            "smtpd_sasl_auth_enable": "yes",
            "smtpd_sasl_type": "cyrus",
            "smtpd_sasl_path": "smtpd",
            "cyrus_sasl_config_path": f"{self.run}/etc/sasl",
            "smtpd_sasl_local_domain": DOMAIN,
            "smtpd_sasl_security_options": "noanonymous",
        }
        if self.options.auth_required:
            settings["smtpd_sender_restrictions"] = "permit_sasl_authenticated, reject"
        if self.options.impatient:
            settings["smtpd_timeout"] = "1s"
        if self.options.hardened:
            settings |= _HARDENED
        return settings


def save_sasl_user(database: Path) -> None:
    """Create a sasldb with the one user of the tests."""
    subprocess.run(
        ["saslpasswd2", "-p", "-c", "-f", str(database), "-u", DOMAIN, USER],
        input=PASSWORD.encode(),
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        check=True,
        capture_output=True,
        timeout=10,
    )
    database.chmod(0o600)
