"""What was seen of the real servers: docs/servers.json, from which docs/servers.md is made."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from fsm_smtp.check.cases.case import Verdict
from tests.judged.reasons import Reasons
from tests.judged.ways import Judgement

FILE = Path(__file__).parents[2] / "docs" / "servers.json"

#: What differs from run to run: names of queue files and messages.
_PASSING = re.compile(r"\b(?=[0-9A-Fa-f-]*[0-9])[0-9A-Fa-f]{8}[0-9A-Fa-f-]*(?:\.\d+)*\b")
_SHOWN = 90


@dataclass(frozen=True)
class Row:
    """What did not go well: the verdict, and what came."""

    verdict: str
    got: str


@dataclass(frozen=True)
class Seen:
    """One way to judge a server, and what came of it.

    Attributes:
        date: the day of the run.
        version: of the server.
        counts: cases by verdict.
        rows: by case id; those without a reason are not among them.
    """

    date: str
    version: str
    counts: Mapping[str, int]
    rows: Mapping[str, Row]


#: What was seen, by way.
Record = Mapping[str, Seen]


def verdicts(judgement: Judgement) -> dict[str, str]:
    """By case id."""
    return {one.case.id: one.verdict.value for one in judgement.results}


def seen(way: str, version: str, judgement: Judgement, reasons: Reasons) -> Seen:
    """What is kept of *judgement*."""
    counts = Counter(verdicts(judgement).values())
    rows = {
        case: Row(one.verdict.value, _got(one.actual))
        for case, one in judgement.not_well().items()
        if reasons.of(way, case) is not None
    }
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    return Seen(today, version, {one.value: counts[one.value] for one in Verdict}, rows)


def _got(actual: str) -> str:
    text = _PASSING.sub("…", actual)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def save(record: Record, file: Path = FILE) -> None:
    """Write it."""
    document = {name: asdict(one) for name, one in record.items()}
    text = json.dumps(document, indent=1, ensure_ascii=False)
    file.write_text(text + "\n", "utf-8")


def load(file: Path = FILE) -> Record:
    """Read it."""
    return {
        name: Seen(
            one["date"],
            one["version"],
            one["counts"],
            {case: Row(**row) for case, row in one["rows"].items()},
        )
        for name, one in json.loads(file.read_text("utf-8")).items()
    }
