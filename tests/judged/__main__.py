"""Judges every server that can run here and writes docs/servers.md; exit 1 if one is missing."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.judged.page import page
from tests.judged.reasons import load_reasons
from tests.judged.ways import WAYS, Judgement, judge
from tests.servers import registry
from tests.servers.fixtures import park

PAGE = Path(__file__).parents[2] / "docs" / "servers.md"


def main(names: list[str]) -> int:
    """Judge the servers called *names*, all without; only all of them make the page."""
    explained = load_reasons()
    judgements: dict[str, Judgement] = {}
    with park() as servers:
        for name in names or WAYS:
            way = WAYS[name]
            if (why := registry.unavailable(way.server)) is not None:
                sys.stderr.write(f"{name}: {why}\n")
                continue
            judgement = judge(servers.start(way.server, **way.options), way)
            judgements[name] = judgement
            for case, result in judgement.not_well().items():
                known = "" if case in explained.of(name) else "NOT EXPLAINED "
                sys.stderr.write(f"{name}: {known}{result.verdict} {case}: {result.actual}\n")
    if len(judgements) < len(WAYS):
        return 1 if not names else 0
    PAGE.write_text(page(judgements, explained, f"{datetime.now(UTC):%Y-%m-%d}"), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
