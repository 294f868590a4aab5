"""The checker examined: on a strict server nothing fails, on each single fault the right case."""

import pytest

from fsm_smtp.check.case import Verdict
from fsm_smtp.check.suite import Suite
from tests.check.playing import SUITE, play_strict, verdicts

#: The strict server keeps to what every server must have: it does without 8BITMIME.
STRICT = SUITE.select(exclude=["5321-2.4-8bitmime-is-offered"])
NOT_FOUND_WRONG = {Verdict.PASS, Verdict.SKIP, Verdict.LATITUDE, Verdict.INFO}

#: Each fault, and a case that must fail on it.
FAULTS = {
    "any line end ends a command": "5321-2.3.8-bare-lf-command",
    "wants verbs in upper case": "5321-2.4-verbs-in-any-case",
    "acts before CRLF": "5321-2.4-no-action-before-crlf",
    "greets without a name": "5321-3.1-greeting",
    "refuses the session and closes": "5321-3.1-refused-session-stays-open",
    "lists extensions to HELO": "5321-3.2-helo-lists-no-extensions",
    "takes RCPT without MAIL": "5321-3.3-rcpt-before-mail",
    "takes DATA without recipients": "5321-3.3-data-without-recipients",
    "verifies everybody": "5321-3.5.3-vrfy-unverified",
    "expands without saying so": "5321-3.5.2-expn-is-listed",
    "closes on an unknown command": "5321-3.8-unknown-command",
    "gives up after three unknown commands": "5321-3.8-several-unknown-commands",
    "lists a keyword with a colon": "5321-4.1.1.1-ehlo-response",
    "HELO forgets nothing": "5321-4.1.1.1-helo-forgets-recipients",
    "refuses the null reverse-path": "5321-4.1.1.2-null-reverse-path",
    "refuses source routes": "5321-4.1.1.3-source-route",
    "a refused RCPT drops the others": "5321-4.1.1.3-refused-rcpt-keeps-the-others",
    "LF.LF ends the data": "5321-4.1.1.4-lf-dot-lf",
    "answers the end of data per recipient": "5321-4.1.1.4-one-reply",
    "the end of data clears nothing": "5321-4.1.1.4-buffers-cleared",
    "refuses RSET before EHLO": "5321-4.1.1.5-rset-before-ehlo",
    "RSET forgets nothing": "5321-4.1.1.5-rset-forgets-recipients",
    "RSET closes": "5321-4.1.1.5-rset-does-not-close",
    "VRFY resets": "5321-4.1.1.6-vrfy-keeps-the-transaction",
    "NOOP resets": "5321-4.1.1.9-noop-keeps-the-transaction",
    "QUIT is not answered": "5321-4.1.1.10-quit",
    "QUIT does not close": "5321-4.1.1.10-quit",
    "takes any parameter": "5321-4.1.1.11-unknown-mail-parameter",
    "refuses a second EHLO": "5321-4.1.4-second-ehlo",
    "EHLO forgets nothing": "5321-4.1.4-ehlo-forgets-recipients",
    "a refused EHLO resets": "5321-4.1.4-refused-ehlo-keeps-the-transaction",
    "a nested MAIL keeps the recipients": "5321-4.1.4-nested-mail",
    "a refused DATA resets": "5321-4.1.4-refused-order-changes-nothing",
    "answers NOOP twice": "5321-4.2-one-reply",
    "four digits": "5321-4.2-reply-form",
    "a bare LF ends replies": "5321-4.2-reply-form",
    "mixes codes": "5321-4.1.4-second-ehlo",
    "lists HELP without having it": "5321-4.2.4-help-offered",
    "throws away what follows": "5321-4.2-input-behind-a-command",
    "does not know a bare postmaster": "5321-4.5.1-bare-postmaster",
    "a leading dot ends the data": "5321-4.5.2-leading-dots",
    "takes short lines only": "5321-4.5.3.1.4-line-of-512-octets",
    "takes short text lines only": "5321-4.5.3.1.6-line-of-1000-octets",
    "takes 50 recipients": "5321-4.5.3.1.8-100-recipients",
    "does not know HELO": "5321-4.1.1.1-helo",
}

#: Faults that need something else to be offered.
FAULTS_OF_OFFERS = {
    ("EXPN", "", "5321-4.2.4-expn-offered"),
    ("VRFY", "does not know VRFY", "5321-4.2.4-vrfy-offered"),
}


@pytest.mark.parametrize(("offer", "fault", "case"), sorted(FAULTS_OF_OFFERS))
def test_what_is_offered_is_there(offer: str, fault: str, case: str) -> None:
    results = play_strict(SUITE.select([case]), fault, offers=(offer,))
    assert results[case].verdict is Verdict.FAIL


def test_a_strict_server_keeps_everything() -> None:
    results = play_strict(STRICT)
    wrong = {
        name: (result.verdict, result.actual)
        for name, result in results.items()
        if result.verdict not in (Verdict.PASS, Verdict.SKIP)
    }
    assert wrong == {}
    assert len(results) == len(STRICT.cases)
    assert len(verdicts(results, Verdict.PASS)) > 90


def test_a_server_without_extensions_keeps_everything() -> None:
    results = play_strict(STRICT, offers=("HELP",))
    assert {result.verdict for result in results.values()} <= NOT_FOUND_WRONG
    assert results["5321-4.2-input-behind-a-command"].verdict is Verdict.SKIP


@pytest.mark.parametrize(("fault", "case"), FAULTS.items(), ids=list(FAULTS))
def test_a_fault_is_found(fault: str, case: str) -> None:
    results = play_strict(SUITE.select([case]), fault)
    result = results[case]
    assert result.verdict is Verdict.FAIL, (result.verdict, result.expected, result.actual)
    assert result.transcript
    assert result.expected
    assert result.actual


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (
            "refuses a second EHLO",
            {
                "2920-3.2-ehlo-is-not-held-back",
                "5321-4.1.1.1-ehlo-after-helo",
                "5321-4.1.4-second-ehlo",
            },
        ),
        ("takes 50 recipients", {"5321-4.5.3.1.8-100-recipients"}),
        ("expands without saying so", {"5321-3.5.2-expn-is-listed"}),
    ],
)
def test_a_fault_fails_nothing_else(fault: str, expected: set[str]) -> None:
    assert verdicts(play_strict(SUITE, fault), Verdict.FAIL) == expected


def test_every_case_of_order_meets_a_fault() -> None:
    """No requirement on order is checked by a case that nothing could make fail."""
    order = ("5321-3.3-rcpt", "5321-3.3-data-without", "5321-4.1.4-", "5321-4.1.1.5-")
    musts = [
        case.id
        for case in SUITE.cases
        if case.id.startswith(order) and case.level.value == "MUST"
        # Not of order: what a refusal is for no connection can tell, so it is latitude.
        if case.id != "5321-4.1.4-name-that-does-not-match"
    ]
    caught: set[str] = set()
    for fault in (
        "takes RCPT without MAIL",
        "takes DATA without recipients",
        "refuses RSET before EHLO",
        "RSET forgets nothing",
        "RSET closes",
        "EHLO forgets nothing",
        "refuses a second EHLO",
        "a refused EHLO resets",
        "a nested MAIL keeps the recipients",
        "a refused DATA resets",
        "a refused MAIL is taken",
        "one transaction only",
    ):
        some = Suite(tuple(case for case in SUITE.cases if case.id in musts))
        caught |= verdicts(play_strict(some, fault), Verdict.FAIL)
    assert caught == set(musts)
