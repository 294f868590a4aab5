"""Replies that are true, untidy, and lying; however the octets are cut."""

import pickle
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_smtp.errors import MalformedReply
from fsm_smtp.testing.strategies import chunkings, codes, reply_streams
from fsm_smtp.wire import Reply, ReplyParser, limits

Outcome = tuple[list[Reply], str | None]


def parse(*segments: bytes) -> Outcome:
    """All replies in the segments, and the error that ends them."""
    parser, replies = ReplyParser(), list[Reply]()
    try:
        for segment in segments:
            parser.feed(segment)
            while (reply := parser.next_reply()) is not None:
                replies.append(reply)
    except MalformedReply as error:
        return replies, str(error)
    return replies, None


def octet_by_octet(stream: bytes) -> Outcome:
    return parse(*(stream[i : i + 1] for i in range(len(stream))))


def one(stream: bytes) -> Reply:
    replies, error = parse(stream)
    assert error is None
    (reply,) = replies
    return reply


@pytest.mark.parametrize(
    ("stream", "reply"),
    [
        (b"250 2.1.0 Ok\r\n", Reply(250, (b"2.1.0 Ok",))),
        (b"250 \r\n", Reply(250, (b"",))),
        (b"250\r\n", Reply(250, (b"",), ("bare-code",))),
        (b"250-\r\n250-b\r\n250 c\r\n", Reply(250, (b"", b"b", b"c"))),
        (b"250-a\r\n250\r\n", Reply(250, (b"a", b""), ("bare-code",))),
        (b"220 caf\xe9\r\n", Reply(220, (b"caf\xe9",), ("8bit-text",))),
        (b"220 \x1b[31m\r\n", Reply(220, (b"\x1b[31m",), ("control-text",))),
        (b"220 a\tb\r\n", Reply(220, (b"a\tb",))),
        (b"250 250-a\r\n", Reply(250, (b"250-a",))),
        (b"559 \r\n", Reply(559, (b"",))),
        (b"250-\xff\r\n250\r\n", Reply(250, (b"\xff", b""), ("bare-code", "8bit-text"))),
    ],
)
def test_replies_that_are_borne(stream: bytes, reply: Reply) -> None:
    assert one(stream) == reply
    assert one(stream).raw == stream
    assert octet_by_octet(stream) == ([reply], None)
    assert pickle.loads(pickle.dumps(reply)) == reply


@pytest.mark.parametrize(
    ("stream", "what"),
    [
        (b"2500 four digits\r\n", "followed by neither"),
        (b"25 two\r\n", "does not begin with a reply code"),
        (b"+25 sign\r\n", "does not begin with a reply code"),
        (b" 25 space\r\n", "does not begin with a reply code"),
        (b" 250 space\r\n", "does not begin with a reply code"),
        (b"2_5 underscore\r\n", "does not begin with a reply code"),
        (b"000 zero\r\n", "does not begin with a reply code"),
        (b"150 first digit\r\n", "does not begin with a reply code"),
        (b"650 first digit\r\n", "does not begin with a reply code"),
        (b"260 second digit\r\n", "does not begin with a reply code"),
        (b"999 both\r\n", "does not begin with a reply code"),
        (b"\xb2\xb5\xb0 superscripts\r\n", "does not begin with a reply code"),
        ("２５０ full width\r\n".encode(), "does not begin with a reply code"),
        (b"\r\n", "does not begin with a reply code"),
        (b"HTTP/1.1 400 Bad Request\r\n", "does not begin with a reply code"),
        (b"250ok\r\n", "followed by neither"),
        (b"250\tok\r\n", "followed by neither"),
        (b"250=ok\r\n", "followed by neither"),
        (b"250--\r\n250+\r\n", "followed by neither"),
        (b"250 ok\n", "bare LF"),
        (b"250\n", "bare LF"),
        (b"250-a\n250 b\r\n", "bare LF"),
        (b"\n250 ok\r\n", "bare LF"),
        (b"250 o\rk\r\n", "bare CR"),
        (b"250 ok\r\r\n", "bare CR"),
        (b"250\r250 ok\r\n", "bare CR"),
        (b"250 o\0k\r\n", "NUL"),
        (b"250-a\r\n251 b\r\n", "two codes"),
        (b"250-a\r\n550-b\r\n250 c\r\n", "two codes"),
        (b"250-a\r\n354\r\n", "two codes"),
        (b"250-a\r\n\r\n250 b\r\n", "does not begin with a reply code"),
        (b"250-a\r\ntext of a reply\r\n250 b\r\n", "does not begin with a reply code"),
    ],
)
def test_replies_that_lie(stream: bytes, what: str) -> None:
    replies, error = parse(stream)
    assert replies == []
    assert error is not None
    assert what in error
    assert octet_by_octet(stream) == (replies, error)


