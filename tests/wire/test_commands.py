"""Commands: one line each, refused when not; nothing secret in what is shown."""

import base64
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fsm_smtp.errors import InvalidCommand
from fsm_smtp.wire import Command, limits, parse_bdat, parse_command, parse_sasl_line
from fsm_smtp.wire import commands as c

SECRET = base64.b64encode(b"\0user\0hunter2")


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (c.ehlo("mail.example.org"), b"EHLO mail.example.org\r\n"),
        (c.ehlo("[IPv6:::1]"), b"EHLO [IPv6:::1]\r\n"),
        (c.helo("[192.0.2.1]"), b"HELO [192.0.2.1]\r\n"),
        (c.lhlo("localhost"), b"LHLO localhost\r\n"),
        (c.mail(""), b"MAIL FROM:<>\r\n"),
        (c.mail(b"a@b.example"), b"MAIL FROM:<a@b.example>\r\n"),
        (c.mail('"a b"@c'), b'MAIL FROM:<"a b"@c>\r\n'),
        (
            c.mail("a@b", {"SIZE": "1000", "body": "8BITMIME", "X-LIMIT": "7"}),
            b"MAIL FROM:<a@b> SIZE=1000 body=8BITMIME X-LIMIT=7\r\n",
        ),
        (c.mail("ä@b", {"SMTPUTF8": None}), "MAIL FROM:<ä@b> SMTPUTF8\r\n".encode()),
        (
            c.mail("a@b", [("AUTH", "<>"), ("REQUIRETLS", None)]),
            b"MAIL FROM:<a@b> AUTH=<> REQUIRETLS\r\n",
        ),
        (c.rcpt("Postmaster"), b"RCPT TO:<Postmaster>\r\n"),
        (
            c.rcpt("b@c", {"NOTIFY": "SUCCESS,DELAY", "ORCPT": "rfc822;b+2Bx@c"}),
            b"RCPT TO:<b@c> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bx@c\r\n",
        ),
        (
            c.rcpt("ü@c", {"ORCPT": "utf-8;ü@c"}, utf8=True),
            "RCPT TO:<ü@c> ORCPT=utf-8;ü@c\r\n".encode(),
        ),
        (c.data(), b"DATA\r\n"),
        (c.bdat(0, last=True), b"BDAT 0 LAST\r\n"),
        (c.bdat(65536), b"BDAT 65536\r\n"),
        (c.rset(), b"RSET\r\n"),
        (c.noop(), b"NOOP\r\n"),
        (c.noop('"a b"'), b'NOOP "a b"\r\n'),
        (c.vrfy("postmaster"), b"VRFY postmaster\r\n"),
        (c.vrfy("<a@b>"), b"VRFY <a@b>\r\n"),
        (c.vrfy("ä@b", utf8=True), "VRFY ä@b SMTPUTF8\r\n".encode()),
        (c.expn("list"), b"EXPN list\r\n"),
        (c.help_(), b"HELP\r\n"),
        (c.help_("MAIL"), b"HELP MAIL\r\n"),
        (c.quit_(), b"QUIT\r\n"),
        (c.starttls(), b"STARTTLS\r\n"),
        (c.auth("CRAM-MD5"), b"AUTH CRAM-MD5\r\n"),
        (c.auth("EXTERNAL", b""), b"AUTH EXTERNAL =\r\n"),
        (c.auth("PLAIN", b"\0user\0hunter2"), b"AUTH PLAIN " + SECRET + b"\r\n"),
        (c.sasl_response(b"\0user\0hunter2"), SECRET + b"\r\n"),
        (c.sasl_response(b""), b"\r\n"),
        (c.sasl_cancel(), b"*\r\n"),
        (c.custom("XCLIENT ADDR=192.0.2.1"), b"XCLIENT ADDR=192.0.2.1\r\n"),
        (c.custom("etrn ä.example", utf8=True), "etrn ä.example\r\n".encode()),
    ],
)
def test_the_bytes_of_each_command(command: Command, line: bytes) -> None:
    assert command.line == line
    parsed = (parse_sasl_line if command.sasl else parse_command)(line)
    assert parsed == command
    assert pickle.loads(pickle.dumps(command)) == command


