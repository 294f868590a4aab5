"""The checker examined: every fault against the whole suite; writes docs/checker.md.

``python -m tests.exam.checker [--quick] [--only NAME…]``; quick is what `make test` does: a fault
meets only the cases that name what it breaks. With ``--only`` a fault is played whose name is
given, or matches, and the page is left as it is. Exit 1 if a fault is not found, a case of level
MUST or SHOULD finds none, or the command would end with a wrong exit code.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import cache, partial
from pathlib import Path

from fsm_smtp.check.cases.case import Level, Verdict
from fsm_smtp.check.cases.suite import Suite, load_suite
from fsm_smtp.register import Requirement, load_register
from fsm_smtp.testing.server.faults import FAULTS, LIBERTIES, Fault
from tests.check.fast_clock import run_fast
from tests.check.faults.playing import Played, found, owed_codes, play, play_all
from tests.check.faults.ways import WAYS

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
| wrong exit codes | {codes} |
"""

_CODES = """\
## Exit codes

The command ends with 1 if a case fails, and warnings fail with `--strict` only. So a server that
breaks a MUST must bring about 1 either way, and one that does not follow a SHOULD 1 with
`--strict`, by the cases that are about it; 2 is for a server that lets no check begin. What these
runs end with stands in the tables, without and with `--strict`: where a server that does not follow
a SHOULD has 1 without it, a MUST is broken with it. All runs are with `--slow`; a server of LMTP
meets the cases of RFC 2033, and one whose sessions share what they know those that are about it.
"""


_suite = cache(load_suite)


@dataclass(frozen=True)
class Seen:
    """What a run against one fault has shown, by case id."""

    about: tuple[str, ...]
    failing: frozenset[str]
    warning: frozenset[str]
    unreachable: str | None
    codes: tuple[int, int]
    codes_about: tuple[int, int]


def _seen(fault: Fault, played: Played) -> Seen:
    order = {case.id: number for number, case in enumerate(_suite().cases)}
    about = sorted(found(fault, played), key=order.__getitem__)
    failing, warning = played.of(Verdict.FAIL), played.of(Verdict.WARN)
    return Seen(
        tuple(about),
        frozenset(failing),
        frozenset(warning),
        played.unreachable,
        played.exit_codes,
        played.naming(fault.breaks).exit_codes,
    )


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


@dataclass(frozen=True)
class Faithful:
    """What a faithful server of a kind has come to."""

    fails: int
    timeouts: int
    codes: tuple[int, int]

    @property
    def is_well(self) -> bool:
        """Nothing fails, and nothing is without an answer."""
        return (self.fails, self.timeouts, self.codes[0]) == (0, 0, 0)


def _faithful(name: str) -> Faithful:
    played = run_fast(play(_suite(), WAYS[name]))
    fails, timeouts = (len(played.of(one)) for one in (Verdict.FAIL, Verdict.TIMEOUT))
    return Faithful(fails, timeouts, played.exit_codes)


def examine_faithful() -> dict[str, Faithful]:
    """The whole suite against faithful servers, by kind."""
    with ProcessPoolExecutor(PROCESSES) as pool:
        return dict(zip(WAYS, pool.map(_faithful, WAYS), strict=True))


def wrong_codes(seen: Mapping[str, Seen]) -> list[str]:
    """Servers on which the command would end with a wrong exit code, and with which."""
    known = FAULTS | LIBERTIES
    wrong: list[str] = []
    for name, one in seen.items():
        owed = owed_codes(known[name])
        # Whatever else such a server does: 1 must stay 1, and nothing may keep a run from its end.
        lost = not known[name].permitted and one.codes[1] != owed[1]
        if one.codes_about != owed or one.codes[0] < owed[0] or lost:
            wrong.append(f"{name}: {_shown(one.codes)}, by what is about it "
                         f"{_shown(one.codes_about)}, owed {_shown(owed)}")  # fmt: skip
    return wrong


def _shown(codes: tuple[int, int]) -> str:
    """As in the page: without ``--strict``, and with it."""
    return f"{codes[0]} / {codes[1]}"


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
        if name in seen and not (seen[name].unreachable if fault.unreachable else seen[name].about)
    ]


