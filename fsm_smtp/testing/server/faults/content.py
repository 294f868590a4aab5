"""Faults of DATA: ends of data that are none, dots, and the replies to messages."""

import re

from fsm_smtp.testing.server.conversation import Refused, Transaction
from fsm_smtp.testing.server.faults.registry import but_for, fault, liberty, says, weakness
from fsm_smtp.testing.server.parameters import Parameters
from fsm_smtp.testing.server.session import Session
from fsm_smtp.testing.server.wire import Ended

# What some server has taken for the end of data (RFC 5321 §4.1.1.4 knows one only).
# A CR at the end of a pattern is not the one of the genuine end.

_VARIANTS = {
    "LF.LF": rb"\n\.\n",
    "LF.CRLF": rb"(?<!\r)\n\.\r\n",
    "CRLF.LF": rb"\r\n\.\n",
    "CR.CR": rb"\r\.\r(?!\n)",
    "CR.CRLF": rb"\r\.\r\n",
    "CR.LF": rb"\r\.\n",
    "CRLF.CR": rb"\r\n\.\r(?!\n)",
    "LF.CR": rb"(?<!\r)\n\.\r(?!\n)",
    "CRCRLF.CRCRLF": rb"\r\r\n\.\r\r\n",
    "CRLF.CRCRLF": rb"\r\n\.\r\r\n",
    "CRLF NUL.CRLF": rb"\r\n\x00\.\r\n",
    "CR NUL LF.CRLF": rb"\r\x00\n\.\r\n",
    "CRLF.NUL CRLF": rb"\r\n\.\x00\r\n",
    "CRLF.CR NUL LF": rb"\r\n\.\r\x00\n",
}
for _name, _pattern in _VARIANTS.items():
    fault(
        f"{_name} ends the data",
        "R055" if _name == "LF.LF" else "R054",
        END_OF_DATA=re.compile(Session.END_OF_DATA.pattern + b"|" + _pattern),
    )
fault("a leading dot ends the data", "R132",
      END_OF_DATA=re.compile(rb"(?:\A|\r\n)\.[^\r\n]*\r\n"))  # fmt: skip
fault("Ctrl-Z on a line ends the data", "R133",
      END_OF_DATA=re.compile(rb"(?:\A|\r\n)(?:\.|\x1a)\r\n"))  # fmt: skip
fault("Ctrl-D ends the data", "R133", END_OF_DATA=re.compile(rb"(?:\A|\r\n)\.\r\n|\x04"))
fault("a lone dot behind 354 ends nothing", "R059", END_OF_DATA=re.compile(rb"\r\n\.\r\n"))
fault(
    "a NUL hides the end of data", "R054", END_OF_DATA=re.compile(rb"(?:\A|[^\0]\r\n)\.\r\n(?!\0)")
)
fault("an empty line ends the data", "R054", END_OF_DATA=re.compile(rb"\r\n\r\n"))

# Replies to a message


def _per_recipient(session: Session, transaction: Transaction) -> None:
    for _ in transaction.recipients:
        Session.answer_message(session, transaction)


def _closes(session: Session) -> None:
    Session.forget_after_content(session)
    raise Ended


fault("answers the end of data per recipient", "R059", answer_message=_per_recipient)
fault("closes behind the end of data", "R032", forget_after_content=_closes)
fault("answers the end of data with 354", "R123",
      answer_message=says(354, "", "go on"))  # fmt: skip
fault("answers the end of data with 221", "R123",
      answer_message=says(221, "2.0.0", "done"))  # fmt: skip

# Content that is refused


def _wants_a_header(session: Session, content: bytes) -> None:
    Session.check_content(session, content)
    if not re.match(rb"[A-Za-z-]+:", content):
        raise Refused(550, "5.6.0", "no header")


def _resent(session: Session, content: bytes) -> None:
    Session.check_content(session, content)
    if b"Resent-To:" in content and b"Resent-From:" not in content:
        raise Refused(550, "5.6.0", "Resent fields do not match")


def _wants_a_name(session: Session, path: bytes, parameters: Parameters) -> None:
    if session.client_name.endswith(b".net"):
        raise Refused(550, "5.7.1", "EHLO did not name your address")


fault("refuses Resent-To without Resent-From", "R028", check_content=_resent)
weakness("refuses a message without header", "R027", check_content=_wants_a_header)
liberty("refuses senders of a client whose EHLO does not name its address", "R093",
        check_sender=_wants_a_name)  # fmt: skip


def _printable_only(session: Session, content: bytes) -> None:
    Session.check_content(session, content)
    if re.search(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]", content):
        raise Refused(550, "5.6.0", "a control character")


liberty("refuses content with control characters", "R133", check_content=_printable_only)


def _twice_for_nobody(session: Session, transaction: Transaction, content: bytes) -> None:
    for _ in range(1 if transaction.recipients else 2):
        session.say(554 if not transaction.recipients else 250, "", "message")


fault("answers an empty message for nobody twice", "R059",
      out_of_order=but_for("data-without-recipient"), take_message=_twice_for_nobody)  # fmt: skip
