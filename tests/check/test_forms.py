"""Each form, on a reply that has it and on one that does not."""

import pytest

from fsm_smtp.check.cases.forms import FORMS, form_named, form_names
from fsm_smtp.wire.replies import ReplyParser
from tests.check import extension_forms

EHLO = ("250-mx.example.test", "250-SIZE 4000", "250-AUTH PLAIN LOGIN", "250 PIPELINING")

#: Name, a reply that has the form, one that has not, and what is then said.
EXAMPLES = [
    ("text", ("250 fine",), ("250 f\xefne",), "not printable ASCII"),
    ("length", ("250 fine",), ("250 " + "x" * 510,), "a reply line of 516 octets"),
    ("greeting", ("220 mx.example.test hello",), ("220 *** hello",), "no domain name"),
    ("names itself", ("221 [192.0.2.1] bye",), ("221 good_bye",), "no domain name"),
    ("ehlo", EHLO, (*EHLO[:3], "250 SIZE: 3"), "no keyword with parameters"),
    ("helo", ("250 mx.example.test",), EHLO, "lists the extension"),
    ("lists PIPELINING", EHLO, EHLO[:1] + EHLO[3:2] + ("250 HELP",), "PIPELINING is not listed"),
    ("lists AUTH LOGIN", EHLO, ("250-mx", "250 AUTH PLAIN"), "AUTH LOGIN is not listed"),
    ("lists SIZE limit", EHLO, ("250-mx", "250 SIZE 0"), "SIZE limit is not listed"),
    ("lacks STARTTLS", EHLO, ("250-mx", "250 STARTTLS"), "STARTTLS is listed"),
    ("registered", (*EHLO[:3], "250 XCLIENT"), (*EHLO[:3], "250 VERP"), "'VERP' is not"),
    ("size parameter", ("250-mx", "250 SIZE"), ("250-mx", "250 SIZE 4 000"), "one number or none"),
    ("bare PIPELINING", EHLO, ("250-mx", "250 PIPELINING 4"), "has no parameter"),
    ("bare CHUNKING", EHLO, ("250-mx", "250 chunking on"), "has no parameter"),
    ("no status", ("354 go on",), ("354 2.0.0 go on",), "begins with a status code"),
    ("same status", ("214-2.0.0 a", "214 2.0.0 b"), ("214-2.0.0 a", "214 2.0.1 b"), "first line"),
    ("same status", ("250 2.1.0",), ("250 fine",), "does not begin with the status code"),
    ("status syntax", ("250 2.1.0 fine",), ("250 2.01.0 fine",), "a leading zero"),
    ("status syntax", ("250 fine",), ("250 2.1.1000 fine",), "more than three digits"),
    ("no tag", ("500 what is this?",), ("500 GET /<b>x</b>?",), "markup of the request"),
    ("status syntax", ("550 5.7.30",), ("550 1.2.3 no",), "is not 2, 4 or 5"),
    ("enhanced", ("550-5.1.1 no", "550 5.1.1 one"), ("550-5.1.1 no", "550 one"), "does not begin"),
    ("enhanced", ("250 2.0.0",), ("550 2.1.5 no",), "not that of the code 550"),
    ("challenge", ("334 VXNlcm5hbWU6",), ("334 Username:",), "no base64"),
    ("challenge", ("334 ",), ("235 welcome",), "235 is no challenge"),
    *extension_forms.EXAMPLES,
]


def problem(name: str, lines: tuple[str, ...]) -> str | None:
    form = form_named(name)
    assert form is not None
    parser = ReplyParser()
    raw = [f"{line}\r\n".encode("latin-1") for line in lines]
    for line in raw:
        parser.feed(line)
    reply = parser.next_reply()
    assert reply is not None
    return form(reply, raw)


@pytest.mark.parametrize(("name", "good", "bad", "said"), EXAMPLES)
def test_a_form(name: str, good: tuple[str, ...], bad: tuple[str, ...], said: str) -> None:
    assert problem(name, good) is None
    assert said in (problem(name, bad) or "")


def test_a_tidy_reply_has_nothing_unusual() -> None:
    assert problem("tidy", ("250 fine",)) is None


@pytest.mark.parametrize(
    "name", ["", "lists", "lists ", "lists credentials", "text X", "none", "enhanced 3.0.0"]
)
def test_what_is_no_form(name: str) -> None:
    assert form_named(name) is None


def test_every_form_has_an_example() -> None:
    shown = {name for name, *_ in EXAMPLES} | {"tidy"}
    assert set(FORMS) <= shown
    assert {name.split()[0] for name in form_names()} <= {name.split()[0] for name in shown}
