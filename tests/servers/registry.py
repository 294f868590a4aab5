"""Which servers there are, and why one cannot run here."""

import functools
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tests.servers import namespace
from tests.servers.aiosmtpd_server import Aiosmtpd
from tests.servers.base import Needs, Server
from tests.servers.dovecot import Dovecot
from tests.servers.exim import Exim
from tests.servers.haraka import Haraka
from tests.servers.nodemailer import NodemailerSmtpServer
from tests.servers.opensmtpd import OpenSmtpd
from tests.servers.postfix import Postfix
from tests.servers.sendmail import Sendmail
from tests.servers.smtp_sink import SmtpSink

FOLDER_VARIABLE = "FSM_SMTP_SERVERS"
REQUIRE_VARIABLE = "FSM_SMTP_REQUIRE_SERVERS"

_KINDS: tuple[type[Server], ...] = (
    *(Postfix, Exim, OpenSmtpd, Sendmail),
    *(Aiosmtpd, NodemailerSmtpServer, Haraka),
    *(Dovecot, SmtpSink),
)

#: Every server by name.
SERVERS: Mapping[str, type[Server]] = MappingProxyType({kind.name: kind for kind in _KINDS})


@dataclass(frozen=True)
class Absence:
    """Why a server cannot run here.

    Attributes:
        reason: one sentence.
        excused: nothing that `.ci/fetch-servers` could mend: no root, no namespaces, no node, no
            such package in this release. Then it is a skip even where servers are required.
    """

    reason: str
    excused: bool


def fetched_folder() -> Path:
    """Where `.ci/fetch-servers` put the servers: $FSM_SMTP_SERVERS, else .servers in the root."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen).resolve() if chosen else Path(__file__).resolve().parents[2] / ".servers"


def required() -> bool:
    """Is a server that is not here a failure (as in CI) in place of a skip?"""
    return os.environ.get(REQUIRE_VARIABLE, "") not in ("", "0")


def unavailable(name: str) -> str | None:
    """Why the server with this name cannot run here; ``None`` when it can."""
    found = absence(name)
    return None if found is None else found.reason


def absence(name: str) -> Absence | None:
    """Like `unavailable`, with whether it is excused. Raises `KeyError` for an unknown name."""
    needs = SERVERS[name].needs
    if refusal := _machine_lacks(needs):
        return Absence(f"{name} {refusal}", True)
    if not all((fetched_folder() / file).exists() for file in needs.fetched):
        return _not_fetched(name)
    # Only now, since the probe lays the fetched files over /usr.
    if needs.overlay and (refusal := _overlay_refused(fetched_folder() / needs.overlay)):
        return Absence(f"{name} needs an overlay of /usr: {refusal}", True)
    for program in needs.programs:
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            return Absence(f"{name} needs {program}: run .ci/fetch-servers as root", False)
    return None


def _machine_lacks(needs: Needs) -> str | None:
    if needs.root and os.geteuid() != 0:
        return "needs root"
    if needs.namespaces and (refusal := _namespaces_refused()):
        return f"needs namespaces of its own: {refusal}"
    if needs.node and shutil.which("node") is None:
        return "needs node"
    return None


def _not_fetched(name: str) -> Absence:
    listed = fetched_folder() / "absent"
    if listed.exists():
        for line in listed.read_text("utf-8").splitlines():
            server, _, reason = line.partition(": ")
            if server == name:
                return Absence(f"{name} could not be fetched: {reason}", True)
    return Absence(f"{name} is not in {fetched_folder()}: run .ci/fetch-servers", False)


@functools.cache
def _namespaces_refused() -> str | None:
    """Try what the servers do: a private mount namespace with a mount of its own."""
    if shutil.which("unshare") is None:
        return "there is no unshare"
    return _refusal("mount -t tmpfs none /mnt")


@functools.cache
def _overlay_refused(folder: Path) -> str | None:
    return _refusal(f"mount -t overlay -o lowerdir={folder}:/usr none /usr")


def _refusal(mount: str) -> str | None:
    probe = subprocess.run(
        namespace.command(["true"], [mount]),
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    return None if probe.returncode == 0 else probe.stderr.strip() or f"{mount} failed"
