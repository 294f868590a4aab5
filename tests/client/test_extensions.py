"""What a message asks of a server: on the wire where it is offered, refused before MAIL else."""

import io
from collections.abc import Callable
from email.message import EmailMessage, Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_smtp.client import DeliverBy, Extensions, Recipient, SendResult
from fsm_smtp.client.content import Source
from fsm_smtp.client.dialogue.chunks import CHUNK
from fsm_smtp.client.headers import recipients_of, sender_of, without_bcc
from fsm_smtp.client.message import Message as Mail
from fsm_smtp.errors import InvalidCommand, InvalidContent, LimitReached, NotOffered
from fsm_smtp.wire import grammar
from tests.client.driver import RECIPIENTS, SENDER
from tests.client.inmemory import Recorded, opened, run

OK, GO = b"250 ok\r\n", b"354 go\r\n"
HELLO = b"hello\r\n"


def sent(
    offers: list[str],
    extensions: Extensions | None = None,
    *,
    recipients: tuple[str | Recipient, ...] = (RECIPIENTS[0],),
    content: Source = HELLO,
    says: tuple[bytes | None, ...] | None = None,
    verified: bool = False,
) -> tuple[SendResult, Recorded]:
    """Send one message to a server that offers this."""
    answers = (OK, *[OK] * len(recipients), GO, OK) if says is None else says
    dialogue, server = opened(offers, *answers)
    dialogue.verified = verified
    message = Mail.of(content, SENDER, recipients, extensions)
    return run(dialogue.send(message), server), server


# -- typed parameters ----------------------------------------------------------------------------

DSN = Extensions(ret="HDRS", envid="order 7+8=15", notify={"FAILURE", "SUCCESS"})


def test_dsn() -> None:
    two = (
        Recipient("a@example.test", notify=["NEVER"], orcpt="rfc822;A B@example.test"),
        Recipient("b@example.test", orcpt="b+x@example.test", parameters={"X-OWN": "1"}),
    )
    result, server = sent(["DSN"], DSN, recipients=two)
    assert result.all_accepted
    assert server.lines[:3] == [
        "MAIL FROM:<me@example.test> RET=HDRS ENVID=order+207+2B8+3D15",
        "RCPT TO:<a@example.test> NOTIFY=NEVER ORCPT=rfc822;A+20B@example.test",
        "RCPT TO:<b@example.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+2Bx@example.test X-OWN=1",
    ]
    assert [fate.recipient for fate in result.fates] == ["a@example.test", "b@example.test"]


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12))
def test_any_envelope_identifier_is_xtext(envid: str) -> None:
    _, server = sent(["DSN"], Extensions(envid=envid))
    value = server.lines[0].rpartition("ENVID=")[2].encode()
    assert grammar.xtext_decode(value) == envid.encode()


OTHERS = [
    (Extensions(deliver_by=DeliverBy(120)), "DELIVERBY", "BY=120;R"),
    (Extensions(deliver_by=DeliverBy(-60, "notify", trace=True)), "DELIVERBY", "BY=-60;NT"),
    (Extensions(hold_for=3600), "FUTURERELEASE", "HOLDFOR=3600"),
    (Extensions(submitter="a=b@example.test"), "AUTH", "AUTH=a+3Db@example.test"),
    (Extensions(submitter=""), "AUTH", "AUTH=<>"),
    (Extensions(ret="FULL"), "DSN", "RET=FULL"),
    (Extensions(smtputf8=True), "SMTPUTF8", "SMTPUTF8"),
    (Extensions(body="8BITMIME"), "8BITMIME", "BODY=8BITMIME"),
    (Extensions(body="7BIT"), "8BITMIME", "BODY=7BIT"),
    (Extensions(parameters={"X-OWN": None}), "X-OWN", "X-OWN"),
    (Extensions(notify=["DELAY"]), "DSN", ""),
]


@pytest.mark.parametrize(("asked", "keyword", "parameter"), OTHERS)
def test_what_is_offered_is_on_the_wire(asked: Extensions, keyword: str, parameter: str) -> None:
    offer = "AUTH PLAIN" if keyword == "AUTH" else keyword
    result, server = sent([offer], asked)
    assert result.all_accepted
    assert server.lines[0] == f"MAIL FROM:<me@example.test> {parameter}".rstrip()


