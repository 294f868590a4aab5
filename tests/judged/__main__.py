"""Judges the real servers: `python -m tests.judged [--exam | --page] [NAME…]`.

Judges these servers, all without a name, and prints what does not go well, and what of it has no
reason. `--exam` judges each twice and writes docs/servers.json and docs/servers.md, where it leaves
alone what it did not judge or what went wrong; `--page` makes docs/servers.md anew from the record
and the reasons, without a server. Exit 1 if a server is missing, a row has no reason, a reason has
no row, two runs differ, or a verdict is `error`, which is a mistake of ours.
"""

import sys
from collections.abc import Sequence

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.cases.suite import load_suite
from tests.judged.page import PAGE, page
from tests.judged.reasons import Reasons, load_reasons
from tests.judged.record import FILE, Record, Seen, load, save, seen, verdicts
from tests.judged.versions import version_of
from tests.judged.ways import WAYS, Judgement, judge
from tests.servers import registry
from tests.servers.fixtures import ServerPark, park

CASES = load_suite().cases


def main(arguments: Sequence[str]) -> int:
    """Do as the options say; see above."""
    reasons = load_reasons([case.id for case in CASES], list(WAYS))
    if "--page" in arguments:
        PAGE.write_text(page(load(), reasons, CASES), "utf-8")
        return 0
    names = [name for name in arguments if name != "--exam"] or list(WAYS)
    twice = "--exam" in arguments
    known: dict[str, Seen] = dict(load()) if twice and FILE.exists() else {}
    wrong = 0
    with park() as servers:
        for name in names:
            if (why := registry.unavailable(WAYS[name].server)) is not None:
                print(f"{name}: {why}")
                wrong += 1
                continue
            judgement = _judged(servers, name)
            mistakes = _told(name, judgement, reasons)
            if twice:
                mistakes += _differs(verdicts(judgement), verdicts(_judged(servers, name)))
            if not mistakes:
                known[name] = seen(name, version_of(WAYS[name].server), judgement, reasons)
            wrong += mistakes
    if twice:
        record = {name: known[name] for name in WAYS if name in known}
        wrong += _idle(record, reasons)
        save(record)
        PAGE.write_text(page(record, reasons, CASES), "utf-8")
    return 1 if wrong else 0


def _judged(servers: ServerPark, name: str) -> Judgement:
    way = WAYS[name]
    return judge(servers.start(way.server, **way.options), way)


def _told(name: str, judgement: Judgement, reasons: Reasons) -> int:
    """Print what there is to say; how much of it is wrong."""
    not_well = judgement.not_well()
    found = list(verdicts(judgement).values())
    print(f"{name}: {', '.join(f'{found.count(one.value)} {one.value}' for one in Verdict)}")
    unexplained = reasons.unexplained(name, not_well)
    for case, result in not_well.items():
        mark = "?" if case in unexplained else " "
        print(f"  {mark} {result.verdict.value:<7} {case}: {result.actual}", flush=True)
    open_questions = reasons.open_questions(name, not_well)
    if open_questions:
        expected = reasons.withheld.get(name, 0)
        print(f"  {len(open_questions)} rows (?) without a reason, {expected} are withheld")
    return len(open_questions) + found.count(Verdict.ERROR.value)


def _differs(first: dict[str, str], second: dict[str, str]) -> int:
    different = [case for case, verdict in first.items() if second.get(case) != verdict]
    for case in different:
        print(f"  two runs differ: {case}: {first[case]}, then {second.get(case)}", flush=True)
    return len(different)


def _idle(record: Record, reasons: Reasons) -> int:
    idle = reasons.unused({name: one.rows for name, one in record.items()})
    for one in idle:
        print(f"a reason for nothing: {one}")
    return len(idle)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
