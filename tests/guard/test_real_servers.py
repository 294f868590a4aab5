"""Arbitrary sequences, legal and illegal, through guarded clients to real servers.

No illegal octet arrives and no legal command is refused; what is legal is worked out by `Oracle`,
independently of the guard. And legal sessions look the same with and without the guard.
"""

import asyncio
import contextlib
import random
import smtplib
from collections.abc import Iterator

import aiosmtplib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsm_smtp.guard import GuardError
from fsm_smtp.guard import aiosmtplib as guarded_aiosmtplib
from fsm_smtp.guard import smtplib as guarded_smtplib
from tests.guard.drivers import Aiosmtplib, Driver, Smtplib, Socket
from tests.guard.oracle import Action, Oracle
from tests.guard.relay import Relay, relay
from tests.servers.base import RECIPIENTS, SENDER, UNKNOWN
from tests.servers.fixtures import ServerPark


def _line(trigger: str, text: str, *, unfit: bool = False) -> Action:
    return Action(trigger, f"{text}\r\n".encode(), unfit)


SENSIBLE = [
    _line("send_ehlo", "EHLO client.example.test"),
    _line("send_mail", f"MAIL FROM:<{SENDER}>"),
    _line("send_rcpt", f"RCPT TO:<{RECIPIENTS[0]}>"),
    _line("send_data", "DATA"),
    Action("send_dot", b"Subject: x\r\n\r\nhello\r\n..\r\n.\r\n"),
]
ACTIONS = [
    *SENSIBLE,
    _line("send_helo", "HELO client.example.test"),
    _line("send_mail", "mail from:<>"),
    _line("send_mail", f"MAIL FROM:<{SENDER}> SIZE=200"),
    _line("send_mail", f"MAIL FROM:<{SENDER}> BODY=8BITMIME"),
    _line("send_mail", f"MAIL FROM:<{SENDER}> SMTPUTF8"),
    _line("send_mail", f"MAIL FROM:<{SENDER}> RET=HDRS"),
    _line("send_rcpt", f"RCPT TO:<{UNKNOWN}>"),
    _line("send_rcpt", f"RCPT TO:<{RECIPIENTS[1]}> NOTIFY=NEVER"),
    _line("send_rset", "RSET"),
    _line("send_noop", "NOOP"),
    _line("send_vrfy", "VRFY rcpt"),
    _line("send_help", "HELP"),
    _line("send_custom", "XFOO bar"),
    _line("send_bdat_last", "BDAT 0 LAST"),
    _line("send_auth", "AUTH LOGIN"),
    Action("send_dot", b".\r\n"),
    Action("send_dot", b"a\r\n.\r\nMAIL FROM:<evil@example.org>\r\n.\r\n", unfit=True),
    Action("send_dot", b"a\n.\nb\r\n.\r\n", unfit=True),
    Action("send_dot", b"a\r\n\0.\r\nb\r\n.\r\n", unfit=True),
    _line("send_noop", "NOOP\0", unfit=True),
    _line("send_mail", "MAIL FROM:<a\x7f@example.org>", unfit=True),
    _line("send_rcpt", f"RCPT TO:<{RECIPIENTS[0]}>\nRCPT TO:<evil@example.org>", unfit=True),
    Action("send_noop", b"NOOP\n", unfit=True),
]


@pytest.fixture(scope="module", params=["aiosmtpd", "postfix"])
def real(request: pytest.FixtureRequest, servers: ServerPark) -> Iterator[Relay]:
    server = servers.start(request.param)
    with relay(server.host, server.port) as made:
        yield made


@pytest.mark.parametrize("driver", [Smtplib, Aiosmtplib, Socket])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_illegal_octet_arrives_and_no_legal_command_is_refused(
    real: Relay, driver: type[Driver], data: st.DataObject
) -> None:
    client = driver()
    try:
        sent = _try_things(client, client.open(real.port), data)
    finally:
        client.close()
    assert real.settle() == sent


