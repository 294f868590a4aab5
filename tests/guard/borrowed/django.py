"""``python -m tests.guard.borrowed.django …`` in Django's ``tests``: its runner, guarded.

Its last line says how many connections were guarded.
"""

import atexit
import runpy
import sys
from pathlib import Path

from fsm_smtp.guard import install
from tests.guard.borrowed import counting

if __name__ == "__main__":
    install()
    atexit.register(lambda: print(f"guarded {counting.guarded}"))
    sys.path.insert(0, str(Path.cwd()))
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]  # Django has modules of that name too
    sys.argv[0] = "runtests.py"
    runpy.run_path("runtests.py", run_name="__main__")
