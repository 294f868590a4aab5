"""Promises of EHLO that are not kept, things that it should have promised, and its form."""

from collections.abc import Callable

from fsm_smtp.testing.server.faults.registry import (
    Run,
    answers,
    fault,
    liberty,
    refuses,
    weakness,
    without,
)
from fsm_smtp.testing.server.options import NAME
from fsm_smtp.testing.server.session import Session

# Its form (RFC 5321 §4.1.1.1)


def _more(*lines: str) -> Callable[[Session], list[str]]:
    def offer_lines(session: Session) -> list[str]:
        return [*lines, *Session.offer_lines(session)]

    return offer_lines


async def _unnamed(session: Session, argument: bytes) -> None:
    session.greeted = "EHLO"
    session.forget_by_hello()
    session.say(250, "", "***", *session.offer_lines())


async def _utf8_name(session: Session, argument: bytes) -> None:
    session.greeted = "EHLO"
    session.forget_by_hello()
    session.say(250, "", "grün.example.test", *session.offer_lines())


async def _mixed_codes(session: Session, argument: bytes) -> None:
    session.greeted = "EHLO"
    session.forget_by_hello()
    session.transmit(f"250-{NAME}\r\n251-PIPELINING\r\n250 HELP\r\n".encode())


async def _mixed_codes_later(session: Session, argument: bytes) -> None:
    await (Session.do_ehlo if session.greeted is None else _mixed_codes)(session, argument)


fault("lists a keyword with a colon", "R045", offer_lines=_more("SIZE: 1000"))
fault("lists a keyword with an underscore", "R045", offer_lines=_more("PIPE_CONNECT"))
fault("lists an empty line", "R045", offer_lines=_more(""))
fault("names nobody in EHLO", "R045", do_ehlo=_unnamed)
fault("names itself in UTF-8 in EHLO", "U07", do_ehlo=_utf8_name)
fault("mixes codes", "R111", do_ehlo=_mixed_codes_later)
liberty("lists a keyword that nobody has registered", "R011", offer_lines=_more("FSMTHING"))

# Listed, and not there (RFC 5321 §4.2.4)

_ABSENT = answers(502, "5.5.1", "not here")
_UNKNOWN = answers(500, "5.5.2", "not recognised")

for _keyword, _command in (
    ("HELP", "do_help"),
    ("EXPN", "do_expn"),
    ("VRFY", "do_vrfy"),
    ("CHUNKING", "do_bdat"),
    ("STARTTLS", "do_starttls"),
):
    fault(f"lists {_keyword} without having it", "R048", hooks={_command: _ABSENT})
fault("lists AUTH without having it", "R048", run=Run.SECURED, do_auth=_UNKNOWN)
fault("does not know VRFY", "R048", do_vrfy=_UNKNOWN)


def _all_but(keyword: str) -> Callable[[Session, str], bool]:
    def takes_parameters_of(session: Session, asked: str) -> bool:
        return asked != keyword and Session.takes_parameters_of(session, asked)

    return takes_parameters_of


for _keyword, _breaks in (
    ("SIZE", "Z01"),
    ("8BITMIME", "B03"),
    ("BINARYMIME", "H18"),
    ("DSN", "D06"),
    ("SMTPUTF8", "U09"),
):
    fault(f"lists {_keyword} and does not know its parameters", _breaks,
          takes_parameters_of=_all_but(_keyword))  # fmt: skip
fault("lists REQUIRETLS and does not know its parameter", "T07", run=Run.SECURED,
      takes_parameters_of=_all_but("REQUIRETLS"))  # fmt: skip
fault("lists AUTH and does not know its parameter", "A18", run=Run.SECURED,
      takes_parameters_of=_all_but("AUTH"))  # fmt: skip

# There, and not listed (RFC 5321 §4.1.1.1)


def _silent_about(keyword: str) -> dict[str, object]:
    def offered(session: Session, asked: str) -> bool:
        return asked != keyword and Session.offered(session, asked)

    return {"offered": offered}


for _keyword in ("HELP", "CHUNKING", "STARTTLS"):
    fault(f"has {_keyword} without listing it", "R047", hooks=_silent_about(_keyword))
fault("has AUTH without listing it", "R047", run=Run.SECURED, hooks=_silent_about("AUTH"))


async def _expands_unasked(session: Session, argument: bytes) -> None:
    session.say(250, "2.1.5", "<somebody@example.test>")


fault("expands without saying so", "R047", options={"extensions": without("EXPN")},
      do_expn=_expands_unasked)  # fmt: skip

# Extensions that must come with another

weakness("has no 8BITMIME", "R009", options={"extensions": without("8BITMIME", "SMTPUTF8")})
fault("lists SMTPUTF8 without 8BITMIME", "U02", options={"extensions": without("8BITMIME")})


def _value(keyword: str, value: str) -> Callable[[Session], dict[str, str]]:
    def offers(session: Session) -> dict[str, str]:
        offered = Session.offers(session)
        return offered | {keyword: value} if keyword in offered else offered

    return offers


fault("gives SMTPUTF8 a parameter in EHLO", "U01", offers=_value("SMTPUTF8", "YES"))
fault("gives a limit of zero in EHLO", "N06", offers=_value("LIMITS", "RCPTMAX=0"))
fault("gives a limit of seven digits in EHLO", "N06", offers=_value("LIMITS", "RCPTMAX=1000000"))
fault("lists CHUNKING without having DATA", "H01", do_data=refuses(502, "5.5.1", "use BDAT"))

# Parameters of keywords: some have none, some need one

for _keyword, _breaks in (("DSN", "D09"), ("STARTTLS", "S16")):
    fault(f"gives {_keyword} a parameter in EHLO", _breaks, offers=_value(_keyword, "YES"))
for _keyword in ("PIPELINING", "8BITMIME", "CHUNKING", "ENHANCEDSTATUSCODES"):
    weakness(f"gives {_keyword} a parameter in EHLO", "R045", offers=_value(_keyword, "YES"))
weakness("gives REQUIRETLS a parameter in EHLO", "T05", run=Run.SECURED,
         offers=_value("REQUIRETLS", "YES"))  # fmt: skip
fault("gives SIZE two parameters in EHLO", "Z01", offers=_value("SIZE", "1000 2000"))
fault("gives LIMITS no parameter in EHLO", "N07", offers=_value("LIMITS", ""))
