"""docs/servers.md: what was seen, each row with its reason."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fsm_smtp.check.cases.case import Case
from tests.judged.reasons import Reason, Reasons
from tests.judged.record import Record, Row, Seen
from tests.judged.ways import WAYS

PAGE = Path(__file__).parents[2] / "docs" / "servers.md"

_HEAD = """\
# Real servers

What `fsm-smtp check` says of real servers on loopback, and why. Every `fail`, `warn` and `timeout`
has its reason here: what the RFC asks for, what the server does, and its own documentation or
setting where it has one. A row is no judgement of a server's worth: most are leniency on purpose,
or a reply code that differs. A verdict that is wrong is a bug of `fsm-smtp`: tell us.

`make exam` has made this page: {cases} cases against each server, everything twice, and both runs
must say the same. `make test` judges some of the servers again and fails on a row without a
reason. The rows are data in [servers.json](servers.json), the reasons in
[tests/judged/reasons/](../tests/judged/reasons); `python -m tests.judged --page` makes the page
anew from both, without a server.

A few rows have no more than their number here, in the column *not shown*: what they are about may
not be known to those who make the server, who hear of it first.

## The servers

A way is a server with its settings; below, *(all)* stands for every way of that server.

| way | version | seen | settings | pass | fail | warn | open | skip | inconclusive | not shown |
|---|---|---|---|--:|--:|--:|--:|--:|--:|--:|"""

_EXPLAINED = """
## The rows

Grouped by case. `fail`: a MUST was broken; `warn`: a SHOULD was not followed, or a MUST was
kept but for the reply code."""


def page(record: Record, reasons: Reasons, cases: Sequence[Case]) -> str:
    """The whole page.

    Raises:
        LookupError: a row of the record has no reason.
    """
    return "\n".join(_lines(record, reasons, cases)) + "\n"


def _lines(record: Record, reasons: Reasons, cases: Sequence[Case]) -> Iterator[str]:
    total = max((sum(one.counts.values()) for one in record.values()), default=0)
    yield _HEAD.format(cases=total)
    for name, one in record.items():
        yield _summary(name, one, reasons.withheld.get(name, 0))
    yield ""
    for name, one in record.items():
        links = [f"[{each.id}](#{_anchor(each.id)})" for each in cases if each.id in one.rows]
        yield f"- **{name}**: {', '.join(links) or 'nothing'}"
    yield _EXPLAINED
    for case in cases:
        rows = {name: one.rows[case.id] for name, one in record.items() if case.id in one.rows}
        if not rows:
            continue
        yield f"\n### {case.id}\n"
        yield f"RFC {case.rfc} §{case.section}, {case.level}. {case.requirement}\n"
        yield "| way | verdict | got |\n|---|---|---|"
        for row, names in _alike(rows).items():
            yield f"| {_named(names)} | {row.verdict} | {_code(row.got)} |"
        for reason, names in _by_reason(case.id, rows, reasons).items():
            see = f" (See {'; '.join(reason.see)}.)" if reason.see else ""
            yield f"\n**{_named(names)}**: {reason.says}{see}"


def _summary(name: str, one: Seen, withheld: int) -> str:
    count = one.counts
    open_ = count["latitude"] + count["info"]
    numbers = [count["pass"], count["fail"] + count["timeout"], count["warn"], open_]
    numbers += [count["skip"], count["inconclusive"], withheld]
    what = f"{name} | {one.version} | {one.date} | {WAYS[name].settings}"
    return f"| {what} | {' | '.join(map(str, numbers))} |"


def _alike(rows: Mapping[str, Row]) -> Mapping[Row, list[str]]:
    """Ways by what was seen: equal rows are one."""
    found: dict[Row, list[str]] = {}
    for name, row in rows.items():
        found.setdefault(row, []).append(name)
    return found


def _by_reason(case: str, rows: Mapping[str, Row], reasons: Reasons) -> Mapping[Reason, list[str]]:
    """Ways by their reason."""
    found: dict[Reason, list[str]] = {}
    for name in rows:
        reason = reasons.of(name, case)
        if reason is None:
            raise LookupError(f"{name}, {case} has no reason")
        found.setdefault(reason, []).append(name)
    return found


def _named(names: Sequence[str]) -> str:
    """Ways by name; all of a server's as one."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(WAYS[name].server, []).append(name)
    every = Counter(way.server for way in WAYS.values() if not way.lmtp)
    return ", ".join(
        f"{server} (all)" if 1 < len(some) == every[server] else ", ".join(some)
        for server, some in found.items()
    )


def _anchor(case: str) -> str:
    """Of a heading, as it is made of its text."""
    return case.lower().replace(".", "")


def _code(text: str) -> str:
    """*text* in a table, as it came."""
    return f"`` {text.replace('|', chr(92) + '|').replace('`', chr(39))} ``"
