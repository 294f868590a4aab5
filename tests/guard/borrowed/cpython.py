"""``python -m tests.guard.borrowed.cpython classes|install``: CPython's test_smtplib, guarded.

With ``classes`` ours stand in the place of smtplib's, with ``install`` the guard is put under them.
Prints a line of JSON.
"""

import io
import json
import smtplib
import sys
import unittest

from fsm_smtp.guard import install
from fsm_smtp.guard import smtplib as ours
from tests.guard.borrowed import counting

if __name__ == "__main__":
    if sys.argv[1] == "classes":
        vars(smtplib).update(SMTP=ours.SMTP, SMTP_SSL=ours.SMTP_SSL, LMTP=ours.LMTP)
    else:
        install()
    suite = unittest.defaultTestLoader.loadTestsFromName("test.test_smtplib")
    expected = suite.countTestCases()
    result = unittest.TextTestRunner(io.StringIO()).run(suite)
    answer = {
        "expected": expected,
        "run": result.testsRun,
        "different": [test.id() for test, _ in (*result.errors, *result.failures)],
        "why": [text for _, text in (*result.errors, *result.failures)],
        "guarded": counting.guarded,
    }
    print(json.dumps(answer), file=sys.__stdout__)
