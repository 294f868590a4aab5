"""Content: it ends where we end it, and nowhere else, whatever the message says."""

import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fsm_smtp import wire as octets
from fsm_smtp.errors import InvalidContent
from fsm_smtp.testing.strategies import NO_ENDS, chunkings, raw_content
from fsm_smtp.wire import ContentEncoder, canonical_chunks, decode_content

SMUGGLED_ENDS = (*NO_ENDS, b"\r\n.\r\n", b"\r\n.\r\n\0")
#: Content as a caller may hand it over.
CHUNKED = raw_content().flatmap(lambda body: chunkings(body, empty=True))


def encoded(*chunks: bytes) -> bytes:
    encoder = ContentEncoder()
    return b"".join([*map(encoder.encode, chunks), encoder.finish()])


def canonical(body: bytes) -> bytes:
    """The plain words of the rule, octet by octet: every line end becomes CRLF."""
    out = bytearray()
    previous = 0
    for octet in body:
        if octet == 0x0D or (octet == 0x0A and previous != 0x0D):
            out += b"\r\n"
        elif octet != 0x0A:
            out.append(octet)
        previous = octet
    return bytes(out)


def has_bare_line_end(octets: bytes) -> bool:
    return octets.count(b"\r\n") != octets.count(b"\r") or octets.count(b"\r") != octets.count(
        b"\n"
    )