@pytest.mark.parametrize(
    ("asked", "keyword"),
    [
        *[(asked, key) for asked, key, _ in OTHERS if key != "X-OWN" and asked.body != "7BIT"],
        (Extensions(body="BINARYMIME"), "BINARYMIME"),
        (Extensions(chunking=True), "CHUNKING"),
        (Extensions(require_tls=True), "REQUIRETLS"),
    ],
)
def test_what_is_not_offered_is_refused_before_mail(asked: Extensions, keyword: str) -> None:
    dialogue, server = opened(["SIZE"])
    before = dialogue.session.configuration
    with pytest.raises(NotOffered, match=f"does not offer {keyword}") as caught:
        run(dialogue.send(Mail.of(HELLO, SENDER, RECIPIENTS, asked)), server)
    assert caught.value.keyword == keyword
    assert server.told == []
    assert dialogue.session.configuration is before


def test_orcpt_of_one_recipient_is_refused_before_mail_too() -> None:
    with pytest.raises(NotOffered, match="ORCPT"):
        sent([], recipients=(Recipient("a@example.test", orcpt="a@example.test"),))


@pytest.mark.parametrize(
    "asked",
    [
        Extensions(deliver_by=DeliverBy(0)),
        Extensions(deliver_by=DeliverBy(10**9, "notify")),
        Extensions(notify=["NEVER", "DELAY"]),
        Extensions(envid="x" * 101),
        Extensions(parameters={"RET": "ALL"}),
        Extensions(parameters={"X\r\nY": "1"}),
    ],
)
def test_what_is_against_the_grammar(asked: Extensions) -> None:
    with pytest.raises(InvalidCommand):
        sent(["DSN", "DELIVERBY"], asked)


def test_requiretls_needs_verified_tls() -> None:
    """RFC 8689 §4.2.1; the offer alone does not do."""
    asked = Extensions(require_tls=True)
    with pytest.raises(InvalidCommand, match="verified certificate"):
        sent(["REQUIRETLS"], asked)
    result, server = sent(["REQUIRETLS"], asked, verified=True)
    assert result.all_accepted
    assert server.lines[0].endswith("> REQUIRETLS")


def test_seven_bits_that_are_eight() -> None:
    with pytest.raises(InvalidContent, match="declared 7BIT"):
        sent(["8BITMIME"], Extensions(body="7BIT"), content="ü".encode())
    result, server = sent(["8BITMIME"], Extensions(body="7BIT"), content=iter([b"\xfc"]))
    assert type(result.error) is InvalidContent
    assert "\\xfc" not in repr(server.told)


# -- BDAT ----------------------------------------------------------------------------------------

CHUNKS = ["CHUNKING", "BINARYMIME", "8BITMIME"]


def by_bdat(content: Source, asked: Extensions, *replies: bytes) -> tuple[SendResult, Recorded]:
    return sent(CHUNKS, asked, content=content, says=(OK, OK, *replies))


@pytest.mark.parametrize(
    ("asked", "wire"),
    [
        (Extensions(chunking=True), b".one\r\n.\r\ntwo"),
        (Extensions(body="BINARYMIME"), b".one\n.\ntwo"),
    ],
)
def test_content_in_one_chunk(asked: Extensions, wire: bytes) -> None:
    """No dots stuffed; line ends as they are only where that was declared."""
    result, server = by_bdat(b".one\n.\ntwo", asked, OK)
    assert result.all_accepted
    assert server.told[-1] == b"BDAT %d LAST\r\n" % len(wire) + wire
    assert ("BODY=BINARYMIME" in server.lines[0]) == (asked.body == "BINARYMIME")


