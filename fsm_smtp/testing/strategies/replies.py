"""Replies as octets: tidy ones, and hostile ones that no client may believe (RFC 5321 §4.2)."""

from typing import Final

from hypothesis import strategies as st

_TEXT: Final = st.text("abc xyz.<>-", max_size=12)


def codes() -> st.SearchStrategy[int]:
    """Reply codes in the range of the grammar."""
    return st.one_of(
        st.sampled_from((250, 354, 451, 550, 421, 220, 221, 334, 235)),
        st.builds(_code, st.integers(2, 5), st.integers(0, 5), st.integers(0, 9)),
    )


def _code(first: int, second: int, third: int) -> int:
    return 100 * first + 10 * second + third


def replies(code: st.SearchStrategy[int] | None = None) -> st.SearchStrategy[bytes]:
    """Well-formed replies of one line or several.

    Args:
        code: the codes; without, any.
    """
    return st.builds(_reply, code or codes(), st.lists(_TEXT, min_size=1, max_size=4))


def _reply(code: int, texts: list[str]) -> bytes:
    *first, last = texts
    return "".join([*(f"{code}-{one}\r\n" for one in first), f"{code} {last}\r\n"]).encode()


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
