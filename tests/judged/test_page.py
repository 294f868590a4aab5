"""docs/servers.md is what it says it is, and two of the real servers still do what it says."""

from pathlib import Path

import pytest

from fsm_smtp.check.cases.suite import load_suite
from fsm_smtp.errors import SpecError
from tests.judged import reasons as reading
from tests.judged.page import PAGE, page
from tests.judged.reasons import Reason, Reasons, load_reasons
from tests.judged.record import Row, Seen, load, save, seen, verdicts
from tests.judged.versions import version_of
from tests.judged.ways import WAYS, judge
from tests.servers import registry
from tests.servers.fixtures import ServerPark

CASES = load_suite().cases
IDS = [case.id for case in CASES]
REASONS = load_reasons(IDS, list(WAYS))
RECORD = load()
AGAIN = "python -m tests.judged --page makes it anew"

#: The one that needs nothing but pip, and the one with the most extensions; `make exam` has all.
QUICK = ("aiosmtpd", "postfix")


def test_the_page_is_up_to_date() -> None:
    assert page(RECORD, REASONS, CASES) == PAGE.read_text("utf-8"), AGAIN


def test_every_server_that_can_run_is_on_it() -> None:
    assert list(RECORD) == list(WAYS)
    # smtp-sink swallows everything, to measure clients by: it is no server to judge.
    assert {way.server for way in WAYS.values()} == set(registry.SERVERS) - {"smtp-sink"}


def test_every_reason_is_about_something_that_was_seen() -> None:
    assert REASONS.unused({name: one.rows for name, one in RECORD.items()}) == []


def test_what_has_no_reason_is_not_in_the_record() -> None:
    for name, one in RECORD.items():
        bad = sum(one.counts[verdict] for verdict in ("fail", "warn", "timeout", "error"))
        assert bad == len(one.rows) + REASONS.withheld.get(name, 0), name
        assert one.counts["error"] == 0, name


@pytest.mark.parametrize("name", QUICK)
def test_a_server_says_the_same_twice_and_nothing_without_a_reason(
    servers: ServerPark, name: str
) -> None:
    way = WAYS[name]
    server = servers.start(way.server, **way.options)
    first, second = judge(server, way), judge(server, way)
    assert verdicts(first) == verdicts(second)
    not_well = first.not_well()
    told = {case: f"{one.verdict}: {one.actual}" for case, one in not_well.items()}
    assert {case: told[case] for case in REASONS.open_questions(name, not_well)} == {}
    now = seen(name, version_of(way.server), first, REASONS)
    if now.version == RECORD[name].version:  # another one may do better, or otherwise
        assert now.rows == RECORD[name].rows


# The reasons themselves

_BARE_LF, _HELP = "5321-2.3.8-bare-lf-command", "5321-4.1.1.8-help"
_ONE = Reason("a.yaml:1", (_HELP,), ("postfix*",), "There is none.", ())
_OTHER = Reason("b.yaml:1", (_BARE_LF, _HELP), ("exim",), "It is so.", ())


def test_a_reason_covers_ways_by_glob() -> None:
    reasons = Reasons((_ONE, _OTHER), {})
    assert reasons.of("postfix-tls", _HELP) is _ONE
    assert reasons.of("exim-auth", _HELP) is None
    assert reasons.unexplained("postfix", [_HELP, _BARE_LF]) == [_BARE_LF]


def test_two_reasons_for_a_row_are_one_too_many() -> None:
    with pytest.raises(ValueError, match=r"explained twice: a\.yaml:1 and c\.yaml:1"):
        Reasons((_ONE, Reason("c.yaml:1", (_HELP,), ("*",), "", ())), {}).of("postfix", _HELP)


@pytest.mark.parametrize(("withheld", "expected"), [(1, []), (0, [_BARE_LF]), (2, [_BARE_LF])])
def test_only_as_many_rows_as_are_withheld_may_lack_a_reason(
    withheld: int, expected: list[str]
) -> None:
    reasons = Reasons((_ONE,), {"postfix": withheld})
    assert reasons.open_questions("postfix", [_HELP, _BARE_LF]) == expected


def test_a_reason_for_nothing_is_found() -> None:
    reasons = Reasons((_ONE, _OTHER), {})
    assert reasons.unused({"postfix": [_HELP], "exim": [_HELP]}) == [f"b.yaml:1: {_BARE_LF}"]
    assert reasons.unused({"exim": [_HELP, _BARE_LF]}) == [
        f"a.yaml:1: {_HELP}",
        "a.yaml:1: postfix*",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("reasons: [{cases: 5321-4.1.1.8-hlep, servers: exim, says: x}]", "no case is called"),
        ("reasons: [{cases: 5321-4.1.1.8-help, servers: qmail, says: x}]", "no way is like qmail"),
        ("reasons: [{cases: 5321-4.1.1.8-help, servers: exim}]", "needs the key 'says'"),
        ("other: []", "'other' is no key"),
    ],
)
def test_a_mistake_in_a_file_has_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, problem: str
) -> None:
    (tmp_path / "one.yaml").write_text(text, "utf-8")
    monkeypatch.setattr(reading, "FOLDER", tmp_path)
    with pytest.raises(SpecError, match=problem):
        load_reasons(IDS, list(WAYS))


def test_a_record_survives_its_file(tmp_path: Path) -> None:
    rows = {_HELP: Row("warn", "500 “?”")}
    record = {"postfix": Seen("2026-01-01", "3.7", {"pass": 1, "warn": 1}, rows)}
    save(record, tmp_path / "servers.json")
    assert load(tmp_path / "servers.json") == record
