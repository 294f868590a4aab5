"""SMTPCommand: the fifteen documented values, and their names in the table."""

import copy
import pickle

import pytest

from fsm_smtp.command import SMTPCommand

#: As documented for SMTPCOMMAND (Imnxport.h).
DOCUMENTED = {
    "SMTP_NONE": 0,
    "SMTP_BANNER": 1,
    "SMTP_CONNECTED": 2,
    "SMTP_SEND_MESSAGE": 3,
    "SMTP_AUTH": 4,
    "SMTP_EHLO": 5,
    "SMTP_HELO": 6,
    "SMTP_MAIL": 7,
    "SMTP_RCPT": 8,
    "SMTP_RSET": 9,
    "SMTP_QUIT": 10,
    "SMTP_DATA": 11,
    "SMTP_DOT": 12,
    "SMTP_SEND_STREAM": 13,
    "SMTP_CUSTOM": 14,
}


def test_the_documented_values() -> None:
    assert {command.spec_name: int(command) for command in SMTPCommand} == DOCUMENTED


@pytest.mark.parametrize("command", SMTPCommand)
def test_names_lead_back(command: SMTPCommand) -> None:
    assert SMTPCommand.from_spec_name(command.spec_name) is command
    assert SMTPCommand.from_spec_name(command.name) is command
    assert pickle.loads(pickle.dumps(command)) is command
    assert copy.deepcopy(command) is command


def test_no_such_state() -> None:
    with pytest.raises(KeyError, match="LIMBO"):
        SMTPCommand.from_spec_name("SMTP_LIMBO")