def test_replies_come_one_at_a_time_and_the_rest_is_pending() -> None:
    parser = ReplyParser()
    assert not parser.pending
    assert parser.next_reply() is None
    parser.feed(b"220 go ahead\r\n250 injected\r\n25")
    assert parser.next_reply() == Reply(220, (b"go ahead",))
    assert parser.pending  # which ends a session that has just been answered to STARTTLS
    assert parser.buffered == b"250 injected\r\n25"
    assert parser.next_reply() == Reply(250, (b"injected",))
    assert parser.next_reply() is None
    assert parser.buffered == b"25"
    parser.clear()
    assert not parser.pending
    parser.feed(b"250-a\r\n250")
    assert parser.next_reply() is None
    assert parser.buffered == b"250-a\r\n250"
    parser.clear()
    parser.feed(b"421 bye\r\n")
    assert parser.next_reply() == Reply(421, (b"bye",))
    assert not parser.pending


def test_a_good_reply_is_given_before_a_bad_one_is_refused() -> None:
    replies, error = parse(b"250 ok\r\n999 no\r\n250 never\r\n")
    assert [reply.code for reply in replies] == [250]
    assert error is not None
    assert "b'999 no\\r\\n'" in error


def test_a_parser_that_met_an_error_is_dead() -> None:
    parser = ReplyParser()
    parser.feed(b"250 ok\n")
    with pytest.raises(MalformedReply) as first:
        parser.next_reply()
    assert not parser.pending
    for _ in range(2):
        with pytest.raises(MalformedReply) as again:
            parser.feed(b"250 ok\r\n")
        assert again.value is first.value
        with pytest.raises(MalformedReply) as again:
            parser.next_reply()
        assert again.value is first.value
        parser.clear()


def test_a_long_line_is_untidy_up_to_the_hard_limit() -> None:
    tidy = b"250 " + b"x" * (limits.MAX_REPLY_LINE - 6) + b"\r\n"
    assert one(tidy).untidy == ()
    untidy = b"250 " + b"x" * (limits.MAX_REPLY_LINE - 5) + b"\r\n"
    assert one(untidy).untidy == ("long-line",)
    longest = b"250 " + b"x" * (limits.MAX_REPLY_LINE_HARD - 6) + b"\r\n"
    assert one(longest).untidy == ("long-line",)
    too_long = b"250 " + b"x" * (limits.MAX_REPLY_LINE_HARD - 5) + b"\r\n"
    assert "longer than 4096" in str(parse(too_long)[1])
    assert parse(too_long) == octet_by_octet(too_long)


def test_a_line_without_end_is_refused_at_the_limit_and_nothing_kept() -> None:
    parser = ReplyParser()
    for _ in range(limits.MAX_REPLY_LINE_HARD - 1):
        parser.feed(b"2")
        assert parser.next_reply() is None
    parser.feed(b"2")
    with pytest.raises(MalformedReply):
        parser.next_reply()
    assert parser.buffered == b""
    assert "longer than" in str(parse(b"250 " + b"x" * 1_000_000)[1])


def test_too_many_lines() -> None:
    most = b"250-\r\n" * (limits.MAX_REPLY_LINES - 1) + b"250 \r\n"
    assert len(one(most).lines) == limits.MAX_REPLY_LINES
    endless = b"250-\r\n" * limits.MAX_REPLY_LINES
    assert "more than 256 lines" in str(parse(endless)[1])
    assert parse(endless) == octet_by_octet(endless)


@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize("last", [1, 7, 50, 1000, 4000])
def test_too_many_octets(last: int, over: int) -> None:
    """The limit bites at the same octet wherever lines end and segments are cut."""
    room = limits.MAX_REPLY_OCTETS - last - 6
    count, rest = divmod(room, 1000)
    stream = (b"250-" + b"x" * 994 + b"\r\n") * (count - 1)
    stream += b"250-" + b"y" * (994 + rest) + b"\r\n"
    stream += b"250 " + b"z" * (last + over) + b"\r\n"
    replies, error = parse(stream)
    assert (error is None) == (not over)
    assert len(replies) == 1 - over
    assert octet_by_octet(stream) == (replies, error)


