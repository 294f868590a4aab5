"""What the model server finds wrong with clients, and what it does not."""

import socket

import pytest

from fsm_smtp.testing.server.listening import model_server_in_thread
from fsm_smtp.testing.server.options import HOST, Options
from fsm_smtp.testing.server.session import Session
from fsm_smtp.testing.server.watch import Violation
from tests.testing.dialogue import Dialogue

OPEN = Options(takes_all=True)
EHLO, MAIL = "EHLO a.test", "MAIL FROM:<a@b.test>"
RCPT = "RCPT TO:<c@d.test>"


def blamed(*lines: str | bytes, options: Options = OPEN) -> list[Violation]:
    """The violations of a client that says these lines, each behind the reply to the last."""
    with model_server_in_thread(options) as server:
        with Dialogue(server.port) as client:
            for line in lines:
                client.say(line)
        server.wait_until_over()
        return server.violations


@pytest.mark.parametrize(
    ("lines", "rfc", "what"),
    [
        ([MAIL, "QUIT"], "5321 §4.1.4", "EHLO"),
        ([EHLO, RCPT, "QUIT"], "5321 §3.3", "RCPT"),
        ([EHLO, MAIL, "DATA", "QUIT"], "5321 §3.3", "recipient"),
        ([EHLO, "MAIL FROM: <a@b.test>", "QUIT"], "5321 §4.1.1", "grammar"),
        ([EHLO, "MAIL FROM:a@b.test", "QUIT"], "5321 §4.1.1", "grammar"),
        ([EHLO, "MAIL FROM:<a>", "QUIT"], "5321 §4.1.1.2", "mailbox"),
        (["EHLO a_b", "QUIT"], "5321 §4.1.1.1", "domain"),
        ([EHLO, f"{MAIL} XFOO=1", "QUIT"], "5321 §2.2.1", "XFOO"),
        ([EHLO, "XFOO", "QUIT"], "5321 §4.1.1", "XFOO"),
        ([EHLO, "RSET now", "QUIT"], "5321 §4.1.1", "RSET"),
        ([EHLO, "STARTTLS", "QUIT"], "3207 §4", "STARTTLS"),
        ([EHLO, MAIL, RCPT, "DATA", b"a\nb\r\n.", "QUIT"], "5321 §2.3.8", "bare LF"),
        ([EHLO, MAIL, RCPT, "DATA", b"x" * 999 + b"\r\n.", "QUIT"], "5321 §4.5.3.1.6", "1001"),
        ([EHLO, MAIL, RCPT, "DATA", b"\xe4\r\n.", "QUIT"], "6152 §3", "7F"),
        ([EHLO, MAIL], "5321 §4.1.1.10", "QUIT"),
    ],
)  # fmt: skip
def test_a_violation_names_its_section(lines: list[str | bytes], rfc: str, what: str) -> None:
    [violation] = blamed(*lines)
    assert violation.rfc == rfc
    assert what in str(violation)


def test_a_client_without_fault_is_not_blamed() -> None:
    assert blamed(
        EHLO, "NOOP", MAIL, "RSET", "mail FROM:<> body=8bitmime size=3", RCPT,
        "RCPT TO:<postmaster>", "DATA", b"..x\r\n\xe4\r\n.", MAIL, RCPT,
        b"BDAT 6\r\n1234", "BDAT 0 LAST", "VRFY <c@d.test>", "QUIT",
    ) == []  # fmt: skip


def test_what_is_sent_ahead_where_it_may_be_is_not_blamed() -> None:
    group = b"MAIL FROM:<nobody>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n"
    with model_server_in_thread(OPEN) as server, Dialogue(server.port) as client:
        client.say(EHLO)
        client.write(group)
        replies = [client.reply()[:3] for _ in range(3)]
        client.say("QUIT")
    assert replies == ["501", "503", "503"]
    # The address is wrong, and nothing else: RCPT and DATA were on their way.
    assert [one.rfc for one in server.violations] == ["5321 §4.1.1.2"]


@pytest.mark.parametrize(
    ("octets", "extensions", "rfc"),
    [
        (b"EHLO a.test\r\nMAIL FROM:<>\r\nQUIT\r\n", {"PIPELINING"}, "2920 §3.1"),
        (b"RSET\r\nRSET\r\nQUIT\r\n", set[str](), "2920 §3.1"),
    ],
)
def test_running_ahead_without_leave_is_blamed(
    octets: bytes, extensions: set[str], rfc: str
) -> None:
    options = Options(extensions=frozenset(extensions))
    with model_server_in_thread(options) as server, Dialogue(server.port) as client:
        client.write(octets)
        while client.reply()[:3] != "221":
            pass
    assert rfc in {one.rfc for one in server.violations}


class Late(Session):
    """A server whose greeting waits for the client's first octets."""

    async def greet(self) -> None:
        await self.more()
        await super().greet()


def test_a_client_that_does_not_wait_for_the_greeting_is_blamed() -> None:
    with (
        model_server_in_thread(OPEN, Late) as server,
        socket.create_connection((HOST, server.port), timeout=5) as client,
    ):
        client.sendall(b"QUIT\r\n")
        while client.recv(1000):
            pass
    assert [one.rfc for one in server.violations] == ["5321 §3.1"]


def test_no_password_is_in_a_violation() -> None:
    options = Options(auth_in_clear=True, takes_all=True)
    told = blamed(EHLO, MAIL, "AUTH PLAIN AHVzZXIAb3BlbiBzZXNhbWU=", "QUIT", options=options)
    assert [one.command for one in told] == ["AUTH PLAIN [redacted]"]
    assert told[0].rfc == "4954 §4"
