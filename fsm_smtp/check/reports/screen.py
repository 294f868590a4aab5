"""A terminal that may go away, or be a file on a full disk, while the run goes on."""

import contextlib
import sys

from fsm_smtp.check.events import Event
from fsm_smtp.check.reports.files import discard_stdout, reason
from fsm_smtp.check.reports.terminal import TerminalReport


class Screen:
    """Hands events to *terminal* until it fails; the other reports do not suffer from that.

    When it stands *alone*, nobody is left to run for, and a closed pipe ends the run at once.

    Attributes:
        written: whether everything was printed so far.
        broken_pipe: whether the reader has gone.
    """

    def __init__(self, terminal: TerminalReport, *, alone: bool) -> None:
        self._terminal = terminal
        self._alone = alone
        self.written = True
        self.broken_pipe = False

    def handle(self, event: Event) -> None:
        """Show *event*.

        Raises:
            BrokenPipeError: the reader has gone, and there is no other report.
        """
        if self.written:
            try:
                self._terminal.handle(event)
            except OSError as error:
                self._failed(error)

    def close(self) -> None:
        """Print the findings and the summary.

        Raises:
            BrokenPipeError: the reader has gone, and there is no other report.
        """
        if self.written:
            try:
                self._terminal.close()
            except OSError as error:
                self._failed(error)

    def _failed(self, error: OSError) -> None:
        self.written = False
        self.broken_pipe = isinstance(error, BrokenPipeError)
        if self.broken_pipe and self._alone:
            raise error
        if not self.broken_pipe:
            with contextlib.suppress(OSError):  # it may be the same full disk
                sys.stderr.write(f"Error: standard output: {reason(error)}\n")
            discard_stdout()
