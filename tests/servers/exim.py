"""Exim, the heavy Debian build. Needs root, to change to the users that deliver."""

import grp
import pwd
import shutil
from pathlib import Path
from typing import ClassVar

from tests.servers import namespace
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

OWNER = "mail"
COMPILED_USER = "Debian-exim"
BINARY = "root/exim/usr/sbin/exim4"

_AUTH_REQUIRED = """
  accept authenticated = *
  deny message = 530 5.7.0 Authentication required
"""
_TLS_REQUIRED = """
  accept encrypted = *
  deny message = 530 5.7.0 Must issue a STARTTLS command first
"""


class Exim(Server):
    """Exim. Three unknown commands, or more than ten non-mail commands, end its connection."""

    name: ClassVar[str] = "exim"
    needs: ClassVar[Needs] = Needs(fetched=(BINARY,), root=True)
    supports: ClassVar[frozenset[str]] = frozenset({"auth_required", "tls_required", "impatient"})

    @property
    def offers(self) -> Offers:
        return Offers(
            frozenset({"SIZE", "8BITMIME", "PIPELINING", "PIPECONNECT", "CHUNKING", "SMTPUTF8"}),
            starttls=True,
            tls_works=True,
            auth=frozenset({"PLAIN", "LOGIN"}),
        )

    def logs(self) -> list[Path]:
        return [self.run / "log" / name for name in ("mainlog", "rejectlog", "paniclog")]

    def prepare(self) -> Launch:
        self.copy_certificate(OWNER)
        for name in ("spool", "log", "mbox"):
            (self.run / name).mkdir()
            shutil.chown(self.run / name, OWNER, OWNER)
        # The user's name is compiled in, and asked for before any setting is read.
        passwd, group = namespace.accounts(self.run, {COMPILED_USER: pwd.getpwnam(OWNER).pw_uid})
        config = self.write("exim.conf", self._settings())
        return Launch(
            [str(self.fetched / BINARY), "-C", str(config), "-bdf"],
            {
                "LD_PRELOAD": "libnss_wrapper.so",
                "NSS_WRAPPER_PASSWD": str(passwd),
                "NSS_WRAPPER_GROUP": str(group),
            },
        )

    def _settings(self) -> str:
        group = grp.getgrgid(pwd.getpwnam(OWNER).pw_gid).gr_name
        demands = ""
        if self.options.auth_required:
            demands = _AUTH_REQUIRED
        elif self.options.tls_required:
            demands = _TLS_REQUIRED
        return f"""\
exim_user = {OWNER}
exim_group = {group}
trusted_users = {OWNER}
never_users =
deliver_drop_privilege = true
exim_path = {self.fetched / BINARY}
spool_directory = {self.run}/spool
log_file_path = {self.run}/log/%slog
pid_file_path = {self.run}/exim.pid
primary_hostname = {HOSTNAME}
qualify_domain = {DOMAIN}
local_interfaces = {self.host}
daemon_smtp_ports = {self.port}
daemon_startup_retries = 0
domainlist local_domains = {DOMAIN}
acl_smtp_mail = acl_mail
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_data
acl_smtp_vrfy = accept
host_lookup =
dns_ipv4_lookup =
rfc1413_query_timeout = 0s
pipelining_advertise_hosts = *
chunking_advertise_hosts = *
tls_advertise_hosts = *
tls_certificate = {self.run}/cert.pem
tls_privatekey = {self.run}/key.pem
message_size_limit = {SIZE_LIMIT}
smtp_accept_max = 200
smtp_receive_timeout = {"1s" if self.options.impatient else "5m"}
smtp_accept_queue = 0
smtp_accept_queue_per_connection = 0
# Without these the daemon would clear what stands in for its compiled-in user.
keep_environment = LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP

begin acl
acl_mail:{demands or chr(10)}  accept
acl_rcpt:
  accept domains = +local_domains
         verify = recipient
  accept authenticated = *
  deny message = relay not permitted
acl_data:
  accept

begin routers
local:
  driver = accept
  domains = +local_domains
  local_parts = {" : ".join(KNOWN)}
  transport = maildir

begin transports
maildir:
  driver = appendfile
  directory = {self.run}/mbox/$local_part_data
  create_directory
  maildir_format
  user = {OWNER}
  group = {group}

begin retry
begin rewrite

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{USER}}}}}{{eq{{$auth3}}{{{PASSWORD}}}}}}}}}
  server_set_id = $auth2
  server_advertise_condition = *
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = <| Username: | Password:
  server_condition = ${{if and{{{{eq{{$auth1}}{{{USER}}}}}{{eq{{$auth2}}{{{PASSWORD}}}}}}}}}
  server_set_id = $auth1
  server_advertise_condition = *
"""