def test_verb_and_argument() -> None:
    command = c.mail("a@b", {"SIZE": "1"})
    assert (command.verb, command.argument) == ("MAIL", b"FROM:<a@b> SIZE=1")
    assert (c.quit_().verb, c.quit_().argument) == ("QUIT", b"")
    response = c.sasl_response(b"x")
    assert (response.verb, response.argument, response.sasl) == ("", b"eA==", True)


# What an attacker would put into a field. č, U+010D, is CR to whoever cuts it to eight bits; Ċ,
# U+010A, is LF.
INJECTIONS = [
    "\r\nRSET",
    "\rRSET",
    "\nRSET",
    "\0",
    "\t",
    "\x0b",
    "\x1b[2J",
    "\x7f",
    "\u010d\u010aRSET",
    "\x85",
    "\u2028",
    "\udc0d",
]
FIELDS: dict[str, Callable[[str], Command]] = {
    "ehlo": lambda x: c.ehlo("a" + x),
    "helo": lambda x: c.helo("a" + x),
    "lhlo": lambda x: c.lhlo("a" + x),
    "local-part": lambda x: c.mail("a" + x + "@b"),
    "quoted local-part": lambda x: c.mail('"a' + x + '"@b'),
    "domain": lambda x: c.mail("a@b" + x),
    "end of domain": lambda x: c.rcpt("a@b" + x),
    "postmaster": lambda x: c.rcpt("Postmaster" + x),
    "SIZE": lambda x: c.mail("a@b", {"SIZE": "1" + x}),
    "ENVID": lambda x: c.mail("a@b", {"ENVID": "1" + x}),
    "AUTH=": lambda x: c.mail("a@b", {"AUTH": "a" + x}),
    "unknown parameter": lambda x: c.mail("a@b", {"X": "a" + x}),
    "keyword": lambda x: c.mail("a@b", {"X" + x: None}),
    "ORCPT": lambda x: c.rcpt("a@b", {"ORCPT": "rfc822;a" + x}),
    "NOTIFY": lambda x: c.rcpt("a@b", {"NOTIFY": "NEVER" + x}),
    "noop": lambda x: c.noop("a" + x),
    "quoted noop": lambda x: c.noop('"a' + x + '"'),
    "help": lambda x: c.help_("a" + x),
    "vrfy": lambda x: c.vrfy("a" + x),
    "expn": lambda x: c.expn("a" + x),
    "mechanism": lambda x: c.auth("PLAIN" + x),
    "custom": lambda x: c.custom("X a" + x),
    "custom at the end": lambda x: c.custom("X" + x),
    "verb": lambda x: Command("X" + x),
    "argument": lambda x: Command("X", x.encode("utf-8", "surrogatepass")[:1] + b"\r\nRSET"),
}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("injection", INJECTIONS, ids=ascii)
def test_no_field_takes_an_injection(field: str, injection: str) -> None:
    with pytest.raises(InvalidCommand):
        FIELDS[field](injection)


@pytest.mark.parametrize("injection", [*INJECTIONS[:8], "\x85", "\udc0d"], ids=ascii)
def test_nor_with_smtputf8(injection: str) -> None:
    with pytest.raises(InvalidCommand):
        c.mail(f"a{injection}@b", {"SMTPUTF8": None})
    with pytest.raises(InvalidCommand):
        c.rcpt("a@b", {"ORCPT": f"utf-8;a{injection}"}, utf8=True)
    with pytest.raises(InvalidCommand):
        c.vrfy(f"a{injection}", utf8=True)


@given(
    st.sampled_from(list(FIELDS)),
    st.text(st.characters(max_codepoint=0x17F) | st.sampled_from("\r\n\0\u010d\u010a ")),
)
def test_no_control_octet_leaves_a_constructor(field: str, text: str) -> None:
    try:
        line = FIELDS[field](text).line
    except InvalidCommand:
        return
    assert line.endswith(b"\r\n")
    assert not any(octet < 0x20 or octet >= 0x7F for octet in line[:-2])


