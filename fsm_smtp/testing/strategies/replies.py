"""Replies as octets: tidy ones, and hostile ones that no client may believe (RFC 5321 §4.2)."""

from typing import Final

from hypothesis import strategies as st

_TEXT: Final = st.text("abc xyz.<>-", max_size=12).map(str.encode)


def codes() -> st.SearchStrategy[int]:
    """Reply codes in the range of the grammar."""
    return st.one_of(
        st.sampled_from((250, 354, 451, 550, 421, 220, 221, 334, 235)),
        st.builds(_code, st.integers(2, 5), st.integers(0, 5), st.integers(0, 9)),
    )


def _code(first: int, second: int, third: int) -> int:
    return 100 * first + 10 * second + third


def replies(
    code: st.SearchStrategy[int] | None = None, text: st.SearchStrategy[bytes] = _TEXT
) -> st.SearchStrategy[bytes]:
    """Well-formed replies of one line or several.

    Args:
        code: the codes; without, any.
        text: what stands on a line behind the code, CRLF not included.
    """
    code = codes() if code is None else code
    return st.builds(_reply, code, st.lists(text, min_size=1, max_size=4))


def _reply(code: int, texts: list[bytes]) -> bytes:
    *first, last = texts
    return b"".join([*(b"%d-%b\r\n" % (code, one) for one in first), b"%d %b\r\n" % (code, last)])


def reply_streams() -> st.SearchStrategy[bytes]:
    """Octets of which some are replies, and others meet every edge of a parser of them."""
    whole = (b"421 bye\r\n", b"250-a\r\n", b"250 ok\r\n", b"354 go\r\n", b"250\r\n")
    parts = (b"250", b"-", b" ", b"\r\n", b"\r", b"\n", b"ok", b"\0", b"\xe9")
    long = (b"x" * 600, b"x" * 4000)
    piece = st.one_of(st.sampled_from((*parts, *whole, *long)), st.binary(max_size=3))
    return st.lists(piece, max_size=20).map(b"".join)


def hostile_replies() -> st.SearchStrategy[bytes]:
    """What is no reply, or what two readers take for different ones; without an end sometimes."""
    fixed = st.sampled_from(
        (
            b"650 what\r\n",
            b"25 ok\r\n",
            b"2500 ok\r\n",
            b"250ok\r\n",
            b"250 ok\n",
            b"250 ok\r",
            b"ok\r\n",
            b"\r\n",
            b"250-a\r\n251 b\r\n",
            b"250-a\r\nb\r\n",
            b"250 o\0k\r\n",
            b"250 a\rb\r\n",
            b"260 what\r\n",
            b"HTTP/1.1 200 OK\r\n",
        )
    )
    endless = st.integers(5000, 6000).map(_endless)
    many = st.integers(300, 400).map(_of_many_lines)
    return st.one_of(fixed, endless, many)


def _endless(length: int) -> bytes:
    return b"250 " + b"x" * length


def _of_many_lines(lines: int) -> bytes:
    return b"250-x\r\n" * lines
