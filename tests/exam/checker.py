"""The checker examined: every fault against the whole suite; writes docs/checker.md.

``python -m tests.exam.checker [--quick]``; quick is what `make test` does: a fault meets only the
cases that name what it breaks. Exit 1 if a fault is not found, or a case of level MUST or SHOULD
finds none.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

from fsm_smtp.check.cases.case import Level, Verdict
from fsm_smtp.check.cases.suite import Suite, load_suite
from fsm_smtp.register import Requirement, load_register
from fsm_smtp.testing.server.faults import FAULTS, LIBERTIES, Fault
from tests.check.faults.playing import Played, found, play_all

PAGE = Path(__file__).parents[2] / "docs" / "checker.md"
#: Faults that one process plays at a time, and processes.
BATCH, PROCESSES = 8, 2
#: What a case must say of some fault, by its level; MAY blames nobody.
FINDS = {Level.MUST: (Verdict.FAIL,), Level.SHOULD: (Verdict.FAIL, Verdict.WARN)}
#: Cases that are named in a row of the page.
NAMED = 3

_HEAD = """\
# The checker examined

A checker that never fails proves nothing. So it is played against a server of its own: a faithful
one, on which nothing may fail, and the same with one fault at a time
([`fsm_smtp/testing/server/faults`](../fsm_smtp/testing/server/faults)). A fault breaks one
requirement of the [register](../specs/register); a case that is about it must fail (or warn, where
the RFC only recommends). This page is what was seen on {date}, when each fault met {met}.

| | |
|---|--:|
| cases | {cases} |
| of level MUST or SHOULD | {binding} |
| of these, made to fail by no fault | {suspects} |
| faults | {faults} |
| of these, found by no case that is about it | {missed} |
| found by a single case | {single} |
| what only looks like a fault, and is blamed by no case | {liberties} |
"""


_suite = cache(load_suite)


@dataclass(frozen=True)
class Seen:
    """What a run against one fault has shown, by case id."""

    about: tuple[str, ...]
    failing: frozenset[str]
    warning: frozenset[str]
    unreachable: str | None


def _seen(fault: Fault, played: Played) -> Seen:
    order = {case.id: number for number, case in enumerate(_suite().cases)}
    about = sorted(found(fault, played), key=order.__getitem__)
    failing, warning = played.of(Verdict.FAIL), played.of(Verdict.WARN)
    return Seen(tuple(about), frozenset(failing), frozenset(warning), played.unreachable)


def _batch(names: Sequence[str], quick: bool) -> dict[str, Seen]:
    """Played in a process of its own; of the results only what the page needs comes back."""
    faults = [(FAULTS | LIBERTIES)[name] for name in names]
    played = play_all(faults, _suite(), about=quick)
    return {fault.name: _seen(fault, played[fault.name]) for fault in faults}


def examine(faults: Sequence[str], *, quick: bool) -> dict[str, Seen]:
    """Each fault against the whole suite; *quick*: against the cases that are about it."""
    batches = [faults[start : start + BATCH] for start in range(0, len(faults), BATCH)]
    seen: dict[str, Seen] = {}
    with ProcessPoolExecutor(PROCESSES) as pool:
        for batch in pool.map(partial(_batch, quick=quick), batches):
            seen |= batch
            print(f"\r{len(seen)} of {len(faults)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return seen


def suspects(suite: Suite, seen: Mapping[str, Seen]) -> list[str]:
    """Cases of level MUST that no fault makes fail, of level SHOULD that none makes warn."""
    failing = frozenset().union(*(one.failing for one in seen.values()))
    warning = failing.union(*(one.warning for one in seen.values()))
    finding = {Level.MUST: failing, Level.SHOULD: warning}
    return [
        case.id
        for case in suite.cases
        if case.level in finding and case.id not in finding[case.level]
    ]


def missed(seen: Mapping[str, Seen]) -> list[str]:
    """Faults that no case finds that is about them."""
    return [
        name
        for name, fault in FAULTS.items()
        if not (seen[name].unreachable if fault.unreachable else seen[name].about)
    ]


def page(suite: Suite, seen: Mapping[str, Seen], date: str, met: str) -> Iterator[str]:
    """The page, line by line."""
    register = {one.id: one for one in load_register()}
    idle, unseen = suspects(suite, seen), missed(seen)
    yield _HEAD.format(
        date=date,
        met=met,
        cases=len(suite.cases),
        binding=sum(case.level in FINDS for case in suite.cases),
        suspects=len(idle),
        faults=len(FAULTS),
        missed=len(unseen),
        single=sum(len(seen[name].about) == 1 for name in FAULTS),
        liberties=sum(not seen[name].failing | seen[name].warning for name in LIBERTIES),
    )
    if idle or unseen:
        yield f"Suspect: {', '.join((*idle, *unseen))}.\n"
    yield "## Faults\n"
    yield "“Others” are cases that fail or warn beside those that are about the fault.\n"
    for rfc, faults in _by_rfc(FAULTS, register).items():
        yield f"### RFC {rfc}\n"
        yield "| a server that … | breaks | is found by | others |\n|---|---|---|--:|"
        yield from (_row(fault, seen[fault.name], register) for fault in faults)
        yield ""
    yield "## What only looks like a fault\n"
    yield "An RFC leaves it open, or no connection can decide it: a case may remark on it.\n"
    yield "| a server that … | see | cases that blame it |\n|---|---|--:|"
    for name, fault in LIBERTIES.items():
        blamed = len(seen[name].failing | seen[name].warning)
        yield f"| {name} | RFC {register[fault.breaks].rfc} | {blamed} |"


def _by_rfc(
    faults: Mapping[str, Fault], register: Mapping[str, Requirement]
) -> dict[str, list[Fault]]:
    found_in: dict[str, list[Fault]] = {}
    for fault in faults.values():
        found_in.setdefault(register[fault.breaks].rfc.split()[0], []).append(fault)
    return dict(sorted(found_in.items(), key=lambda item: int(item[0])))


def _row(fault: Fault, seen: Seen, register: Mapping[str, Requirement]) -> str:
    named = ", ".join(f"`{name}`" for name in seen.about[:NAMED])
    more = len(seen.about) - NAMED
    if fault.unreachable:
        named = f"no check begins: {seen.unreachable}"
    elif more > 0:
        named = f"{named} and {more} more"
    others = len((seen.failing | seen.warning) - set(seen.about))
    section = register[fault.breaks].rfc.split()[1]
    breaks = f"{section} {fault.breaks}{' (SHOULD)' if fault.recommended else ''}"
    return f"| {fault.name} | {breaks} | {named} | {others or ''} |"


def main(words: Sequence[str]) -> int:
    """Run and write."""
    quick = "--quick" in words
    suite = _suite()
    seen = examine([*FAULTS, *LIBERTIES], quick=quick)
    met = "the cases that name what it breaks" if quick else "the whole suite"
    lines = page(suite, seen, datetime.now(UTC).date().isoformat(), met)
    PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    suspect = (*suspects(suite, seen), *missed(seen))
    print(*suspect, sep="\n")
    return bool(suspect)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