def test_content_in_several_chunks() -> None:
    piece = b"x" * (CHUNK // 2) + b"\r\n"
    result, server = by_bdat([piece] * 4, Extensions(chunking=True), OK, OK, OK, OK)
    assert result.all_accepted
    sizes = [octets.partition(b"\r\n")[0].decode() for octets in server.told[2:]]
    assert sizes[-1].endswith(" LAST")
    assert sum(int(size.split(" ")[1]) for size in sizes) == 4 * len(piece)
    assert b"".join(o.partition(b"\r\n")[2] for o in server.told[2:]) == piece * 4


def test_no_content_at_all() -> None:
    result, server = by_bdat(b"", Extensions(chunking=True), OK)
    assert result.all_accepted
    assert server.told[-1] == b"BDAT 0 LAST\r\n"


@pytest.mark.parametrize("last", [True, False])
def test_a_chunk_that_is_refused(last: bool) -> None:
    """Nothing more of it is sent, and RSET clears what the server kept (RFC 3030 §2)."""
    piece = b"x" * CHUNK
    content = [piece] if last else [piece, piece, piece]
    result, server = by_bdat(content, Extensions(chunking=True), b"552 5.3.4 too big\r\n", OK)
    assert [fate.outcome for fate in result.fates] == ["refused"]
    assert result.fates[0].status == "5.3.4"
    assert server.told[-1] == b"RSET\r\n"
    assert len(server.told) == 4


def test_no_recipient_no_chunk() -> None:
    asked = Extensions(chunking=True)
    result, server = sent(CHUNKS, asked, says=(OK, b"550 no\r\n", OK))
    assert [fate.outcome for fate in result.fates] == ["refused"]
    assert server.lines[-1] == "RSET"


def test_the_end_at_the_last_chunk_and_before() -> None:
    asked, piece = Extensions(chunking=True), b"x" * CHUNK
    result, _ = sent(CHUNKS, asked, content=[piece, piece], says=(OK, OK, b""))
    assert [fate.outcome for fate in result.fates] == ["refused"]
    result, _ = sent(CHUNKS, asked, content=[piece, piece], says=(OK, OK, OK, b""))
    assert [fate.outcome for fate in result.fates] == ["unknown"]


def test_eight_bits_by_bdat_need_their_offer_too() -> None:
    asked = Extensions(chunking=True)
    result, _ = sent(["CHUNKING"], asked, content=iter([b"\xfc"]), says=(OK, OK))
    assert type(result.error) is InvalidContent


# -- LIMITS --------------------------------------------------------------------------------------

FIVE = tuple(f"r{number}@{'x' if number < 3 else 'y'}.test" for number in range(5))


@pytest.mark.parametrize(
    ("limits", "groups"),
    [("RCPTMAX=5", [5]), ("RCPTMAX=2", [2, 2, 1]), ("RCPTDOMAINMAX=1", [3, 2]), ("MAILMAX=1", [5])],
)
def test_more_recipients_than_the_server_takes(limits: str, groups: list[int]) -> None:
    says = [reply for size in groups for reply in (OK, *[OK] * size, GO, OK)]
    file = io.BytesIO(b"skipped" + HELLO)
    file.seek(7)
    result, server = sent([f"LIMITS {limits}"], recipients=FIVE, content=file, says=(*says,))
    assert result.all_accepted
    assert [fate.recipient for fate in result.fates] == list(FIVE)
    assert server.lines.count("DATA") == len(groups)
    assert server.lines.count("hello") == len(groups)


def test_content_that_cannot_be_sent_twice() -> None:
    with pytest.raises(InvalidContent, match="3 transactions"):
        sent(["LIMITS RCPTMAX=2"], recipients=FIVE, content=iter([HELLO]))


def test_what_is_cut_short_is_not_begun_again() -> None:
    says = (OK, OK, OK, GO, OK, OK, b"421 bye\r\n")
    result, _ = sent(["LIMITS RCPTMAX=2"], recipients=FIVE, says=says)
    outcomes = [fate.outcome for fate in result.fates]
    assert outcomes == ["accepted"] * 2 + ["refused"] * 3


def test_the_gate_holds_to_them_too() -> None:
    dialogue, server = opened(["LIMITS MAILMAX=1"], OK, OK, GO, OK)
    run(dialogue.send(Mail.of(HELLO, SENDER, RECIPIENTS[0])), server)
    with pytest.raises(LimitReached):
        run(dialogue.send(Mail.of(HELLO, SENDER, RECIPIENTS[0])), server)


# -- headers -------------------------------------------------------------------------------------


def letter(**headers: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("grüße\n", cte="8bit")
    return message


def test_sender_and_recipients_from_the_headers() -> None:
    message = letter(
        From="Me <me@x.test>, other@x.test",
        To='"B, C" <b@x.test>, c@x.test',
        Cc="b@x.test",
        Bcc="secret@x.test",
        Subject="hi",
    )
    mail = Mail.of(message)
    assert mail.sender == "me@x.test"
    assert mail.addresses == ("b@x.test", "c@x.test", "secret@x.test")
    assert Mail.of(message, "", ["d@x.test"]).addresses == ("d@x.test",)
    message["Sender"] = "really@x.test"
    assert sender_of(message) == "really@x.test"
    assert "Bcc" not in without_bcc(message)
    assert message["Bcc"] == "secret@x.test"


def test_bcc_is_never_sent() -> None:
    for block in ("", "Resent-"):
        message = letter(From="me@x.test", To="b@x.test", Subject="hi")
        message[f"{block}Bcc"] = "secret@x.test"
        _, server = sent(["8BITMIME"], content=message)
        assert b"secret" not in b"".join(server.told)


def test_a_message_sent_again() -> None:
    """RFC 5322 §3.6.6: the new headers count, and which of several nobody can tell."""
    message = letter(From="a@x.test", To="b@x.test", Resent_From="c@x.test", Resent_To="d@x.test")
    assert (sender_of(message), recipients_of(message)) == ("a@x.test", ("b@x.test",))
    message["Resent-Date"] = "Thu, 01 Jan 2026 00:00:00 +0000"
    assert (sender_of(message), recipients_of(message)) == ("c@x.test", ("d@x.test",))
    message["Resent-Sender"] = "e@x.test"
    assert sender_of(message) == "e@x.test"
    old = Message()
    for _ in range(2):
        old["Resent-Date"] = "Thu, 01 Jan 2026 00:00:00 +0000"
    with pytest.raises(InvalidContent, match="2 blocks"):
        sender_of(old)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Mail.of(letter(To="b@x.test")), InvalidContent),
        (lambda: Mail.of(letter(From="b@x.test")), InvalidContent),
        (lambda: Mail.of(letter(From="b@x.test", To="undisclosed:;")), InvalidContent),
        (lambda: Mail.of(b"From: b@x.test\r\n", "", None), TypeError),
        (lambda: Mail.of(HELLO, SENDER, []), InvalidCommand),
    ],
)
def test_what_the_headers_do_not_say(make: Callable[[], Mail], error: type[Exception]) -> None:
    with pytest.raises(error):
        make()


