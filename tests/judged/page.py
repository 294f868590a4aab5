"""docs/servers.md: the verdicts of one run beside the reasons."""

from collections import Counter
from collections.abc import Iterator, Mapping

from fsm_smtp.check.case import Verdict
from tests.judged.reasons import Explained
from tests.judged.ways import WAYS, Judgement

_HEAD = """\
# What real servers do

Every case of `fsm-smtp check` against real servers on loopback, and a reason for each verdict
that is not well. Written by `python -m tests.judged` on {date}; the reasons are
`docs/servers.yaml`, and a test refuses a failure or a warning that has none.

A failure is a departure from the letter of an RFC. Many are old, known and deliberate; what it
means for you is for you to say."""


def page(judgements: Mapping[str, Judgement], explained: Explained, date: str) -> str:
    """The page for what was judged; *date* as ``2026-01-31``."""
    return "\n".join(_lines(judgements, explained, date)) + "\n"


def _lines(judgements: Mapping[str, Judgement], explained: Explained, date: str) -> Iterator[str]:
    yield _HEAD.format(date=date)
    yield ""
    shown = tuple(Verdict)
    yield "| server | version | settings | " + " | ".join(shown) + " |"
    yield "|---|---|---|" + "--:|" * len(shown)
    for name, judgement in judgements.items():
        counts = Counter(one.verdict for one in judgement.results)
        numbers = " | ".join(str(counts[verdict]) for verdict in shown)
        link = f"[{name}](#{name})"
        yield f"| {link} | {explained.versions[name]} | {WAYS[name].settings} | {numbers} |"
    for name, judgement in judgements.items():
        yield from _server(name, judgement, explained)


def _server(name: str, judgement: Judgement, explained: Explained) -> Iterator[str]:
    reasons = explained.of(name)
    yield f"\n## {name}\n"
    found = judgement.not_well()
    if not found:
        yield "Nothing to explain."
        return
    for case, result in found.items():
        about = result.case
        place = f"RFC {about.rfc} §{about.section}"
        yield f"**{case}**: {result.verdict.value}. {about.requirement} ({place})"
        yield f"<br>Expected {_code(result.expected)}, got {_code(result.actual)}."
        if case in reasons:
            yield f"<br>{reasons[case].why} *{reasons[case].source}.*\n"
        else:
            yield "<br>Not explained.\n"


def _code(text: str) -> str:
    return "`` " + text.replace("`", "'") + " ``"
