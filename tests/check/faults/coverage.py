"""Which case finds which fault: ``python -m tests.check.faults.coverage [--quick] [FAULT]...``

Plays each fault (or those whose names contain one of the words given) against the whole suite and
prints the cases that fail or warn; then the faults that nothing catches, and the cases that no
fault makes fail. Ends with 1 if there are any of either. With ``--quick`` a fault meets only the
cases that name the requirement that it breaks, as in the tests.
"""

import asyncio
import sys
from collections.abc import Iterable

from fsm_smtp.check.cases.case import Level, Verdict
from fsm_smtp.check.cases.suite import Suite, load_suite
from fsm_smtp.testing.server.faults import FAULTS, Fault
from tests.check.faults.playing import Played, found, naming, play_fault

#: Faults that are played at a time.
AT_A_TIME = 4


async def play_all(
    faults: Iterable[Fault], suite: Suite, *, quick: bool = False
) -> dict[str, Played]:
    """What a check finds, by fault; *quick*: one of the cases that name what the fault breaks."""
    slots = asyncio.Semaphore(AT_A_TIME)

    async def one(fault: Fault) -> tuple[str, Played]:
        async with slots:
            cases = naming(suite.cases, fault.breaks) if quick else suite
            return fault.name, await play_fault(fault, cases) if cases.cases else Played()

    return dict(await asyncio.gather(*map(one, faults)))


def never_failing(suite: Suite, played: Iterable[Played]) -> list[str]:
    """Cases of level MUST that no fault makes fail."""
    failing = {name for one in played for name in one.of(Verdict.FAIL)}
    return [case.id for case in suite.cases if case.level is Level.MUST and case.id not in failing]


def _lines(fault: Fault, played: Played) -> list[str]:
    named = found(fault, played)
    lines = [f"{fault.name} ({fault.breaks})"]
    if played.unreachable is not None:
        lines.append(f"    unreachable: {played.unreachable}")
    for name, one in played.of(Verdict.FAIL, Verdict.WARN).items():
        beside = "" if name in named else "  (names another requirement)"
        lines.append(f"    {one.verdict:4} {name}{beside}")
    return lines


def main(words: list[str]) -> int:
    """Print the table; 1 if something is never caught or never fails."""
    suite = load_suite()
    quick = "--quick" in words
    words = [word for word in words if word != "--quick"]
    chosen = [
        fault for fault in FAULTS.values() if not words or any(word in fault.name for word in words)
    ]
    played = asyncio.run(play_all(chosen, suite, quick=quick))
    missed = []
    for fault in chosen:
        print(*_lines(fault, played[fault.name]), sep="\n")
        caught = (
            played[fault.name].unreachable
            if fault.unreachable
            else found(fault, played[fault.name])
        )
        if not caught:
            missed.append(f"{fault.breaks}  {fault.name}")
    print(f"\n{len(missed)} of {len(chosen)} faults that no case catches:", *missed, sep="\n    ")
    if words:
        return bool(missed)
    suspects = never_failing(suite, played.values())
    print(f"\n{len(suspects)} MUST cases that no fault makes fail:", *suspects, sep="\n    ")
    return bool(missed or suspects)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
