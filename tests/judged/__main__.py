"""Judges the real servers that can run here and prints what is not well; exit 1 if one is missing.

A verdict `error` is a mistake of ours, and exit 1 too.
"""

import sys
from collections import Counter

from fsm_smtp.check.cases.case import Verdict
from tests.judged.ways import WAYS, judge
from tests.servers import registry
from tests.servers.fixtures import park


def main(names: list[str]) -> int:
    """Judge the servers called *names*, all without."""
    bad = False
    with park() as servers:
        for name in names or WAYS:
            way = WAYS[name]
            if (why := registry.unavailable(way.server)) is not None:
                print(f"{name}: {why}")
                bad = True
                continue
            judgement = judge(servers.start(way.server, **way.options), way)
            counts = Counter(one.verdict for one in judgement.results)
            print(f"{name}: {', '.join(f'{counts[one]} {one.value}' for one in Verdict)}")
            for case, result in judgement.not_well().items():
                print(f"  {result.verdict.value:<7} {case}: {result.actual}")
            bad |= counts[Verdict.ERROR] > 0
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
