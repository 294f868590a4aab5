"""The guard without I/O: what it lets pass, what it refuses, and that nothing moves then."""

import logging
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsm_smtp import CommandRefused, InvalidCommand, InvalidContent, MalformedReply, UnexpectedReply
from fsm_smtp.guard import (
    Guard,
    GuardedContent,
    GuardedLine,
    GuardedOffer,
    GuardedReply,
    GuardError,
    GuardOptions,
    Kind,
)
from fsm_smtp.testing.strategies import NO_ENDS, chunkings
from tests.guard.talk import GO, GREETING, MESSAGE, OFFERS, OK, Found, exchange, open_guard


def test_a_message_passes_and_nothing_is_found() -> None:
    found = Found()
    guard = open_guard(GuardOptions(on_finding=found.append))
    exchange(guard, *MESSAGE, *MESSAGE, (b"QUIT\r\n", b"221 2.0.0 Bye\r\n"))
    guard.eof()
    guard.closed()
    assert found == []


def test_an_illegal_command_says_where_why_and_what_would_be_legal() -> None:
    guard = open_guard()
    before = guard.configuration
    with pytest.raises(CommandRefused) as caught:
        guard.sending(b"DATA\r\n")
    error = caught.value
    assert isinstance(error, GuardError)
    assert (error.state, error.command, error.trigger) == ("SMTP_CONNECTED", "DATA", "send_data")
    assert error.rfc == "5321 §3.3"
    assert "send_mail" in error.legal
    assert error.transcript[-2:] == ("S: 250-PIPELINING", "S: 250 CHUNKING")
    assert guard.configuration is before
    exchange(guard, *MESSAGE)  # as if it had not been tried


def test_errors_pickle_with_all_they_carry() -> None:
    guard = open_guard()
    with pytest.raises(GuardError) as caught:
        guard.sending(b"RCPT TO:<b@example.test>\r\n")
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is type(caught.value)
    assert vars(again) == vars(caught.value)
    assert str(again) == str(caught.value)


@pytest.mark.parametrize("octet", [*range(0x20), 0x7F])
def test_control_octets_are_refused_in_every_command(octet: int) -> None:
    guard = open_guard()
    line = b"MAIL FROM:<a" + bytes([octet]) + b"@example.org>\r\n"
    with pytest.raises(InvalidCommand):
        guard.sending(line)
    exchange(guard, *MESSAGE)


def test_a_command_with_a_bare_lf_is_refused() -> None:
    with pytest.raises(GuardedLine, match="CRLF"):
        open_guard().sending(b"NOOP\n")


@pytest.mark.parametrize(
    ("line", "keyword"),
    [
        (b"MAIL FROM:<a@example.org> SMTPUTF8\r\n", "SMTPUTF8"),
        (b"MAIL FROM:<a@example.org> RET=HDRS\r\n", "DSN"),
        (b"MAIL FROM:<a@example.org> REQUIRETLS\r\n", "REQUIRETLS"),
        ("MAIL FROM:<ä@example.org>\r\n".encode(), "SMTPUTF8"),
        (b"MAIL FROM:<a@example.org> BODY=BINARYMIME\r\n", "BINARYMIME"),
    ],
)
def test_what_was_not_offered_is_refused(line: bytes, keyword: str) -> None:
    guard = open_guard()
    with pytest.raises(GuardedOffer, match=f"{keyword} was not offered"):
        guard.sending(line)
    exchange(guard, *MESSAGE)


def test_after_helo_nothing_is_offered() -> None:
    guard = open_guard(ehlo=False)
    exchange(guard, (b"HELO client.example.test\r\n", OK))
    with pytest.raises(GuardedOffer):
        guard.sending(b"MAIL FROM:<a@example.org> SIZE=5\r\n")


def test_untidy_addresses_are_recorded_and_refused_when_asked() -> None:
    found = Found()
    exchange(open_guard(GuardOptions(on_finding=found.append)), (b"MAIL FROM:<John>\r\n", OK))
    assert [(each.kind, each.violation, each.rfc) for each in found] == [
        (Kind.GRAMMAR, False, "5321 §4.1.1.2")
    ]
    with pytest.raises(GuardedLine, match="is no mailbox"):
        open_guard(GuardOptions(grammar="strict")).sending(b"MAIL FROM:<John>\r\n")


