"""Colours of the verdicts on a terminal, and counts of them in a line."""

from collections.abc import Mapping

from rich.text import Text

from fsm_smtp.check.cases.case import Verdict

STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.WARN: "yellow",
    Verdict.LATITUDE: "cyan",
    Verdict.INFO: "blue",
    Verdict.SKIP: "dim",
    Verdict.INCONCLUSIVE: "magenta",
    Verdict.TIMEOUT: "bold magenta",
    Verdict.ERROR: "bold red",
}


def count_line(counts: Mapping[str, int]) -> Text:
    """How many cases have each verdict, those that none has left out."""
    line = Text()
    for verdict in Verdict:
        if count := counts.get(verdict.value, 0):
            line.append(", " if line else "")
            line.append(f"{count} {verdict.value}", style=STYLES[verdict])
    return line