def _try_things(client: Driver, greeting: tuple[int, str], data: st.DataObject) -> bytes:
    """Try this and that, as far as the session goes; what must have been let through."""
    oracle = Oracle()
    sent = b""
    oracle.happens("connect")
    oracle.answered(*greeting)
    way = iter(SENSIBLE)  # what leads deep into a session, from which the rest departs
    for _ in range(data.draw(st.integers(1, 16))):
        if not oracle.open:
            break
        action = data.draw(st.sampled_from(ACTIONS))
        if data.draw(st.booleans()):
            action = next(way, action)
        content = action.trigger == "send_dot"
        if oracle.challenged:  # any line of base64 is a response there
            action = Action("send_cancel", b"*\r\n")
        elif oracle.content and not content:
            action = Action("send_dot", b".\r\n")  # a command would be content there
        elif content and not oracle.content and action.octets == b".\r\n":
            continue  # a command like any other there, at which Postfix hangs up
        try:
            answer = client.send(action.octets)
        except (GuardError, ValueError) as refused:
            if oracle.legal(action):
                raise AssertionError(f"{action} is legal") from refused
            continue
        assert oracle.legal(action), action
        sent += action.octets
        if action.trigger == "send_dot" and action.octets != b".\r\n":
            oracle.happens("send_content")
        oracle.happens(action.trigger)
        oracle.answered(*answer)
    return sent


def _legal_session(seed: int) -> list[tuple[str, ...]]:
    """A random session that any client may have: what to call, and with what."""
    dice = random.Random(seed)
    steps: list[tuple[str, ...]] = [(dice.choice(("ehlo", "helo", "ehlo")),)]
    for _ in range(dice.randint(0, 3)):
        steps += [("noop",)] * dice.randint(0, 1) + [("rset",)] * dice.randint(0, 1)
        if dice.random() < 0.2:
            steps.append(("vrfy", "rcpt"))
        names = dice.sample([*RECIPIENTS, UNKNOWN, "über"], dice.randint(1, 3))
        recipients = [name for name in names if name.isascii()] or [RECIPIENTS[0]]
        lines = [dice.choice(("", ".", "..", ".x", "text", "x" * 70)) for _ in range(9)]
        steps.append(("message", ",".join(recipients), "\r\n".join(lines)))
    return steps


def _by_smtplib(cls: type[smtplib.SMTP], port: int, steps: list[tuple[str, ...]]) -> None:
    with cls("127.0.0.1", port, "client.example.test", 20) as smtp:
        for name, *arguments in steps:
            if name == "message":
                to, text = arguments
                with contextlib.suppress(smtplib.SMTPRecipientsRefused):
                    smtp.sendmail(SENDER, to.split(","), text.encode())
            else:
                getattr(smtp, name)(*arguments)


async def _by_aiosmtplib(
    cls: type[aiosmtplib.SMTP], port: int, steps: list[tuple[str, ...]]
) -> None:
    smtp = cls(hostname="127.0.0.1", port=port, local_hostname="c.test", start_tls=False)
    await smtp.connect()
    for name, *arguments in steps:
        try:
            if name == "message":
                to, text = arguments
                await smtp.sendmail(SENDER, to.split(","), text.encode())
            else:
                await getattr(smtp, name)(*arguments)
        except aiosmtplib.SMTPException as error:
            if isinstance(error, GuardError):
                raise
    await smtp.quit()


@pytest.mark.parametrize("part", range(5))
def test_legal_sessions_are_the_same_on_the_wire(servers: ServerPark, part: int) -> None:
    """Five hundred of them, four hundred by smtplib and a hundred by aiosmtplib."""
    server = servers.start("aiosmtpd")
    with relay(server.host, server.port) as real:
        for seed in range(100 * part, 100 * part + 100):
            steps = _legal_session(seed)
            wires = []
            if part < 4:
                for cls in (smtplib.SMTP, guarded_smtplib.SMTP):
                    _by_smtplib(cls, real.port, steps)
                    wires.append(real.settle())
            else:
                for kind in (aiosmtplib.SMTP, guarded_aiosmtplib.SMTP):
                    asyncio.run(_by_aiosmtplib(kind, real.port, steps))
                    wires.append(real.settle())
            assert wires[0] == wires[1], seed
            assert wires[0].upper().endswith(b"QUIT\r\n")