def page(
    suite: Suite,
    seen: Mapping[str, Seen],
    faithful: Mapping[str, Faithful],
    date: str,
    met: str,
) -> Iterator[str]:
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
        codes=len(wrong_codes(seen)) + sum(not one.is_well for one in faithful.values()),
    )
    if idle or unseen:
        yield f"Suspect: {', '.join((*idle, *unseen))}.\n"
    yield _CODES
    yield "| faults that break a … | exit code / with `--strict` | how many |\n|---|---|--:|"
    yield from _tally(seen)
    yield "\nThe faithful server, of every kind, against the whole suite:\n"
    yield "| a server with … | fail | timeout | exit code / with `--strict` |\n|---|--:|--:|---|"
    for name, kind in faithful.items():
        yield f"| {name} | {kind.fails} | {kind.timeouts} | {_shown(kind.codes)} |"
    yield "\nWhat is not followed with `--strict` is 8BITMIME, where nothing is offered.\n"
    yield "## Faults\n"
    yield "“Others” are cases that fail or warn beside those that are about the fault.\n"
    for rfc, faults in _by_rfc(FAULTS, register).items():
        yield f"### RFC {rfc}\n"
        yield "| a server that … | breaks | is found by | others | exit |\n|---|---|---|--:|---|"
        yield from (_row(fault, seen[fault.name], register) for fault in faults)
        yield ""
    yield "## What only looks like a fault\n"
    yield "An RFC leaves it open, or no connection can decide it: a case may remark on it.\n"
    yield "| a server that … | see | cases that blame it | exit |\n|---|---|--:|---|"
    for name, fault in LIBERTIES.items():
        blamed = len(seen[name].failing | seen[name].warning)
        see, codes = register[fault.breaks].rfc, _shown(seen[name].codes)
        yield f"| {name} | RFC {see} | {blamed} | {codes} |"


def _tally(seen: Mapping[str, Seen]) -> Iterator[str]:
    """How many faults have which exit codes in a whole run."""
    counted = Counter((fault.recommended, seen[name].codes) for name, fault in FAULTS.items())
    for (recommended, codes), count in sorted(counted.items()):
        yield f"| {'SHOULD' if recommended else 'MUST'} | {_shown(codes)} | {count} |"


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
    return f"| {fault.name} | {breaks} | {named} | {others or ''} | {_shown(seen.codes)} |"


def chosen(globs: Sequence[str]) -> list[str]:
    """The names of faults that are, or match, one of *globs*; without any, all.

    Raises:
        SystemExit: one of them is, and matches, none.
    """
    names = [*FAULTS, *LIBERTIES]
    for glob in globs:
        if not any(name == glob or fnmatchcase(name, glob) for name in names):
            raise SystemExit(f"there is no fault {glob!r}")
    matching = (n for n in names if any(n == glob or fnmatchcase(n, glob) for glob in globs))
    return list(matching) if globs else names


def main(words: Sequence[str]) -> int:
    """Run, and write the page if everything was played."""
    parser = argparse.ArgumentParser(prog="tests.exam.checker")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    given = parser.parse_args(words)
    suite = _suite()
    seen = examine(chosen(given.only), quick=given.quick)
    wrong = wrong_codes(seen)
    if given.only:
        for name, one in seen.items():
            print(f"{_shown(one.codes):6} {name}: {one.unreachable or ', '.join(one.about) or '-'}")
        suspect = missed(seen)
    else:
        faithful = examine_faithful()
        met = "the cases that name what it breaks" if given.quick else "the whole suite"
        date = datetime.now(UTC).date().isoformat()
        PAGE.write_text("\n".join(page(suite, seen, faithful, date, met)).rstrip() + "\n", "utf-8")
        suspect = [*suspects(suite, seen), *missed(seen)]
        wrong += [f"faithful, {name}: {one}" for name, one in faithful.items() if not one.is_well]
    for line in (*suspect, *wrong):
        print(line)
    return bool(suspect or wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
