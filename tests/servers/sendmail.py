"""Sendmail, in a namespace that gives it a host name it can qualify. Needs root."""

import subprocess
from typing import ClassVar

from tests.servers import namespace
from tests.servers.base import (
    DOMAIN,
    HOSTNAME,
    KNOWN,
    SIZE_LIMIT,
    Launch,
    Needs,
    Offers,
    Server,
    ServerError,
)
from tests.servers.postfix import save_sasl_user

BINARY = "root/sendmail/usr/libexec/sendmail/sendmail"
MACROS = "root/sendmail/usr/share/sendmail/cf"

# Keys below a world-writable folder such as /tmp are unsafe to it: it sees the run folder here.
VIEW = "/mnt"

OUTSIDE = "outside"  # the Maildir for mail to other domains

# `$1` is the local part. Written aside, then moved: a reader never sees half a message.
_DELIVER = """\
#!/bin/sh
set -e
umask 022
mkdir -p "{mbox}/$1/tmp" "{mbox}/$1/new"
cat >"{mbox}/$1/tmp/$$"
mv "{mbox}/$1/tmp/$$" "{mbox}/$1/new/$$"
"""

_SASL = """\
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {view}/sasl/sasldb2
mech_list: PLAIN LOGIN
"""

# Tabs part a topic and its lines. Without this file it offers HELP and answers 502.
_HELP = "#vers\t2\nsmtp\tHELO EHLO MAIL RCPT DATA\nsmtp\tRSET NOOP QUIT HELP VRFY\n"

# By its own rules 127.0.0.1 may relay, and here every client comes from there. Tabs part the sides.
_STRANGERS = (
    "SLocal_check_rcpt",
    "R$*\t$: $>CanonAddr $1",
    "R$* < @ $=w . > $*\t$@ OK",
    "R$* < @ $+ > $*\t$: $&{auth_type} $| $2",
    "R$+ $| $*\t$@ OK",
    'R$| $*\t$#error $@ 5.7.1 $: "550 Relaying denied"',
)


def _define(name: str, value: str) -> str:
    return f"define(`{name}', `{value}')dnl"


