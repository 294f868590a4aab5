"""How pan's report is read: what is cut short or unknown is a failure, never a verdict."""

import pytest

from tests.export.spin import Search, SearchFailed, read_report

_WHOLE = """\
(Spin Version 6.5.2 -- 6 December 2019)

Full statespace search for:
\tnever claim         \t+ (p_x)
\tassertion violations\t+ (if within scope of claim)
\tacceptance   cycles \t+ (fairness disabled)
\tinvalid end states\t- (disabled by never claim)

State-vector 28 byte, depth reached 47, errors: 0
     3346 states, stored
    44681 states, matched
    48027 transitions (= stored+matched)
        0 atomic steps
hash conflicts:         2 (resolved)

pan: elapsed time 0.01 seconds
"""
_VIOLATED = "pan:1: acceptance cycle (at depth 12)\npan: wrote model.pml.trail\n"


def test_a_whole_search() -> None:
    assert read_report(_WHOLE) == Search(stored=3346, transitions=48027, depth=47, errors=0)


def test_a_claim_that_is_violated() -> None:
    report = _VIOLATED + _WHOLE.replace("errors: 0", "errors: 1")
    report = report.replace("\n\nFull", "\nWarning: Search not completed\n\nFull")
    assert read_report(report, "p_x").errors == 1


@pytest.mark.parametrize(
    "report",
    [
        "error: max search depth too small\n" + _WHOLE,
        "pan: reached -DMEMLIM bound\n" + _WHOLE,
        "pan: out of memory\n" + _WHOLE,
        "Warning: Search not completed\n" + _WHOLE,
        _WHOLE.replace("errors: 0", "errors: 1"),
        "pan:1: invalid end state (at depth 3)\n" + _WHOLE,
        _VIOLATED + _WHOLE,
        _WHOLE.replace("     3346 states, stored\n", ""),
        "",
    ],
)
@pytest.mark.parametrize("claim", [None, "p_x"])
def test_no_verdict(report: str, claim: str | None) -> None:
    with pytest.raises(SearchFailed):
        read_report(report, claim)


def test_an_error_without_a_claim_is_no_verdict() -> None:
    with pytest.raises(SearchFailed):
        read_report(_VIOLATED + _WHOLE.replace("errors: 0", "errors: 1"))