def test_replies_that_nobody_takes_are_refused() -> None:
    parser = ReplyParser()
    parser.feed(b"250 ok\r\n" * (limits.MAX_UNREAD_OCTETS // 8))
    with pytest.raises(MalformedReply, match="more replies"):
        parser.feed(b"2")
    with pytest.raises(MalformedReply, match="more replies"):
        parser.next_reply()


def test_one_octet_at_a_time_takes_linear_time() -> None:
    line = b"250-" + b"x" * 4000 + b"\r\n"
    stream = (line * 16 + b"250 \r\n") * 4
    started = time.process_time()
    replies, error = octet_by_octet(stream)
    # 260,000 octets; quadratic in a reply's length would be some 10^10 steps.
    assert time.process_time() - started < 3
    assert (len(replies), error) == (4, None)


@given(reply_streams(), st.data())
def test_how_the_octets_are_cut_does_not_matter(stream: bytes, data: st.DataObject) -> None:
    whole = parse(stream)
    assert parse(*data.draw(chunkings(stream, empty=True))) == whole
    assert octet_by_octet(stream) == whole


@given(reply_streams())
def test_nothing_is_lost_or_invented(stream: bytes) -> None:
    parser = ReplyParser()
    parser.feed(stream)
    taken = b""
    refused: MalformedReply | None = None
    try:
        while (reply := parser.next_reply()) is not None:
            taken += reply.raw
            assert taken + parser.buffered == stream
    except MalformedReply as error:
        refused = error
    if refused is None:
        assert taken + parser.buffered == stream
    else:
        assert stream.startswith(taken)
        assert len(refused.received) <= 80
        assert refused.received in stream[len(taken) :]


TEXT = st.binary(max_size=30).map(lambda b: bytes(octet for octet in b if octet not in b"\0\r\n"))


@given(codes(), st.lists(TEXT, min_size=1, max_size=5))
def test_round_trip(code: int, lines: list[bytes]) -> None:
    sent = Reply(code, tuple(lines))
    received = one(sent.raw)
    assert (received.code, received.lines) == (code, tuple(lines))
    assert received.raw == sent.raw
    assert received.first_digit == int(str(code)[0])
    # Whatever a server says, a terminal prints it and does nothing else.
    assert all(line.isprintable() for line in received.text.split("\n"))
    assert all(line.isprintable() for line in str(received).split("\n"))
    assert len(str(received).split("\n")) == len(lines)


def test_a_reply_in_words() -> None:
    assert str(one(b"250 2.1.0 Ok\r\n")) == "250 2.1.0 Ok"
    assert str(one(b"250\r\n")) == "250"
    assert str(one(b"250-a\r\n250 b\r\n")) == "250-a\n250 b"
    assert one(b"250-a\r\n250 b\r\n").text == "a\nb"
    assert one("250 grüß dich\r\n".encode()).text == "grüß dich"
    assert one(b"250 \x1b[2J\xff\xc2\x9b\r\n").text == "\\x1b[2J\\xff\\x9b"


@pytest.mark.parametrize(
    ("stream", "status"),
    [
        (b"250 2.1.0 Ok\r\n", (2, 1, 0)),
        (b"550-5.7.30\r\n550 5.7.30 no\r\n", (5, 7, 30)),
        (b"450 5.1.1 class and code disagree\r\n", None),
        (b"354 3.0.0 no such class\r\n", None),
        (b"250 2.1.0Ok\r\n", None),
        (b"250 2.01.0 leading zero\r\n", None),
        (b"250 Ok 2.1.0\r\n", None),
        (b"250\r\n", None),
    ],
)
def test_enhanced_status_codes(stream: bytes, status: tuple[int, int, int] | None) -> None:
    assert one(stream).enhanced == status


def tolerated(stream: bytes) -> Reply:
    parser = ReplyParser(tolerant=True)
    parser.feed(stream)
    reply = parser.next_reply()
    assert reply is not None
    return reply


@pytest.mark.parametrize(
    ("stream", "code", "lines", "untidy"),
    [
        (b"250 fine\n", 250, (b"fine",), ("bare-lf",)),
        (b"250-one\r\n250 two\n", 250, (b"one", b"two"), ("bare-lf",)),
        (b"273 odd\r\n", 273, (b"odd",), ("odd-code",)),
        (b"299-odd\n299 and bare\n", 299, (b"odd", b"and bare"), ("bare-lf", "odd-code")),
        (b"250-fine\r\n250 fine\r\n", 250, (b"fine", b"fine"), ()),
    ],
)
def test_what_a_tolerant_parser_bears(
    stream: bytes, code: int, lines: tuple[bytes, ...], untidy: tuple[str, ...]
) -> None:
    reply = tolerated(stream)
    assert (reply.code, reply.lines, reply.untidy) == (code, lines, untidy)
    # What is borne in one reply is not noted at the next.
    parser = ReplyParser(tolerant=True)
    parser.feed(stream + b"250-tidy\r\n250 tidy\r\n")
    assert [parser.next_reply(), parser.next_reply()] == [
        reply,
        tolerated(b"250-tidy\r\n250 tidy\r\n"),
    ]


def test_a_tolerant_parser_bears_no_more_than_that() -> None:
    parser = ReplyParser(tolerant=True)
    parser.feed(b"25 x\r\n")
    with pytest.raises(MalformedReply):
        parser.next_reply()
