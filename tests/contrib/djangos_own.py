"""``python -m tests.contrib.djangos_own …`` in Django's ``tests``: its runner, with our backend.

Each test that does not pass is named in a line of its own.
"""

import runpy
import sys
import unittest
from pathlib import Path
from typing import Any

from django.core.mail.backends import smtp

from fsm_smtp.contrib.django import EmailBackend


def _told(kind: str) -> None:
    add: Any = getattr(unittest.TextTestResult, f"add{kind}")

    def added(self: Any, test: Any, error: Any) -> None:
        print(f"different {test.id()}")
        add(self, test, error)

    setattr(unittest.TextTestResult, f"add{kind}", added)


if __name__ == "__main__":
    smtp.EmailBackend = EmailBackend  # type: ignore[misc]
    _told("Error")
    _told("Failure")
    sys.path.insert(0, str(Path.cwd()))
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]  # Django has modules of that name too
    sys.argv[0] = "runtests.py"
    runpy.run_path("runtests.py", run_name="__main__")
