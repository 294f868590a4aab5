"""Which version of a server is judged."""

import gzip
import json
import re
from importlib.metadata import version
from pathlib import Path

from tests.servers.registry import fetched_folder

#: Where a package of the distribution says its version, below the fetched ones.
_CHANGELOGS = {
    "dovecot": "dovecot-core",
    "exim": "exim4-daemon-heavy",
    "opensmtpd": "opensmtpd",
    "postfix": "postfix",
    "sendmail": "sendmail-bin",
}
_MODULES = {"haraka": "Haraka", "smtp-server": "smtp-server"}
_FIRST_LINE = re.compile(r"\S+ \((?:\d+:)?(\S+)\)")


def version_of(server: str) -> str:
    """The version of a server that can run here, as its package has it.

    Raises:
        LookupError: its package does not say.
    """
    if module := _MODULES.get(server):
        package = fetched_folder() / "npm" / module / "node_modules" / module / "package.json"
        return str(json.loads(package.read_text("utf-8"))["version"])
    if package_name := _CHANGELOGS.get(server):
        return _packaged(server, package_name)
    return version(server)


def _packaged(server: str, package: str) -> str:
    folder = fetched_folder() / "root" / server / "usr/share/doc" / package
    with gzip.open(Path(folder, "changelog.Debian.gz"), "rt", encoding="utf-8") as lines:
        found = _FIRST_LINE.match(lines.readline())
    if found is None:
        raise LookupError(f"the changelog of {package} has no version in its first line")
    return found[1]