def test_one_recipient_needs_no_list() -> None:
    assert Mail.of(HELLO, SENDER, "a@x.test").recipients == ("a@x.test",)


def test_a_message_is_recoded_for_a_server_without_8bitmime() -> None:
    """RFC 6152 §3, the one of its two ways that delivers."""
    message = letter(From="me@x.test", To="b@x.test", Subject="hi")
    _, server = sent([], content=message)
    octets = b"".join(server.told)
    assert octets.isascii()
    assert b"Content-Transfer-Encoding: base64" in octets or b"quoted-printable" in octets
    _, server = sent(["8BITMIME"], content=message)
    assert "grüße" in server.lines


def test_headers_in_utf8_for_addresses_in_utf8() -> None:
    message = letter(From="ü@x.test", To="b@x.test", Subject="größe")
    offers = ["8BITMIME", "SMTPUTF8"]
    dialogue, server = opened(offers, OK, OK, GO, OK)
    assert run(dialogue.send(Mail.of(message)), server).all_accepted
    assert server.lines[0].startswith("MAIL FROM:<ü@x.test>")
    assert "Subject: größe" in server.lines


def test_a_message_of_the_old_kind() -> None:
    old = Message()
    old["From"], old["To"] = "me@x.test", "b@x.test"
    old.set_payload("hello\n")
    result, server = sent(["SMTPUTF8"], Extensions(smtputf8=True), content=old)
    assert result.all_accepted
    assert server.lines[-3:] == ["", "hello", "."]
