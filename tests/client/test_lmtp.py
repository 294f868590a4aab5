"""LMTP (RFC 2033): against every fate of every recipient, and against Dovecot."""

import ssl
from itertools import product

import pytest

from fsm_smtp.client import Client, Extensions, Options, Recipient
from fsm_smtp.client.dialogue import Dialogue
from fsm_smtp.client.message import Message
from fsm_smtp.client.result import SendResult
from fsm_smtp.errors import ConnectionLost, MalformedReply, ProtocolError, UnexpectedReply
from fsm_smtp.testing.scripted import GREETING, Body, Line, Say, ScriptedServer, answers
from tests.client.driver import SENDER, client
from tests.client.inmemory import Recorded, run
from tests.servers.base import HOSTNAME, RECIPIENTS, UNKNOWN
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import ServerPark
from tests.servers.probe import arrived, message

OK, NO, LATER, GO = b"250 2.1.5 ok\r\n", b"550 5.1.1 no\r\n", b"452 4.2.2 full\r\n", b"354 go\r\n"
HELLO = b"hello\r\n"


def sent(
    recipients: int, *says: bytes | None, extensions: Extensions | None = None
) -> tuple[SendResult, Recorded, Dialogue]:
    """Send one message to so many recipients, to a server that says this from MAIL on."""
    dialogue = Dialogue(Options(protocol="lmtp", timeout=1.0))
    server = Recorded(b"220 mx\r\n", b"250-mx\r\n250-CHUNKING\r\n250 PIPELINING\r\n", *says)
    run(dialogue.open(), server)
    names = tuple(f"r{number}@example.test" for number in range(recipients))
    result = run(dialogue.send(Message.of(HELLO, SENDER, names, extensions)), server)
    return result, server, dialogue


def outcome(reply: bytes) -> str:
    return "accepted" if reply.startswith(b"2") else "refused"


@pytest.mark.parametrize("chunked", [False, True], ids=["DATA", "BDAT"])
@pytest.mark.parametrize("together", [False, True], ids=["apart", "together"])
def test_every_fate_of_every_recipient(chunked: bool, together: bool) -> None:
    """Refused at RCPT, or by the reply to the content that is this recipient's own."""
    for rcpts in product((OK, NO), repeat=3):
        accepted = [number for number, reply in enumerate(rcpts) if reply == OK]
        for ends in product((OK, LATER, NO), repeat=len(accepted)):
            if not accepted:
                says = [OK, *rcpts, b"250 reset\r\n"]
            else:
                last = [b"".join(ends)] if together else list(ends)
                says = [OK, *rcpts, *([] if chunked else [GO]), *last, b"250 reset\r\n"]
            wishes = Extensions(chunking=chunked)
            result, server, dialogue = sent(3, *says, extensions=wishes)
            expected = [outcome(reply) for reply in rcpts]
            for number, reply in zip(accepted, ends, strict=True):
                expected[number] = outcome(reply)
            assert [fate.outcome for fate in result.fates] == expected
            assert result.error is None
            for number, reply in zip(accepted, ends, strict=True):
                fate = result.fates[number].reply
                assert fate is not None
                assert fate.raw == reply
            assert dialogue.session.legal
            assert not dialogue.session.unread
            assert server.lines[0].startswith("LHLO ")


@pytest.mark.parametrize(
    ("says", "fates", "error"),
    [
        ((OK, b""), ["accepted", "unknown", "unknown"], ConnectionLost),
        ((b"",), ["unknown"] * 3, ConnectionLost),
        ((OK, b"what?\r\n"), ["accepted", "unknown", "unknown"], MalformedReply),
        ((OK, GO), ["accepted", "unknown", "unknown"], UnexpectedReply),
        ((OK, OK, OK + OK), ["accepted"] * 3, None),
        ((OK, b"421 bye\r\n"), ["accepted", "refused", "refused"], None),
    ],
)
def test_what_may_come_among_the_replies(
    says: tuple[bytes, ...], fates: list[str], error: type[ProtocolError] | None
) -> None:
    """RFC 2033 §5: the replies that have come count, the rest is not known."""
    result, _, _ = sent(3, OK, OK, OK, OK, GO, *says)
    assert [fate.outcome for fate in result.fates] == fates
    assert type(result.error) is (error or type(None))
    assert not any(fate.permanent for fate in result.fates)


def test_both_adapters(adapter: str) -> None:
    lhlo = (Line(b"LHLO"), Say(b"250-mx\r\n250 CHUNKING\r\n"))
    envelope = answers((b"MAIL", OK), (b"RCPT", OK), (b"RCPT", OK))
    content = (Line(b"DATA"), Say(GO), Body(), Say(OK + LATER))
    how = Options(protocol="lmtp", timeout=2.0)
    with (
        ScriptedServer((*GREETING, *lhlo, *envelope, *content)) as server,
        client(adapter, server.port, how) as one,
    ):
        one.connect()
        result = one.send_message(HELLO, SENDER, ["a@example.test", "b@example.test"])
        assert [fate.outcome for fate in result.fates] == ["accepted", "refused"]
        assert [fate.status for fate in result.fates] == ["2.1.5", "4.2.2"]


def test_single_commands(adapter: str) -> None:
    """`dot` gives the last reply; the callback hears them all."""
    told: list[int] = []
    how = Options(protocol="lmtp", timeout=2.0, on_response=lambda r: told.append(r.reply.code))
    lhlo = (Line(b"LHLO"), Say(b"250 mx\r\n"))
    envelope = answers((b"MAIL", OK), (b"RCPT", OK), (b"RCPT", OK), (b"DATA", GO))
    with (
        ScriptedServer((*GREETING, *lhlo, *envelope, Body(), Say(OK), Say(LATER))) as server,
        client(adapter, server.port, how) as one,
    ):
        one.connect()
        one.mail(SENDER)
        one.rcpt("a@example.test")
        one.rcpt(Recipient("b@example.test"))
        one.data()
        one.stream(HELLO)
        assert one.dot().code == 452
        assert one.is_ready
    assert told[-2:] == [250, 452]


@pytest.mark.parametrize("security", ["none", "starttls"])
def test_dovecot(servers: ServerPark, security: str) -> None:
    server = servers.start("dovecot")
    assert isinstance(server, Dovecot)
    how = Options(
        security="starttls" if security == "starttls" else "none",
        protocol="lmtp",
        ehlo_name="client.example.test",
        timeout=15.0,
        tls=ssl.create_default_context(cafile=str(server.certificate.authority)),
        server_name=HOSTNAME,
    )
    content = message()
    before = {each: len(server.messages(each)) for each in RECIPIENTS[:2]}
    with Client(server.host, server.lmtp_port, how) as local:
        recipients = [RECIPIENTS[0], UNKNOWN, RECIPIENTS[1]]
        result = local.send_message(content, SENDER, recipients)
        assert [fate.outcome for fate in result.fates] == ["accepted", "refused", "accepted"]
        assert result.fates[1].permanent
        for recipient, count in before.items():
            arrived(server, recipient, content, count)
        assert "CHUNKING" in local.offers
        chunked = Extensions(chunking=True)
        assert local.send_message(content, SENDER, RECIPIENTS[0], extensions=chunked).all_accepted
    arrived(server, RECIPIENTS[0], content, before[RECIPIENTS[0]] + 1)