@pytest.mark.parametrize(
    ("body", "wire"),
    [
        (b"", b".\r\n"),
        (b"a\r\n", b"a\r\n.\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b"a\n", b"a\r\n.\r\n"),
        (b"a\r", b"a\r\n.\r\n"),
        (b"a\rb\nc", b"a\r\nb\r\nc\r\n.\r\n"),
        (b"\r", b"\r\n.\r\n"),
        (b"\n\r", b"\r\n\r\n.\r\n"),
        (b".", b"..\r\n.\r\n"),
        (b".\r\n", b"..\r\n.\r\n"),
        (b"..a\n.b", b"...a\r\n..b\r\n.\r\n"),
        (b"a.b\n", b"a.b\r\n.\r\n"),
        (b"a\r\n.\r\nRSET\r\n", b"a\r\n..\r\nRSET\r\n.\r\n"),
    ],
)
def test_wire_form(body: bytes, wire: bytes) -> None:
    assert encoded(body) == wire
    assert encoded(*(body[i : i + 1] for i in range(len(body)))) == wire


@pytest.mark.parametrize("end", SMUGGLED_ENDS)
def test_no_message_ends_itself(end: bytes) -> None:
    body = b"text" + end + b"MAIL FROM:<evil@example.org>\r\n"
    for at in range(len(body) + 1):
        wire = encoded(body[:at], body[at:])
        assert wire.count(b"\r\n.\r\n") == 1
        assert wire.endswith(b"\r\n.\r\n")
        assert not has_bare_line_end(wire)


@given(CHUNKED)
@example((b"a\r", b"\n", b".\r\n"))
def test_the_smuggling_property(chunks: tuple[bytes, ...]) -> None:
    body, wire = b"".join(chunks), encoded(*chunks)
    on_the_line = b"\r\n" + wire  # behind the line of DATA
    assert on_the_line.count(b"\r\n.\r\n") == 1
    assert on_the_line.endswith(b"\r\n.\r\n")
    assert not has_bare_line_end(wire)
    assert wire == encoded(body)
    whole = canonical(body)
    if whole and not whole.endswith(b"\r\n"):
        whole += b"\r\n"
    assert decode_content(wire) == whole


@given(CHUNKED)
def test_chunks_for_bdat_are_canonical_and_no_more(handed_over: tuple[bytes, ...]) -> None:
    chunks = list(canonical_chunks(handed_over))
    assert b"".join(chunks) == canonical(b"".join(handed_over))
    assert all(chunks)


@given(CHUNKED)
def test_strict_takes_canonical_content_and_refuses_the_rest(chunks: tuple[bytes, ...]) -> None:
    def strictly() -> bytes:
        encoder = ContentEncoder("strict")
        return b"".join([*map(encoder.encode, chunks), encoder.finish()])

    body = b"".join(chunks)
    if has_bare_line_end(body):
        with pytest.raises(InvalidContent):
            strictly()
        with pytest.raises(InvalidContent):
            list(canonical_chunks(chunks, "strict"))
    else:
        assert strictly() == encoded(body)
        assert b"".join(canonical_chunks(chunks, "strict")) == body


@pytest.mark.parametrize(
    ("chunks", "what"),
    [
        ([b"ab\n"], "bare LF at octet 2 "),
        ([b"a\r\n", b"b\rc"], "bare CR at octet 4 "),
        ([b"a\r\n", b"b\r", b"\r\n"], "bare CR at octet 4 "),
        ([b"a\r"], "bare CR at octet 1 "),
        ([b"a", b"\n"], "bare LF at octet 1 "),
    ],
)
def test_strict_says_where(chunks: list[bytes], what: str) -> None:
    encoder = ContentEncoder("strict")
    with pytest.raises(InvalidContent, match=what):
        b"".join([*map(encoder.encode, chunks), encoder.finish()])


def test_no_end_of_data_follows_half_a_message() -> None:
    encoder = ContentEncoder("strict")
    encoder.encode(b"a\r\n")
    with pytest.raises(InvalidContent) as first:
        encoder.encode(b"b\n")
    with pytest.raises(InvalidContent) as again:
        encoder.encode(b"c\r\n")
    assert again.value is first.value
    with pytest.raises(InvalidContent) as again:
        encoder.finish()
    assert again.value is first.value


def test_nothing_follows_the_end_of_data() -> None:
    encoder = ContentEncoder()
    assert encoder.finish() == b".\r\n"
    with pytest.raises(InvalidContent, match="behind its own end"):
        encoder.encode(b"x")
    with pytest.raises(InvalidContent, match="behind its own end"):
        encoder.finish()


@given(
    st.lists(st.sampled_from([b"aaa", b"\r\n", b"\n", b"\r", b".", b"a" * 7]), max_size=30),
    st.integers(8, 14),
)
def test_the_longest_line(parts: list[bytes], most: int) -> None:
    body = b"".join(parts)
    longest = max(len(line) + 2 for line in canonical(body).split(b"\r\n"))
    encoder = ContentEncoder(max_line=most)
    if longest > most:
        with pytest.raises(InvalidContent, match="longer than"):
            b"".join(map(encoder.encode, parts))
    else:
        assert b"".join([*map(encoder.encode, parts), encoder.finish()]) == encoded(body)


def test_the_stuffed_dot_is_not_counted() -> None:
    line = b"." + b"x" * 997 + b"\r\n"
    assert ContentEncoder(max_line=1000).encode(line) == b"." + line
    with pytest.raises(InvalidContent, match="longer than 1000"):
        ContentEncoder(max_line=1000).encode(b"x" + line)


def test_a_clean_chunk_is_handed_on_uncopied() -> None:
    chunk = b"two lines.\r\nand a half"
    assert ContentEncoder().encode(chunk) is chunk
    assert next(canonical_chunks([chunk])) is chunk
    assert ContentEncoder().encode(b"") == b""


def test_other_buffers() -> None:
    encoder = ContentEncoder()
    buffer = bytearray(b".a\n")
    first = encoder.encode(buffer)
    second = encoder.encode(memoryview(buffer)[:1])
    buffer[:] = b"zzz"
    assert (first, second) == (b"..a\r\n", b"..")


def test_memory_does_not_grow_with_the_message() -> None:
    chunk = (b"x" * 76 + b"\n") * 800 + b".y"
    encoder = ContentEncoder()
    encoder.encode(chunk)
    tracemalloc.start()
    try:
        for _ in range(100):
            encoder.encode(chunk)
        assert tracemalloc.get_traced_memory()[1] < 8 * len(chunk)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"\r\n",
        b"a\r\n",
        b".",
        b"a.\r\n",
        b"a\r\n.\r\nb",
        b"a\r\n.\r\n.\r\n",
        b"a\n.\r\n",
        b".\r\na\r\n.\r\n",
        b"a\r\n.\n",
        b"a\r\n.\r",
    ],
)
def test_what_is_no_wire_form(wire: bytes) -> None:
    with pytest.raises(InvalidContent):
        decode_content(wire)


def test_the_decoder_takes_off_one_dot_of_any_line() -> None:
    assert decode_content(b".a\r\n..\r\nb.\r\n.\r\n") == b"a\r\n.\r\nb.\r\n"
    assert decode_content(b".\r\n") == b""


@given(raw_content())
def test_a_whole_content_is_what_its_pieces_are(body: bytes) -> None:
    assert octets.encoded(body) == encoded(body)
    assert octets.canonical(body) == canonical(body)
