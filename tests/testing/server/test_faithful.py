"""The model server alone, without the checker: what each area answers, line by line.

A dialogue is written as pairs of a line, or of octets as they stand, and how the reply begins.
"""

import base64
from collections.abc import Iterator

import pytest

from fsm_smtp.testing.server.certificate import server_context
from fsm_smtp.testing.server.listening import ModelServer, model_server_in_thread
from fsm_smtp.testing.server.options import EXTENSIONS, PASSWORD, USER, Options
from tests.testing.dialogue import Dialogue

Script = list[tuple[str | bytes, str]]

EHLO = ("EHLO client.test", "250")
MAIL = ("MAIL FROM:<a@client.test>", "250 2.1.0")
RCPT = ("RCPT TO:<rcpt@example.test>", "250 2.1.5")
DATA = ("DATA", "354")
PLAIN = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
WRONG = base64.b64encode(f"\0{USER}\0nothing".encode()).decode()
USER64, PASSWORD64 = (base64.b64encode(text.encode()).decode() for text in (USER, PASSWORD))

IN_CLEAR: dict[str, Script] = {
    "order": [
        ("MAIL FROM:<a@client.test>", "503 5.5.1"),
        ("RSET", "250"),
        EHLO,
        ("RCPT TO:<rcpt@example.test>", "503"),
        ("DATA", "503"),
        MAIL,
        ("MAIL FROM:<b@client.test>", "503"),
        ("DATA", "503"),
        RCPT,
        ("RSET", "250 2.0.0"),
        ("RCPT TO:<rcpt@example.test>", "503"),
    ],
    "a second EHLO resets": [EHLO, MAIL, EHLO, ("RCPT TO:<rcpt@example.test>", "503")],
    "a refused EHLO does not": [EHLO, MAIL, ("EHLO", "501 "), ("EHLO [999.0.0.1]", "501"), RCPT],
    "hosts": [
        ("EHLO [127.0.0.1]", "250"),
        ("EHLO [IPv6:::1]", "250"),
        ("EHLO a_b.test", "501"),
        ("HELO client.test", "250 mx.example.test"),
    ],
    "nothing of ESMTP after HELO": [
        ("HELO client.test", "250"),
        ("MAIL FROM:<a@client.test> SIZE=1", "555"),
        ("MAIL FROM:<a@client.test>", "250"),
    ],
    "verbs": [
        ("nOoP with anything", "250 2.0.0"),
        ("NOOP \t", "250"),
        ("FSMX", "500 5.5.2"),
        ("TURN", "502 5.5.1"),
        ("RSET now", "501"),
        ("QUIT now", "501"),
        ("STARTTLS now", "501"),
        ("NOOP\nNOOP", "500"),
        ("MAIL FROM:<a\x07@b.test>", "501"),
        ("HELP", "214-2.0.0"),
        ("VRFY RCPT", "550"),
        ("VRFY rcpt", "250 2.1.5 <rcpt@example.test>"),
        ("VRFY <x>", "550"),
        ("VRFY", "501"),
        ("EXPN staff", "250-2.1.5 <rcpt@example.test>"),
        ("EXPN nobody", "550"),
        ("QUIT", "221 2.0.0"),
    ],
    "recipients": [
        EHLO,
        MAIL,
        ("RCPT TO:<@a.test,@b.test:rcpt@example.test>", "250"),
        ('RCPT TO:<"rcpt"@example.test>', "250"),
        ("RCPT TO:<rcpt@EXAMPLE.Test>", "250"),
        ("RCPT TO:<RCPT@example.test>", "550 5.1.1"),
        ("RCPT TO:<PostMaster>", "250"),
        ("RCPT TO:<POSTMASTER@example.test>", "250"),
        ("RCPT TO:<x@elsewhere.test>", "550 5.7.1"),
        ("RCPT TO:<x@nomail.example.test>", "556 5.1.10"),
        ("RCPT TO:rcpt@example.test", "501"),
        ("RCPT TO: <rcpt@example.test>", "501"),
        ("RCPT TO:<>", "501"),
        (f"RCPT TO:<{'x' * 64}@example.test>", "550"),
        (f"RCPT TO:<{'x' * 65}@example.test>", "501 5.1.3"),
        ("RCPT TO:<rcpt@example.test> XYZ=1", "555 5.5.4"),
        DATA,
    ],
    "sizes": [
        EHLO,
        ("MAIL FROM:<> SIZE=x", "501"),
        ("MAIL FROM:<> SIZE=200001", "552 5.3.4"),
        ("MAIL FROM:<> SIZE=1 SIZE=1", "501"),
        ("MAIL FROM:<> SIZE=200000", "250"),
    ],
    "bodies": [
        EHLO,
        ("MAIL FROM:<> BODY=9BIT", "501 5.5.4"),
        ("MAIL FROM:<> BODY", "501"),
        ("MAIL FROM:<> body=7bit", "250"),
        ("RSET", "250"),
        ("MAIL FROM:<> BODY=BINARYMIME", "250"),
        RCPT,
        ("DATA", "503"),
        ("BDAT 0 LAST", "250"),
    ],
    "delivery status": [
        EHLO,
        ("MAIL FROM:<> RET=ALL", "501"),
        ("MAIL FROM:<> ENVID=a=b", "501"),
        ("MAIL FROM:<> ENVID=a+2", "501"),
        (f"MAIL FROM:<> ENVID={'x' * 101}", "501"),
        ("MAIL FROM:<> RET=hdrs ENVID=QQ+2B314159", "250"),
        ("RCPT TO:<rcpt@example.test> NOTIFY=NEVER,DELAY", "501"),
        ("RCPT TO:<rcpt@example.test> NOTIFY=", "501"),
        ("RCPT TO:<rcpt@example.test> NOTIFY=DELAY NOTIFY=DELAY", "501"),
        ("RCPT TO:<rcpt@example.test> ORCPT=rcpt@example.test", "501"),
        (f"RCPT TO:<rcpt@example.test> ORCPT=rfc822;{'x' * 494}", "501"),
        ("RCPT TO:<rcpt@example.test> NOTIFY=SUCCESS,delay ORCPT=rfc822;r+3Dt@example.test", "250"),
    ],
    "internationalized mail": [
        EHLO,
        ("MAIL FROM:<ä@client.test>", "550 5.6.7"),
        ("MAIL FROM:<ä@client.test> SMTPUTF8=1", "501"),
        MAIL,
        ("RCPT TO:<dürst@example.test>", "553 5.6.7"),
        ("RSET", "250"),
        ("MAIL FROM:<ä@grün.test> SMTPUTF8", "250"),
        ("RCPT TO:<dürst@example.test>", "250"),
        ("VRFY dürst", "252"),
        ("VRFY dürst SMTPUTF8", "250 2.1.5 <dürst@example.test>"),
    ],
    "what needs TLS": [
        EHLO,
        ("MAIL FROM:<> REQUIRETLS", "555"),
        ("MAIL FROM:<> AUTH=<>", "555"),
        (f"AUTH PLAIN {PLAIN}", "504 5.5.4"),
    ],
    "content": [
        EHLO,
        MAIL,
        RCPT,
        ("DATA x", "501"),
        DATA,
        (f"{'x' * 998}\r\n..{'x' * 997}\r\n.", "250 2.0.0"),
        ("RCPT TO:<rcpt@example.test>", "503"),
        MAIL,
        RCPT,
        DATA,
        (f"{'x' * 999}\r\n.", "500"),
        MAIL,
        RCPT,
        DATA,
        ("x\n.\n\r\n.", "554 5.6.0"),
        MAIL,
        RCPT,
        DATA,
        (("x" * 998 + "\r\n") * 201 + ".", "552"),
        MAIL,
        RCPT,
        DATA,
        (".", "250"),
    ],
    "chunks": [
        EHLO,
        (b"BDAT 3\r\nabc", "503"),
        MAIL,
        (b"BDAT 3 LAST\r\nabc", "503"),
        RCPT,
        ("BDAT", "501"),
        ("BDAT -1", "501"),
        ("BDAT 1 LAST LAST", "501"),
        (b"bdat 3\r\nabc", "250 2.0.0"),
        ("DATA", "503"),
        ("RCPT TO:<rcpt@example.test>", "503"),
        (b"BDAT 2 last\r\n\r\n", "250 2.0.0"),
        ("BDAT 0 LAST", "503"),
    ],
    "a refused chunk": [
        EHLO,
        MAIL,
        RCPT,
        (b"BDAT 200001\r\n" + b"x" * 200001, "552"),
        (b"BDAT 3 LAST\r\nabc", "503"),
        ("NOOP", "250"),
        ("RSET", "250"),
        MAIL,
    ],
    "lines": [
        ("NOOP " + "x" * 505, "250"),
        ("NOOP " + "x" * 506, "500"),
        ("x" * 100_000, "500"),
        ("NOOP", "250"),
    ],
}

