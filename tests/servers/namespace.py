"""Private mount and host-name namespaces, for servers whose paths and users are compiled in.

Nothing outside the server's own processes sees these mounts, and they end with it.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path

_UNSHARE = ("unshare", "--mount", "--uts", "--propagation", "private")


def command(argv: Sequence[str], setup: Sequence[str]) -> list[str]:
    """`argv` behind shell commands that furnish the namespace; the first that fails ends it."""
    script = "\n".join(["set -e", *setup, 'exec "$@"'])
    return [*_UNSHARE, "/bin/sh", "-c", script, "namespace", *argv]


def bind(source: Path | str, target: str) -> str:
    """Show `source` at `target`, which must exist."""
    return f"mount --bind {shlex.quote(str(source))} {shlex.quote(target)}"


def accounts(run: Path, users: dict[str, int], home: str = "/nonexistent") -> tuple[Path, Path]:
    """Write passwd and group files into `run`: this machine's, and `users` with these ids."""
    names = [f"{name}:x:{number}:" for name, number in users.items()]
    passwd = [
        f"{entry}{number}::{home}:/usr/sbin/nologin"
        for entry, number in zip(names, users.values(), strict=True)
    ]
    made: list[Path] = []
    for file, added in (("passwd", passwd), ("group", names)):
        kept = Path("/etc", file).read_text("utf-8").splitlines()
        kept = [line for line in kept if line.partition(":")[0] not in users]
        path = run / file
        path.write_text("".join(f"{line}\n" for line in (*kept, *added)), "utf-8")
        path.chmod(0o644)
        made.append(path)
    return made[0], made[1]