@given(st.text(), st.booleans())
@example("NOOP\u010d\u010aRSET", True)
def test_a_custom_line_is_one_line_or_refused(text: str, utf8: bool) -> None:
    try:
        command = c.custom(text, utf8=utf8)
    except InvalidCommand:
        return
    assert command.line == text.encode() + b"\r\n"
    assert not any(octet < 0x20 or octet == 0x7F for octet in command.line[:-2])
    assert utf8 or command.line.isascii()


@pytest.mark.parametrize(
    ("make", "rfc"),
    [
        (lambda: c.ehlo(""), "5321 §4.1.1.1"),
        (lambda: c.ehlo("a_b.example"), "5321 §4.1.1.1"),
        (lambda: c.ehlo("[999.0.0.1]"), "5321 §4.1.1.1"),
        (lambda: c.ehlo("mail.example.org and more"), "5321 §4.1.1.1"),
        (lambda: c.ehlo("ä.example"), "6531 §3.2"),
        (lambda: c.ehlo(".".join(["a" * 63] * 4) + "a"), "5321 §4.5.3.1.2"),
        (lambda: c.mail("<a@b>"), "5321 §4.1.1.2"),
        (lambda: c.mail("a@b> SIZE=1"), "5321 §4.1.1.2"),
        (lambda: c.mail("@x:a@b"), "5321 appendix C"),
        (lambda: c.mail("ä@b"), "6531 §3.2"),
        (lambda: c.mail("\ud800@b", {"SMTPUTF8": None}), "6531 §3.2"),
        (lambda: c.rcpt(""), "5321 §4.1.1.3"),
        (lambda: c.mail("a" * 65 + "@b"), "5321 §4.5.3.1.1"),
        (lambda: c.mail("a@" + "b" * 256), "5321 §4.5.3.1.2"),
        (lambda: c.mail("a" * 64 + "@" + "b" * 190), "5321 §4.5.3.1.3"),
        (lambda: c.mail("a@b", {"": None}), "5321 §4.1.2"),
        (lambda: c.mail("a@b", {"-X": None}), "5321 §4.1.2"),
        (lambda: c.mail("a@b", {"X": ""}), "5321 §4.1.2"),
        (lambda: c.mail("a@b", {"X": "1=2"}), "5321 §4.1.2"),
        (lambda: c.mail("a@b", {"X": "1 Y"}), "5321 §4.1.2"),
        (lambda: c.mail("a@b", {"X": "ä"}), "5321 §4.1.2"),
        (lambda: c.mail("a@b", [("X", "1"), ("x", "2")]), "5321 §4.1.1.11"),
        (lambda: c.mail("a@b", {"SIZE": None}), "1870 §6"),
        (lambda: c.mail("a@b", {"SIZE": "-1"}), "1870 §6"),
        (lambda: c.mail("a@b", {"SIZE": "1" * 21}), "1870 §6"),
        (lambda: c.mail("a@b", {"BODY": "9BIT"}), "6152 §3"),
        (lambda: c.mail("a@b", {"SMTPUTF8": "yes"}), "6531 §3.4"),
        (lambda: c.mail("a@b", {"REQUIRETLS": "1"}), "8689 §2"),
        (lambda: c.mail("a@b", {"AUTH": "a+b"}), "4954 §5"),
        (lambda: c.mail("a@b", {"RET": "ALL"}), "3461 §4.3"),
        (lambda: c.mail("a@b", {"ENVID": "x" * 101}), "3461 §4.4"),
        (lambda: c.rcpt("a@b", {"NOTIFY": "NEVER,DELAY"}), "3461 §4.1"),
        (lambda: c.rcpt("a@b", {"ORCPT": "a@b"}), "3461 §4.2"),
        (lambda: c.rcpt("a@b", {"ORCPT": "rfc822;" + "a" * 500}), "3461 §4.2"),
        (lambda: c.noop("a b"), "5321 §4.1.1.9"),
        (lambda: c.noop("a" * 510), "5321 §4.5.3.1.4"),
        (lambda: c.help_('"a'), "5321 §4.1.1.8"),
        (lambda: c.vrfy(""), "5321 §4.1.1.6"),
        (lambda: c.vrfy("a" * 507, utf8=True), "5321 §4.5.3.1.4"),
        (lambda: c.expn("a b"), "5321 §4.1.1.7"),
        (lambda: c.bdat(-1), "3030 §2"),
        (lambda: c.bdat(10**20), "3030 §2"),
        (lambda: c.auth(""), "4422 §3.1"),
        (lambda: c.auth("A" * 21), "4422 §3.1"),
        (lambda: c.auth("PLAIN", b"x" * 373), "4954 §4"),
        (lambda: c.sasl_response(b"x" * 9216), "4954 §4"),
        (lambda: c.custom(""), "5321 §2.4"),
        (lambda: c.custom("   "), "5321 §2.4"),
        (lambda: c.custom(b"X \xe9"), "5321 §2.4"),
        (lambda: c.custom(b"X \xe9", utf8=True), "6531 §3.3"),
        (lambda: c.custom("X" * 511), "5321 §4.5.3.1.4"),
        (lambda: Command("mail", b"x"), "5321 §2.4"),
        (lambda: Command("MAIL FROM", b"x"), "5321 §2.4"),
        (lambda: Command("", b"x"), "5321 §2.4"),
        (lambda: Command("MAIL", b"x", sasl=True), "5321 §2.4"),
        (lambda: Command("NOOP", b"", b"DATA\r\n"), "5321 §2.4"),
        (lambda: Command("NOOP", b"", b"NOOP"), "5321 §2.3.8"),
    ],
)
def test_what_is_refused_and_why(make: Callable[[], Command], rfc: str) -> None:
    with pytest.raises(InvalidCommand) as caught:
        make()
    assert caught.value.rfc == rfc