def _in_content(*, lockstep: bool = True) -> Guard:
    guard = open_guard(lockstep=lockstep)
    exchange(guard, *MESSAGE[:3])
    return guard


@pytest.mark.parametrize(
    "content",
    [
        *(b"a" + no_end + b"b\r\n.\r\n" for no_end in NO_ENDS),
        *(b"a\r\n.\r\nMAIL FROM:<x@y>\r\n.\r\n", b"a\nb\r\n.\r\n", b"\0.\r\nb\r\n.\r\n"),
        b".\r\nb\r\n.\r\n",
    ],
)
@pytest.mark.parametrize("lockstep", [True, False])
@settings(max_examples=10)
@given(data=st.data())
def test_content_that_could_end_elsewhere_is_refused(
    content: bytes, lockstep: bool, data: st.DataObject
) -> None:
    """All variants of the end of data that some server has honoured, however they are cut."""
    guard = _in_content(lockstep=lockstep)
    released = b""
    with pytest.raises((InvalidContent, InvalidCommand, CommandRefused)):
        for piece in data.draw(chunkings(content)):
            released += guard.sending(piece)
    assert b"\n" not in released.replace(b"\r\n", b"")
    assert b"\r" not in released.replace(b"\r\n", b"")
    assert b"b\r\n" not in released


def test_content_behind_its_own_end_says_so() -> None:
    guard = _in_content()
    with pytest.raises(GuardedContent, match="ends 6 octets before"):
        guard.sending(b"a\r\n.\r\nb\r\n.\r\n")
    assert guard.sending(b"a\r\n.\r\n") == b"a\r\n.\r\n"


#: A whole session of a client in lock-step, SASL and a refused recipient included.
SESSION = (
    (b"EHLO client.example.test\r\n", OFFERS),
    (b"AUTH LOGIN\r\n", b"334 VXNlcm5hbWU6\r\n"),
    (b"dXNlcg==\r\n", b"334 UGFzc3dvcmQ6\r\n"),
    (b"c2VjcmV0\r\n", b"235 2.7.0 ok\r\n"),
    (b"MAIL FROM:<a@example.org> SIZE=40\r\n", OK),
    (b"RCPT TO:<nobody@example.test>\r\n", b"550 5.1.1 nobody\r\n"),
    (b"RCPT TO:<b@example.test>\r\n", OK),
    (b"DATA\r\n", GO),
    (b"Subject: x\r\n\r\n..\r\n.x\r\n..\r\n.\r\n", OK),
    (b"MAIL FROM:<>\r\n", OK),
    (b"RCPT TO:<b@example.test>\r\n", OK),
    (b"BDAT 5\r\n\r\n\r\n.", OK),
    (b"BDAT 3 LAST\r\n\r\n.", OK),
    (b"QUIT\r\n", b"221 2.0.0 Bye\r\n"),
)


@settings(max_examples=40)
@given(data=st.data())
def test_how_octets_are_cut_makes_no_difference(data: st.DataObject) -> None:
    found = Found()
    guard = Guard(GuardOptions(on_finding=found.append))
    guard.connected()
    guard.received(GREETING)
    for line, answer in SESSION:
        released = b"".join(guard.sending(piece) for piece in data.draw(chunkings(line)))
        assert released == line
        for piece in data.draw(chunkings(answer)):
            guard.received(piece)
    assert [each.kind for each in found] == [Kind.EXPOSED]


@settings(max_examples=40)
@given(data=st.data())
def test_recording_changes_no_octet(data: st.DataObject) -> None:
    guard = Guard(GuardOptions(mode="record"))
    guard.connected()
    for piece in data.draw(st.lists(st.binary(max_size=40), max_size=12)):
        assert guard.sending(piece) == piece
        guard.received(data.draw(st.binary(max_size=20)))


