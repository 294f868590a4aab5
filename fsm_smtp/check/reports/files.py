"""Reports on disk: a file is there as a whole or not at all, and a failure is one line."""

import contextlib
import io
import os
import secrets
import stat
import sys
from collections.abc import Callable
from pathlib import Path

STDOUT = "-"


def write_report(file: str, text: str) -> None:
    """Write *text* to *file* as UTF-8, or to standard output for ``-``.

    A regular file is written beside its place and then renamed, so that nobody ever reads half a
    report, and an old one stays until the new one is whole. A device or a pipe is written to.

    Raises:
        OSError: it cannot be written; an old file is untouched then.
    """
    if file == STDOUT:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    place = Path(os.path.realpath(file))
    if place.exists() and not stat.S_ISREG(place.stat().st_mode):
        with place.open("w", encoding="utf-8") as out:
            out.write(text)
        return
    beside = place.with_name(f".{place.name[:100]}.{secrets.token_hex(4)}.tmp")
    try:
        with beside.open("x", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(place)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def reason(error: OSError) -> str:
    """Why, in a few words: ``no space left on device``."""
    return (error.strerror or str(error)).lower()


class Outputs:
    """Writes reports, each whatever became of the others.

    Attributes:
        written: whether all were written so far.
        broken_pipe: whether the reader of standard output has gone.
    """

    def __init__(self) -> None:
        self.written = True
        self.broken_pipe = False

    def write(self, option: str, file: str, report: Callable[[], str]) -> None:
        """Write what *report* makes to *file*; a failure is one line that names *option*."""
        try:
            write_report(file, report())
        except BrokenPipeError:
            self.written = False
            self.broken_pipe = True
        except OSError as error:
            self.written = False
            if file == STDOUT:
                discard_stdout()
            sys.stderr.write(f"Error: {option}: {file!r}: {reason(error)}\n")


def discard_stdout() -> None:
    """Let what is still in its buffer go nowhere, so that the interpreter can end quietly."""
    with contextlib.suppress(io.UnsupportedOperation):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
