"""A real browser without a window: what a page becomes in it, and what it complains of."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

#: As for the servers: with this set, what is missing is a failure and not a skip (CI sets it).
REQUIRE_VARIABLE = "FSM_SMTP_REQUIRE_SERVERS"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
#: Seconds for one page; a loaded machine needs patience.
PATIENCE = 60

_CONSOLE = re.compile(r"^\[[^\]]*\bCONSOLE\b.*", re.MULTILINE)


@dataclass(frozen=True)
class Seen:
    """A page after its scripts have run, as HTML, and the lines of the console."""

    dom: str
    console: tuple[str, ...]


def browser() -> str:
    """The program. Skips without one, by name; fails where everything is required."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is not None:
        return found
    reason = "no chromium here: apt install chromium"
    if os.environ.get(REQUIRE_VARIABLE, "") not in ("", "0"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def look(page: Path, fragment: str, profile: Path, *flags: str) -> Seen:
    """Open *page* with ``#fragment`` and a profile of its own."""
    command = [
        browser(), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
        f"--user-data-dir={profile}", *flags, "--dump-dom", f"{page.as_uri()}#{fragment}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True)
    log = done.stderr.decode(errors="replace")
    return Seen(done.stdout.decode(), tuple(_CONSOLE.findall(log)))
