"""The machine and the versions, without names or paths."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fsm_smtp.version import __version__

_LIBRARIES = ("transitions", "ruamel.yaml", "aiosmtplib")


def facts() -> list[str]:
    """One sentence each."""
    load = os.getloadavg()[0]
    return [
        f"{os.cpu_count()} cores, {_processor()}; load average at the end {load:.1f}",
        f"{platform.system()} {platform.release().split('-')[0]}, "
        f"{platform.python_implementation()} {platform.python_version()}",
        f"fsm_smtp {__version__}, smtplib of that Python, "
        + ", ".join(f"{name} {_version(name)}" for name in _LIBRARIES),
    ]


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