def test_recording_goes_on_as_long_as_the_server_refuses() -> None:
    found = Found()
    guard = open_guard(GuardOptions(mode="record", on_finding=found.append))
    guard.sending(b"DATA\r\n")
    guard.received(b"503 5.5.1 RCPT first\r\n")
    exchange(guard, *MESSAGE)
    assert found.violations == ["no mail transaction is open"]
    guard.sending(b"DATA\r\n")
    guard.received(GO)
    assert guard.lost
    assert guard.sending(b"what\never\r\n") == b"what\never\r\n"


def test_findings_go_to_logging(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "fsm_smtp.guard"):
        open_guard(GuardOptions(mode="record")).sending(b"DATA\r\n")
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith("'DATA' is not legal in SMTP_CONNECTED")


def test_a_reply_that_nobody_asked_for_ends_the_session() -> None:
    guard = open_guard()
    exchange(guard, *MESSAGE[:3])
    guard.sending(MESSAGE[3][0])
    assert guard.received(OK + b"250 once more\r\n")[-1].code == 250  # the first is the client's
    with pytest.raises(UnexpectedReply, match="every command is answered once"):
        guard.sending(b"NOOP\r\n")
    with pytest.raises(CommandRefused):
        guard.sending(b"NOOP\r\n")


@pytest.mark.parametrize("behind", [b"250 mx\r\n", b"2", b"\x16\x03\x01"])
def test_plaintext_behind_starttls_ends_the_session(behind: bytes) -> None:
    guard = open_guard()
    guard.sending(b"STARTTLS\r\n")
    with pytest.raises((UnexpectedReply, MalformedReply), match="plaintext behind the 220"):
        guard.received(b"220 go\r\n" + behind)


def test_nothing_learned_before_tls_is_believed() -> None:
    guard = open_guard()
    exchange(guard, (b"STARTTLS\r\n", b"220 go\r\n"))
    assert guard.handshaking
    with pytest.raises(CommandRefused):
        guard.sending(b"EHLO client.example.test\r\n")
    guard.tls_up()
    assert not guard.offers
    with pytest.raises(CommandRefused):
        guard.sending(b"MAIL FROM:<a@example.org>\r\n")


def test_tls_can_be_required() -> None:
    guard = open_guard(GuardOptions(require_tls=True))
    for line in (b"MAIL FROM:<a@example.org>\r\n", b"AUTH PLAIN c2VjcmV0\r\n"):
        with pytest.raises(CommandRefused, match="in clear"):
            guard.sending(line)


@pytest.mark.parametrize("reply", [b"250 caf\xc3\xa9\r\n", b"250 a\x01b\r\n", b"250 ok\n"])
def test_untidy_replies_are_borne_unless_strict(reply: bytes) -> None:
    found = Found()
    guard = open_guard(GuardOptions(on_finding=found.append))
    guard.sending(b"NOOP\r\n")
    guard.received(reply)
    assert [each.violation for each in found] == [False]
    strict = open_guard(GuardOptions(replies="strict"))
    strict.sending(b"NOOP\r\n")
    with pytest.raises(MalformedReply):
        strict.received(reply)


def test_a_reply_is_handled_by_its_first_digit() -> None:
    guard = open_guard()
    exchange(guard, *MESSAGE[:1], (MESSAGE[1][0], b"571 5.7.1 not here\r\n"), *MESSAGE[1:])


def test_passwords_reach_no_error_and_no_transcript() -> None:
    found = Found()
    guard = open_guard(GuardOptions(on_finding=found.append))
    exchange(guard, (b"AUTH LOGIN\r\n", b"334 VXNlcm5hbWU6\r\n"), (b"c2VjcmV0\r\n", b"535 no\r\n"))
    guard.sending(b"AUTH PLAIN c2VjcmV0\r\n")
    with pytest.raises(GuardedReply) as caught:
        guard.received(b"250 which is no answer to AUTH\r\n")
    guard = open_guard()
    with pytest.raises(GuardedLine) as other:
        guard.sending(b"AUTH PLAIN c2Vj\0cmV0\r\n")
    shown = repr((found, caught.value, vars(caught.value), other.value, vars(other.value)))
    assert "AUTH PLAIN [redacted]" in shown
    assert "c2Vj" not in shown