def test_lines_of_exactly_the_limit_pass() -> None:
    assert len(c.noop("a" * 505).line) == limits.MAX_COMMAND_LINE
    assert len(c.auth("PLAIN", b"x" * 372).line) <= limits.MAX_COMMAND_LINE
    assert len(c.sasl_response(b"x" * 9210).line) <= limits.MAX_AUTH_LINE
    assert len(c.custom("X" * 998, max_line=1000).line) == 1000
    assert c.ehlo("a" * limits.MAX_DOMAIN).argument == b"a" * 255
    assert len(c.vrfy("a" * 506, utf8=True).line) == limits.MAX_COMMAND_LINE + 10
    longest = "a" * 64 + "@" + "b" * 189
    assert len(c.rcpt(longest).argument) == len(b"TO:") + limits.MAX_PATH


def _filled(parameters: dict[str, Any], make: Callable[..., Command]) -> int:
    """The longest line that passes with an unknown parameter as filler."""
    room = 0
    for size in range(1, 1400):
        try:
            room = len(make("a@b", {**parameters, "X": "x" * size}).line)
        except InvalidCommand as error:
            if error.rfc != "5321 §4.5.3.1.4":
                raise
            return room
    raise AssertionError("no limit")


@pytest.mark.parametrize(
    ("parameters", "growth"),
    [
        ({}, 0),
        ({"SIZE": "1"}, 26),
        ({"BODY": "7BIT"}, 17),
        ({"SMTPUTF8": None}, 10),
        ({"AUTH": "<>"}, 500),
        ({"REQUIRETLS": None}, 11),
        ({"RET": "HDRS"}, 100),
        ({"ret": "HDRS", "envid": "1"}, 100),
        ({"SIZE": "1", "BODY": "7BIT", "SMTPUTF8": None}, 53),
    ],
)
def test_a_mail_line_grows_by_its_parameters(parameters: dict[str, Any], growth: int) -> None:
    assert _filled(parameters, c.mail) == 512 + growth


