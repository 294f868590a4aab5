"""Credentials stay out of what a check tells, whichever cases of the extensions it plays."""

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.cases.suite import load_suite
from fsm_smtp.specs import spec_path
from fsm_smtp.testing.server.options import PASSWORD
from tests.check.fast_clock import run_fast
from tests.check.faults.playing import WITH_CREDENTIALS, play
from tests.check.faults.ways import WAYS

SUITE = load_suite(spec_path("conformance", f"rfc{rfc}.yaml") for rfc in ("3207", "4954"))


def test_no_password_is_in_a_report() -> None:
    played = run_fast(play(SUITE, WAYS["AUTH in the clear"]))
    assert len(played.of(Verdict.PASS)) > 50
    for result in played.results.values():
        told = "\n".join((result.expected, result.actual, *result.transcript))
        assert PASSWORD not in told
        for secret in ("plain", "password64", "user64"):
            assert WITH_CREDENTIALS.values()[secret] not in told, result.case.id
