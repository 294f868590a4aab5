"""Content: what stands between 354 and the end of data, tame and hostile (RFC 5321 §4.5.2)."""

from typing import Final

from hypothesis import strategies as st

#: What some server has taken for an end of data, and is none (RFC 5321 §4.1.1.4).
NO_ENDS: Final = (
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r.\n",
    b"\r\n.\r",
    b"\n.\r",
    b"\r\r\n.\r\r\n",
    b"\r\n.\r\r\n",
    b"\r\n\0.\r\n",
    b"\r\0\n.\r\n",
    b"\r\n.\0\r\n",
    b"\r\n.\r\0\n",
)
#: Lines that are stuffed with a dot, CRLF not included.
_STUFFED: Final = (b"..", b"...", b"..x", b".. ", b"..RSET")
_END: Final = b"\r\n.\r\n"
_SMUGGLED: Final = b"MAIL FROM:<smuggler@example.test>\r\n"


def content_lines(*, hostile: bool = True) -> st.SearchStrategy[bytes]:
    """Whole lines of content as they are sent, dots stuffed, with no end of data among them.

    Args:
        hostile: bare CR and LF too, and what is like an end of data, with a command behind it.
    """
    tame = [
        st.just(b"x"),
        st.sampled_from(_STUFFED),
        st.sampled_from((b"", b"QUIT", b"RSET", b"DATA", b"From: <x@example.test>")),
        st.integers(900, 998).map(lambda length: b"x" * length),
    ]
    lines = [one.map(lambda line: line + b"\r\n") for one in tame]
    if hostile:
        lines.append(st.sampled_from(NO_ENDS).map(_with_a_command))
        lines.append(st.sampled_from((b"\0", b"\xff", b"a\rb", b"a\nb")).map(lambda o: o + b"\r\n"))
    return st.lists(st.one_of(lines), min_size=1, max_size=3).map(b"".join).filter(_holds_no_end)


def _with_a_command(no_end: bytes) -> bytes:
    return b"x" + no_end + _SMUGGLED


def _holds_no_end(octets: bytes) -> bool:
    return _END not in b"\r\n" + octets


def messages(*, hostile: bool = False, eight_bit: bool = False) -> st.SearchStrategy[bytes]:
    """Whole messages as an author has them, dots not stuffed, line ends CRLF unless *hostile*.

    Args:
        hostile: bare CR and LF, lines too long, lines that look like an end of data.
        eight_bit: octets above 7F too.
    """
    lines: list[st.SearchStrategy[bytes]] = [
        st.sampled_from((b"x", b"", b".", b"..", b".x", b"QUIT", b"From me")),
        st.binary(max_size=20).map(_printable),
        st.integers(70, 998).map(lambda length: b"x" * length),
    ]
    if eight_bit:
        lines.append(st.sampled_from(("ä".encode(), b"\xff")))
    ends = [b"\r\n"]
    if hostile:
        ends += [b"\n", b"\r", b"\n\r"]
        lines += [st.sampled_from(NO_ENDS), st.integers(999, 3000).map(lambda n: b"x" * n)]
    line = st.tuples(st.one_of(lines), st.sampled_from(ends)).map(b"".join)
    return st.lists(line, max_size=6).map(lambda body: b"Subject: x\r\n\r\n" + b"".join(body))


def raw_content() -> st.SearchStrategy[bytes]:
    """Octets of any kind, most of them line ends, dots, and ends of data both real and false."""
    ends = (*NO_ENDS, _END, _END + b"\0", b"\0" + _END)
    plain = (b"\r", b"\n", b"\r\n", b".", b"a", b"..", b"\0", b"\xe9")
    piece = st.one_of(st.sampled_from((*plain, *ends)), st.binary(max_size=4))
    return st.lists(piece, max_size=24).map(b"".join)


def _printable(octets: bytes) -> bytes:
    return bytes(32 + octet % 95 for octet in octets)