def test_a_rcpt_line_grows_by_dsn_once() -> None:
    assert _filled({}, c.rcpt) == 512
    assert _filled({"NOTIFY": "NEVER", "ORCPT": "rfc822;a@b"}, c.rcpt) == 1012


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"AUTH PLAIN " + SECRET, "AUTH PLAIN [redacted]"),
        (b"auth plain " + SECRET, "AUTH plain [redacted]"),
        (b"AUTH  PLAIN  " + SECRET, "AUTH PLAIN [redacted]"),
        (b"  AUTH PLAIN " + SECRET, "AUTH PLAIN [redacted]"),
        (b"AUTH " + SECRET, "AUTH [redacted]"),
        (b"AUTH dGVzdA", "AUTH [redacted]"),
        (b"AUTH=PLAIN " + SECRET, "AUTH [redacted]"),
        (b"AUTH", "AUTH"),
        (b"AUTH CRAM-MD5", "AUTH CRAM-MD5"),
        (b"MAIL FROM:<\xe9@b>", "MAIL FROM:<\\xe9@b>"),
        ("VRFY ä\u202e\u0085".encode(), "VRFY ä\\u202e\\x85"),
    ],
)
def test_what_is_shown_of_a_line(line: bytes, shown: str) -> None:
    command = parse_command(line + b"\r\n")
    assert command.redacted == str(command) == shown
    assert repr(command) == f"<Command {shown}>"


def test_nothing_is_shown_of_a_sasl_line_but_its_cancellation() -> None:
    response = c.sasl_response(b"hunter2")
    assert response.redacted == "[redacted]"
    assert "hunter2" not in repr(response)
    assert base64.b64encode(b"hunter2").decode() not in repr(response)
    assert c.sasl_cancel().redacted == "*"


def test_no_error_shows_a_credential() -> None:
    for bad in (b"AUTH PLAIN hunter2\r\n\r\n", b"AUTH PLAIN hunter2\n", b"hunter2\0\r\n"):
        with pytest.raises(InvalidCommand) as caught:
            parse_command(bad)
        assert "hunter2" not in str(caught.value)
    with pytest.raises(InvalidCommand) as caught:
        c.auth("PLAIN", b"hunter2" * 100)
    assert base64.b64encode(b"hunter2" * 100).decode()[:8] not in str(caught.value)
    with pytest.raises(InvalidCommand) as caught:
        c.auth("hunter2 hunter2")
    assert "hunter2" not in str(caught.value)


@given(st.binary(max_size=40))
def test_any_line_round_trips_or_is_no_line(body: bytes) -> None:
    control = any(octet < 0x20 or octet == 0x7F for octet in body)
    for parse in (parse_command, parse_sasl_line):
        if control:
            with pytest.raises(InvalidCommand):
                parse(body + b"\r\n")
        else:
            command = parse(body + b"\r\n")
            assert command.line == body + b"\r\n"
            assert command.redacted.isprintable()
            assert command.argument in body
            assert command.verb == command.verb.upper()


@pytest.mark.parametrize("line", [b"", b"NOOP", b"NOOP\n", b"NOOP\r", b"NOOP\r\n\r\n", b"\r\r\n"])
def test_what_is_no_line(line: bytes) -> None:
    with pytest.raises(InvalidCommand):
        parse_command(line)


def test_other_software_may_be_untidy() -> None:
    command = parse_command(b"mail FROM: a@b \r\n")
    assert (command.verb, command.argument) == ("MAIL", b"FROM: a@b ")
    assert command.line == b"mail FROM: a@b \r\n"
    assert parse_command(b"NOOP \r\n").argument == b""
    assert parse_command(b"\r\n").verb == ""
    assert parse_command(b"\xff\xfe x\r\n").verb == "\\XFF\\XFE"


@given(st.integers(0, 10**20 - 1), st.booleans())
def test_bdat_round_trip(size: int, last: bool) -> None:
    assert parse_bdat(c.bdat(size, last).argument) == (size, last)


def test_bdat_of_others() -> None:
    assert parse_bdat(b"12 last") == (12, True)
    for bad in (b"", b"-1", b"+1", b"1 ", b"1  LAST", b"5 X", b"1_0", b"LAST", b"1" * 21):
        with pytest.raises(InvalidCommand):
            parse_bdat(bad)