SECURED: dict[str, Script] = {
    "PLAIN": [
        (f"AUTH PLAIN {PLAIN}", "503"),
        EHLO,
        (f"AUTH PLAIN {WRONG}", "535 5.7.8"),
        ("AUTH PLAIN !!!", "501 5.5.2"),
        ("AUTH PLAIN =AAA", "501"),
        ("AUTH PLAIN AAA=BBB=", "501"),
        ("AUTH PLAIN =", "535"),
        ("AUTH", "501"),
        ("AUTH FSMX", "504"),
        ("AUTH PLAIN", "334 "),
        ("*", "501"),
        ("AUTH PLAIN", "334 "),
        ("A" * 12288, "500 5.5.6"),
        ("AUTH PLAIN", "334 "),
        ("A" * 12284, "535"),
        ("AUTH PLAIN", "334 "),
        (PLAIN, "235 2.7.0"),
        ("AUTH PLAIN", "503"),
    ],
    "LOGIN": [
        EHLO,
        (f"AUTH LOGIN {USER64}", "501 5.7.0"),
        ("auth login", "334 VXNlcm5hbWU6"),
        (USER64, "334 UGFzc3dvcmQ6"),
        ("AAAA", "535"),
        ("AUTH LOGIN", "334"),
        (USER64, "334"),
        (PASSWORD64, "235"),
    ],
    "AUTH in a transaction": [
        EHLO,
        MAIL,
        ("AUTH PLAIN", "503"),
        RCPT,
    ],
    "parameters": [
        EHLO,
        ("MAIL FROM:<> REQUIRETLS=yes", "501"),
        ("MAIL FROM:<> AUTH=a b", "501"),
        ("MAIL FROM:<> AUTH=e+3Dmc2@client.test REQUIRETLS", "250"),
        ("STARTTLS", "503"),
    ],
}