class Sendmail(Server):
    """Sendmail. More than twenty NOOPs slow it down; such children outlive its daemon."""

    name: ClassVar[str] = "sendmail"
    needs: ClassVar[Needs] = Needs(
        fetched=(BINARY, MACROS), programs=("m4", "saslpasswd2"), root=True, namespaces=True
    )
    supports: ClassVar[frozenset[str]] = frozenset({"auth_required"})

    @property
    def offers(self) -> Offers:
        keywords = "ENHANCEDSTATUSCODES PIPELINING EXPN VERB 8BITMIME SIZE DSN ETRN DELIVERBY"
        return Offers(
            frozenset(keywords.split()),
            starttls=True,
            tls_works=True,
            auth=frozenset({"PLAIN", "LOGIN"}),
        )

    def prepare(self) -> Launch:
        self.copy_certificate()
        self.write("ca.pem", self.certificate.authority.read_text("utf-8"))
        (self.run / "q").mkdir(mode=0o700)
        self.mailboxes.mkdir()
        self.mailboxes.chmod(0o777)
        self.write("deliver", _DELIVER.format(mbox=self.mailboxes), 0o755)
        self.write("service.switch", "hosts files\naliases files\n")
        self.write("aliases", "")
        self.write("helpfile", _HELP)
        self.write("sasl/Sendmail.conf", _SASL.format(view=VIEW))
        save_sasl_user(self.run / "sasl/sasldb2")
        hosts = self.write("hosts", f"127.0.0.1 {HOSTNAME} mx localhost\n")
        resolver = self.write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        switch = self.write("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")
        self.write("sendmail.cf", self._configuration())
        setup = [
            f"hostname {HOSTNAME}",
            namespace.bind(hosts, "/etc/hosts"),
            f"[ ! -e /etc/resolv.conf ] || {namespace.bind(resolver, '/etc/resolv.conf')}",
            namespace.bind(switch, "/etc/nsswitch.conf"),
            namespace.bind(self.run, VIEW),
        ]
        argv = [str(self.fetched / BINARY), "-C", f"{VIEW}/sendmail.cf", "-bD"]
        return Launch(namespace.command(argv, setup))

    def _configuration(self) -> str:
        """sendmail.cf, made from sendmail.mc by m4."""
        macros = self.fetched / MACROS
        source = self.write("sendmail.mc", self._macros())
        made = subprocess.run(
            ["m4", f"-D_CF_DIR_={macros}/", str(macros / "m4/cf.m4"), str(source)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        if made.returncode != 0:
            raise ServerError(f"sendmail: m4 failed\n{made.stderr}")
        return made.stdout

    def _macros(self) -> str:
        safe = "AssumeSafeChown,GroupReadableKeyFile,GroupWritableDirPathSafe,NonRootSafeAddr"
        demand = "M=a," if self.options.auth_required else ""
        options = f"Name=MTA,Family=inet,Addr={self.host},{demand}Port={self.port}"
        defines = {
            "ALIAS_FILE": f"{VIEW}/aliases",
            "HELP_FILE": f"{VIEW}/helpfile",
            "STATUS_FILE": f"{VIEW}/statistics",
            "QUEUE_DIR": f"{VIEW}/q",
            "confPID_FILE": f"{VIEW}/sendmail.pid",
            "confDONT_BLAME_SENDMAIL": safe,
            "confDOMAIN_NAME": HOSTNAME,
            "confBIND_OPTS": "",
            "confTO_IDENT": "0",
            "confSERVICE_SWITCH_FILE": f"{VIEW}/service.switch",
            "confHOSTS_FILE": "/etc/hosts",
            "confDEF_USER_ID": "nobody:nogroup",
            "confPRIVACY_FLAGS": "",
            "confMAX_MESSAGE_SIZE": str(SIZE_LIMIT),
            "confCACERT_PATH": VIEW,
            "confCACERT": f"{VIEW}/ca.pem",
            "confSERVER_CERT": f"{VIEW}/cert.pem",
            "confSERVER_KEY": f"{VIEW}/key.pem",
            "confTLS_SRV_OPTIONS": "V",
            "confAUTH_MECHANISMS": "PLAIN LOGIN",
            "confAUTH_OPTIONS": "A",
            "confAUTH_REALM": DOMAIN,
            "confMAX_RCPTS_PER_MESSAGE": "100",
            "confCW_FILE": f"-o {VIEW}/names",
        }
        # Tabs part the two sides of a rule.
        local = [f"R{name} < @ $=w . > $*\t$#file $: {name}" for name in KNOWN]
        return "\n".join(
            [
                "divert(0)dnl",
                "OSTYPE(`linux')dnl",
                "DOMAIN(`generic')dnl",
                "undefine(`ALIAS_FILE')dnl",
                *(_define(name, value) for name, value in defines.items()),
                "TRUST_AUTH_MECH(`PLAIN LOGIN')dnl",
                "FEATURE(`no_default_msa')dnl",
                "FEATURE(`nocanonify')dnl",
                "FEATURE(`accept_unresolvable_domains')dnl",
                "FEATURE(`accept_unqualified_senders')dnl",
                f"DAEMON_OPTIONS(`{options}')dnl",
                f"LOCAL_DOMAIN(`{DOMAIN}')dnl",
                "MAILER(`local')dnl",
                "MAILER(`smtp')dnl",
                "MAILER_DEFINITIONS",
                f"Mfile,\tP={self.run}/deliver, F=lDFMnu, S=EnvFromL/HdrFromL, "
                "R=EnvToL/HdrToL, T=DNS/RFC822/X-Unix, A=deliver $u",
                "LOCAL_CONFIG",
                # It clears its environment, and this is the one way to name the folder.
                f"ESASL_CONF_PATH={VIEW}/sasl",
                "LOCAL_RULE_0",
                *local,
                "Rpostmaster\t$#file $: postmaster",
                'R$+ < @ $=w . > $*\t$#error $@ 5.1.1 $: "550 User unknown"',
                # Who has authenticated may send anywhere; bounces as well: none leaves this folder.
                f"R$+ < @ $+ > $*\t$#file $: {OUTSIDE}",
                "LOCAL_RULESETS",
                *_STRANGERS,
                "",
            ]
        )
