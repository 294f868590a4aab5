"""The strategies: inside the grammar or outside it as they say, and simple when they shrink."""

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from fsm_smtp.errors import MalformedReply
from fsm_smtp.owed import ServerModel
from fsm_smtp.table import load_table
from fsm_smtp.testing import strategies as smtp
from fsm_smtp.testing.server.lines import mistakes_in
from fsm_smtp.testing.strategies.commands import is_wrong
from fsm_smtp.testing.strategies.sessions import EXTENSIONS
from fsm_smtp.wire import Command, ReplyParser, grammar

MODEL = ServerModel.of(load_table())


@given(smtp.domains(), smtp.address_literals(), smtp.local_parts(), smtp.addresses())
def test_addresses_are_in_the_grammar(domain: str, literal: str, local: str, address: str) -> None:
    assert grammar.is_domain(domain.encode())
    assert grammar.is_address_literal(literal.encode())
    assert grammar.is_local_part(local.encode())
    assert grammar.is_mailbox(address.encode())


@given(smtp.utf8_addresses(), smtp.utf8_domains())
def test_addresses_of_utf8_are_in_the_wider_grammar(address: str, domain: str) -> None:
    assert grammar.is_mailbox(address.encode(), utf8=True)
    assert not grammar.is_mailbox(address.encode())
    assert grammar.is_domain(domain.encode(), utf8=True)


@given(smtp.well_formed(), smtp.near_misses())
def test_commands_are_well_formed_or_nearly(command: Command, line: bytes) -> None:
    assert not is_wrong(command.line)
    assert is_wrong(line)
    assert line.endswith(b"\r\n")


@given(smtp.replies(), st.data())
def test_replies_are_read_however_they_are_cut(octets: bytes, data: st.DataObject) -> None:
    parser = ReplyParser()
    for piece in data.draw(smtp.chunkings(octets)):
        parser.feed(piece)
    reply = parser.next_reply()
    assert reply is not None
    assert reply.raw == octets
    assert not reply.untidy


@given(smtp.hostile_replies())
def test_hostile_replies_are_not_believed(octets: bytes) -> None:
    parser = ReplyParser()
    try:
        parser.feed(octets)
        assert parser.next_reply() is None
    except MalformedReply:
        pass
    assert octets


@given(smtp.content_lines())
def test_lines_of_content_hold_no_end_of_data(octets: bytes) -> None:
    assert b"\r\n.\r\n" not in b"\r\n" + octets
    assert octets.endswith(b"\r\n")


@given(smtp.messages(), smtp.messages(hostile=True, eight_bit=True))
def test_messages_are_tame_unless_asked_otherwise(tame: bytes, wild: bytes) -> None:
    assert not list(mistakes_in(tame, binary=False, eight_bit=False))
    assert wild.startswith(b"Subject: x\r\n\r\n")


def walked(inputs: tuple[str, ...]) -> list[bool]:
    """Which inputs an exacting server refuses."""
    standing = MODEL.server.initial
    refused = []
    for name in inputs:
        entry = MODEL.owed(standing, name)
        assert entry is not None
        refused.append(entry.answers[0].word[0] in "45")
        standing = MODEL.server.after(standing, entry.answers[0])
    return refused


@given(smtp.legal_sessions(EXTENSIONS), smtp.illegal_sessions(EXTENSIONS))
@settings(max_examples=40)
def test_sessions_have_no_illegal_step_or_one(
    legal: tuple[str, ...], illegal: smtp.Illegal
) -> None:
    assert not any(walked(legal))
    refused = walked(illegal.inputs)
    assert [number for number, wrong in enumerate(refused) if wrong] == [illegal.step]


@given(smtp.groups())
def test_only_the_last_of_a_group_waits(group: tuple[str, ...]) -> None:
    assert set(group[:-1]) <= {"rset", "mail", "rcpt", "rcpt_unknown"}


@pytest.mark.parametrize(
    ("strategy", "simplest"),
    [
        (smtp.addresses(), "a@a.test"),
        (smtp.domains(), "a.test"),
        (smtp.address_literals(), "[127.0.0.1]"),
        (smtp.content_lines(), b"x\r\n"),
        (smtp.messages(), b"Subject: x\r\n\r\n"),
        (smtp.replies(), b"250 \r\n"),
        (smtp.legal_sessions(), ()),
        (smtp.illegal_sessions(), (("mail",), 0)),
        (smtp.groups(), ("rset", "noop")),
        (smtp.chunkings(b"abc"), (b"abc",)),
        (smtp.chunkings(b"abc", empty=True), (b"abc",)),
        (smtp.raw_content(), b""),
        (smtp.reply_streams(), b""),
    ],
)  # fmt: skip
def test_the_simplest_is_what_a_person_would_write(
    strategy: st.SearchStrategy[object], simplest: object
) -> None:
    assert find(strategy, lambda _: True) == simplest