def play(dialogue: Dialogue, script: Script) -> None:
    for line, expected in script:
        dialogue.write(line if isinstance(line, bytes) else f"{line}\r\n".encode())
        reply = dialogue.reply()
        assert reply.startswith(expected), (line[:80], expected, reply)


@pytest.fixture(scope="module")
def in_clear() -> Iterator[ModelServer]:
    with model_server_in_thread(Options(context=server_context())) as server:
        yield server


@pytest.fixture(scope="module")
def secured() -> Iterator[ModelServer]:
    options = Options(context=server_context(), implicit_tls=True)
    with model_server_in_thread(options) as server:
        yield server


@pytest.mark.parametrize("area", IN_CLEAR)
def test_in_clear(in_clear: ModelServer, area: str) -> None:
    with Dialogue(in_clear.port) as dialogue:
        play(dialogue, IN_CLEAR[area])


@pytest.mark.parametrize("area", SECURED)
def test_secured(secured: ModelServer, area: str) -> None:
    with Dialogue(secured.port, tls=True) as dialogue:
        play(dialogue, SECURED[area])


def offers(reply: str) -> set[str]:
    return {line[4:].partition(" ")[0] for line in reply.splitlines()[1:]}


def test_what_is_offered_depends_on_where_the_session_is(in_clear: ModelServer) -> None:
    with Dialogue(in_clear.port) as dialogue:
        assert offers(dialogue.say("EHLO a.test")) == set(EXTENSIONS) - {"AUTH", "REQUIRETLS"}
        assert dialogue.say("STARTTLS").startswith("220 ")
        dialogue.start_tls()
        assert offers(dialogue.say("EHLO a.test")) == set(EXTENSIONS) - {"STARTTLS"}
        assert dialogue.say(f"AUTH PLAIN {PLAIN}").startswith("235 ")
        assert offers(dialogue.say("EHLO a.test")) == set(EXTENSIONS) - {"STARTTLS", "AUTH"}


@pytest.mark.parametrize("keyword", EXTENSIONS)
def test_each_extension_can_be_taken_away(keyword: str) -> None:
    options = Options(
        extensions=frozenset(EXTENSIONS) - {keyword}, context=server_context(), auth_in_clear=True
    )
    script = {
        "SIZE": ("MAIL FROM:<> SIZE=1", "555"),
        "8BITMIME": ("MAIL FROM:<> BODY=8BITMIME", "501"),
        "CHUNKING": ("BDAT 0", "502"),
        "BINARYMIME": ("MAIL FROM:<> BODY=BINARYMIME", "501"),
        "DSN": ("MAIL FROM:<> RET=FULL", "555"),
        "SMTPUTF8": ("MAIL FROM:<> SMTPUTF8", "555"),
        "STARTTLS": ("STARTTLS", "502"),
        "AUTH": ("AUTH PLAIN", "502"),
        "REQUIRETLS": ("MAIL FROM:<> REQUIRETLS", "555"),
        "EXPN": ("EXPN staff", "502"),
        "HELP": ("HELP", "502"),
        "ENHANCEDSTATUSCODES": ("RSET", "250 reset"),
    }.get(keyword, ("NOOP", "250"))
    with model_server_in_thread(options) as server, Dialogue(server.port) as dialogue:
        assert keyword not in offers(dialogue.say("EHLO a.test"))
        play(dialogue, [script])


