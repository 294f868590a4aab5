"""The model server says from its end what the guard says from the client's."""

import smtplib

import pytest

from fsm_smtp.guard import GuardOptions
from fsm_smtp.guard import smtplib as guarded
from fsm_smtp.testing.served import SMTPServer
from tests.guard.talk import Found

#: What a client says after EHLO; one command of it, by its number, breaks the protocol.
WRONG = {
    "DATA without a transaction": (["DATA"], 0),
    "RCPT without MAIL": (["RCPT TO:<b@example.test>"], 0),
    "MAIL inside a transaction": (["MAIL FROM:<a@example.org>", "MAIL FROM:<a@example.org>"], 1),
    "DATA without a recipient": (["MAIL FROM:<a@example.org>", "DATA"], 1),
    "AUTH inside a transaction": (["MAIL FROM:<a@example.org>", "AUTH PLAIN AGEAYg=="], 1),
}


class Recorded(guarded.SMTP):
    """Blocks nothing, so that the server hears what the guard has seen."""


@pytest.mark.parametrize("case", WRONG)
def test_what_the_client_broke_is_seen_at_both_ends(case: str) -> None:
    commands, wrong = WRONG[case]
    found = Found()
    with SMTPServer() as server:
        smtp = Recorded("127.0.0.1", server.port, "client.example.test", 10)
        smtp.guarding = GuardOptions(mode="record", on_finding=found.append)
        smtp.quit()
        smtp.connect("127.0.0.1", server.port)
        smtp.ehlo()
        for command in commands:
            smtp.docmd(command)
        smtp.quit()
        seen = server.violations
    blamed = [each for each in found if each.violation]
    assert [each.command for each in blamed] == [each.command for each in seen]
    assert [each.rfc for each in blamed] == [each.rfc for each in seen]
    assert [each.state for each in blamed] == [each.state for each in seen]
    assert len(seen) == 1
    assert commands[wrong].startswith(str(seen[0].command)[:4])


def test_a_client_that_breaks_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with SMTPServer() as server:
        with smtplib.SMTP("127.0.0.1", server.port, "client.example.test", 10) as smtp:
            smtp.sendmail("a@example.org", "b@example.test", b"hello\r\n")
        server.assert_no_violations()
    assert capsys.readouterr().out == ""