def test_a_password_in_clear_is_remarked_on() -> None:
    found = Found()
    open_guard(GuardOptions(on_finding=found.append)).sending(b"AUTH PLAIN c2VjcmV0\r\n")
    assert [each.kind for each in found] == [Kind.EXPOSED]


def test_leaving_without_quit_is_remarked_on() -> None:
    found = Found()
    open_guard(GuardOptions(on_finding=found.append)).closed()
    assert [(each.kind, each.culprit, each.rfc) for each in found] == [
        (Kind.CLOSE, "client", "5321 §4.1.1.10")
    ]


def test_a_line_without_end_is_not_waited_for() -> None:
    guard = open_guard()
    with pytest.raises(GuardedLine, match="without an end"):
        for _ in range(100):
            guard.sending(b"X" * 1000)


ENVELOPE = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n"


def test_a_command_group_passes_where_it_was_offered() -> None:
    found = Found()
    guard = open_guard(GuardOptions(on_finding=found.append))
    for _ in range(2):
        assert guard.sending(ENVELOPE) == ENVELOPE
        assert [each.code for each in guard.received(OK + OK + GO)] == [250, 250, 354]
        # the next envelope behind the end of data: RFC 2920 §3.1
        behind = b"hello\r\n.\r\n" + ENVELOPE
        assert guard.sending(behind) == behind
        guard.received(OK)
        guard.received(b"550 no\r\n503 no\r\n503 no\r\n")
    assert not found.violations
    exchange(guard, *MESSAGE)


def test_a_command_group_is_refused_where_it_was_not_offered() -> None:
    guard = open_guard(offers=b"250 mx.example.test\r\n")
    with pytest.raises(CommandRefused, match="did not offer PIPELINING") as caught:
        guard.sending(ENVELOPE)
    assert caught.value.rfc == "2920 §3"
    exchange(guard, *MESSAGE)  # nothing of the group has counted


@pytest.mark.parametrize(
    "group",
    [
        ENVELOPE + b"hello\r\n.\r\n",  # content before 354
        b"NOOP\r\n" + ENVELOPE,  # NOOP must be the last of its group
        b"MAIL FROM:<a@example.org>\r\nDATA\r\n",  # no recipient
        b"EHLO client.example.test\r\nMAIL FROM:<a@example.org>\r\n",
        b"AUTH PLAIN c2VjcmV0\r\nMAIL FROM:<a@example.org>\r\n",
        b"STARTTLS\r\nEHLO client.example.test\r\n",
    ],
)
def test_a_group_against_the_rules_is_refused_whole(group: bytes) -> None:
    guard = open_guard()
    with pytest.raises(CommandRefused):
        guard.sending(group)
    exchange(guard, *MESSAGE)


def test_a_client_in_lockstep_sends_no_groups() -> None:
    with pytest.raises(CommandRefused, match="a reply is awaited"):
        open_guard(lockstep=True).sending(ENVELOPE)


def test_a_chunk_in_one_group_with_its_envelope_is_remarked_on() -> None:
    found = Found()
    guard = open_guard(GuardOptions(on_finding=found.append))
    group = ENVELOPE.removesuffix(b"DATA\r\n") + b"BDAT 3 LAST\r\n\r\n."
    assert guard.sending(group) == group
    guard.received(OK + OK + OK)
    assert [(each.rfc, each.violation) for each in found] == [("3030 §2", False)]
    exchange(guard, *MESSAGE)


def test_replies_for_each_recipient_are_counted() -> None:
    guard = Guard(lmtp=True, lockstep=True)
    guard.connected()
    guard.received(GREETING)
    with pytest.raises(CommandRefused):
        guard.sending(b"EHLO client.example.test\r\n")
    exchange(guard, (b"LHLO client.example.test\r\n", OFFERS), *MESSAGE[:2], *MESSAGE[1:3])
    exchange(guard, (MESSAGE[3][0], OK))
    with pytest.raises(CommandRefused, match="a reply is awaited"):
        guard.sending(b"MAIL FROM:<a@example.org>\r\n")
    guard.received(b"452 4.2.2 full\r\n")
    exchange(guard, *MESSAGE[:1])