def test_a_hundred_recipients_and_no_more(in_clear: ModelServer) -> None:
    with Dialogue(in_clear.port) as dialogue:
        play(dialogue, [EHLO, MAIL, *[RCPT] * 100])
        play(dialogue, [(RCPT[0], "452 4.5.3"), DATA, (".", "250")])


def test_what_limits_says_holds() -> None:
    options = Options(
        mails=2, recipient_domains=2, domains=frozenset({"a.test", "b.test", "c.test"})
    )
    with model_server_in_thread(options) as server, Dialogue(server.port) as dialogue:
        assert "LIMITS MAILMAX=2 RCPTMAX=100 RCPTDOMAINMAX=2" in dialogue.say("EHLO a.test")
        play(dialogue, [MAIL, ("RCPT TO:<rcpt@a.test>", "250"), ("RCPT TO:<rcpt@B.test>", "250")])
        play(dialogue, [("RCPT TO:<rcpt@c.test>", "452"), ("RCPT TO:<rcpt@b.test>", "250")])
        play(dialogue, [("RSET", "250"), MAIL, ("RSET", "250"), (MAIL[0], "452 4.5.3")])


def test_commands_in_one_segment_are_answered_in_order(in_clear: ModelServer) -> None:
    with Dialogue(in_clear.port) as dialogue:
        dialogue.say("EHLO a.test")
        dialogue.write(
            b"MAIL FROM:<>\r\nRCPT TO:<x@example.test>\r\nRCPT TO:<rcpt@example.test>\r\nDATA\r\n"
        )
        assert [dialogue.reply()[:3] for _ in range(4)] == ["250", "550", "250", "354"]
        dialogue.write(b"x\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<rcpt@example.test>\r\nBDAT 3\r\n")
        dialogue.write(b"abcBDAT 0 LAST\r\nNOOP\r\n")
        assert [dialogue.reply()[:3] for _ in range(6)] == ["250"] * 6


def test_nothing_written_in_the_clear_is_read_inside_tls(in_clear: ModelServer) -> None:
    with Dialogue(in_clear.port) as dialogue:
        play(dialogue, [EHLO, MAIL])
        dialogue.write(b"STARTTLS\r\nNOOP\r\n")
        assert dialogue.reply().startswith("220 ")
        dialogue.start_tls()
        assert dialogue.is_silent()
        play(dialogue, [("MAIL FROM:<>", "503"), EHLO, ("RCPT TO:<rcpt@example.test>", "503")])


@pytest.mark.parametrize("code", [554, 521])
def test_a_host_without_service_says_so_in_its_greeting(code: int) -> None:
    options = Options(greeting=code)
    with model_server_in_thread(options) as server, Dialogue(server.port) as dialogue:
        assert dialogue.greeting.startswith(f"{code} mx.example.test")
        if code == 521:  # RFC 7504 §3: it may close at once
            assert dialogue.reply() == ""
        else:  # RFC 5321 §3.1: it waits for QUIT
            play(dialogue, [("EHLO a.test", "503"), ("NOOP", "503"), ("QUIT", "221")])
            assert dialogue.reply() == ""


def test_submission_is_for_the_authenticated() -> None:
    options = Options(submission=True, auth_in_clear=True)
    with model_server_in_thread(options) as server, Dialogue(server.port) as dialogue:
        play(dialogue, [EHLO, ("MAIL FROM:<>", "530 5.7.0"), ("NOOP", "250")])
        play(dialogue, [(f"AUTH PLAIN {PLAIN}", "235"), ("MAIL FROM:<>", "250")])
        play(dialogue, [("RCPT TO:<x@elsewhere.test>", "250")])


def test_tls_may_be_required() -> None:
    options = Options(requires_tls=True, context=server_context())
    with model_server_in_thread(options) as server, Dialogue(server.port) as dialogue:
        play(dialogue, [EHLO, ("MAIL FROM:<>", "530 5.7.0"), ("STARTTLS", "220")])
        dialogue.start_tls()
        play(dialogue, [EHLO, MAIL])
