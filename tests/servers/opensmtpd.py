"""OpenSMTPD, in a namespace that holds its compiled-in folders and users. Needs root."""

from typing import ClassVar

from tests.servers import namespace
from tests.servers.base import DOMAIN, HOSTNAME, KNOWN, Launch, Needs, Offers, Server

BINARY = "root/opensmtpd/usr/sbin/smtpd"
STORE_UID = STORE_GID = 65534
# Ids of two of Debian's unused accounts: two different ones, as OpenSMTPD demands.
USERS = {"opensmtpd": 9, "opensmtpq": 10}
EMPTY = "/var/lib/opensmtpd/empty"


class OpenSmtpd(Server):
    """OpenSMTPD. Debian's build fails each TLS handshake, and it offers AUTH only behind TLS.

    It refuses a message without header fields (550), and closes on pipelined input (500).
    """

    name: ClassVar[str] = "opensmtpd"
    needs: ClassVar[Needs] = Needs(fetched=(BINARY,), root=True, namespaces=True)

    @property
    def offers(self) -> Offers:
        return Offers(frozenset({"SIZE", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN"}), starttls=True)

    def prepare(self) -> Launch:
        chain, key = self.copy_certificate()
        self.mailboxes.mkdir()
        self.mailboxes.chmod(0o777)
        passwd, group = namespace.accounts(self.run, USERS, home=EMPTY)
        known = ", ".join(f'"{name}" = "vmail"' for name in KNOWN)
        # Words that are keywords as well must be quoted, so all are.
        config = self.write(
            "smtpd.conf",
            f'''\
pki "{HOSTNAME}" cert "{chain}"
pki "{HOSTNAME}" key "{key}"
table vusers {{ {known} }}
table ubase {{ "vmail" = "{STORE_UID}:{STORE_GID}:{self.mailboxes}" }}
smtp max-message-size 35M
listen on {self.host} port {self.port} hostname {HOSTNAME} tls pki "{HOSTNAME}"
action "local" maildir "{self.mailboxes}/%{{rcpt.user}}" virtual <vusers> userbase <ubase>
match from any for domain {{ "{DOMAIN}" }} action "local"
# What has no domain gets the server's own name (RFC 5321 section 4.5.1).
match from any for rcpt-to "postmaster@{HOSTNAME}" action "local"
''',
            0o600,  # it refuses a configuration that others may read
        )
        programs = self.root("opensmtpd/usr/libexec/opensmtpd")
        setup = [
            *(f"mount -t tmpfs none {each}" for each in ("/var/spool", "/var/lib", "/run")),
            "mount -t tmpfs none /usr/libexec",
            "mkdir -m 711 /var/spool/smtpd",
            f"mkdir -p {EMPTY} /usr/libexec/opensmtpd",
            namespace.bind(programs, "/usr/libexec/opensmtpd"),
            namespace.bind(passwd, "/etc/passwd"),
            namespace.bind(group, "/etc/group"),
        ]
        argv = [str(self.fetched / BINARY), "-d", "-f", str(config)]
        return Launch(namespace.command(argv, setup))
