"""The suite as a table of contents."""

from rich.console import Console
from rich.text import Text

from fsm_smtp.check.cases.suite import Suite


def print_list(console: Console, suite: Suite) -> None:
    """The suite as a table of contents."""
    section = ""
    for case in suite.cases:
        heading = f"RFC {case.rfc} §{case.section}  {case.title}"
        if heading != section:
            console.print(Text(("\n" if section else "") + heading, style="bold"), soft_wrap=True)
            section = heading
        row = Text(f"  {case.id:<44} ")
        row.append(f"{case.level.value:<6} ", style="dim")
        row.append(case.requirement)
        console.print(row, soft_wrap=True)
