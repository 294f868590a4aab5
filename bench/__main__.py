"""``python -m bench [--quick]``: run everything, print it, write ``bench/RESULTS.md``.

A target that is missed does not fail the run: it is printed with what was measured.
"""

import argparse
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from rich.console import Console

from bench.ahead import ahead
from bench.facts import facts
from bench.guarded import guard
from bench.report import Section, markdown, show, show_goals
from bench.sending import sending
from bench.sinks import sinking
from bench.starting import plugin, starting
from bench.triggers import triggers
from bench.verifying import verifying

_RESULTS = Path(__file__).with_name("RESULTS.md")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, under half a minute")
    parser.add_argument("--only", choices=_PARTS, help="one part; RESULTS.md is left alone")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="where the page goes")
    return parser.parse_args()


_PARTS: dict[str, Callable[[bool], Iterable[Section]]] = {
    "triggers": lambda quick: [triggers(quick=quick)],
    "ahead": lambda quick: ahead(quick=quick),
    "sending": lambda quick: sending(quick=quick),
    "guard": lambda quick: guard(quick=quick),
    "starting": lambda quick: [starting(quick=quick), plugin(quick=quick)],
    "sinks": lambda quick: [sinking(quick=quick)],
    "verifying": lambda _quick: [verifying()],
}


def main() -> None:
    """Run the parts that were asked for."""
    arguments = _parse()
    console = Console()
    write = partial(console.print, highlight=False, markup=False)
    began = time.monotonic()
    for fact in facts():
        write(fact)
    write()
    sections: list[Section] = []
    for name, part in _PARTS.items():
        if arguments.only in (None, name):
            for section in part(arguments.quick):
                show(console, section)
                sections.append(section)
    show_goals(console, sections)
    if arguments.only is None:
        arguments.output.write_text(markdown(sections, quick=arguments.quick), "utf-8")
    write(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
