"""Addresses, domains, literals, parameters, each inside its grammar (RFC 5321 §4.1.2, §4.1.3)."""

from typing import Final

from hypothesis import strategies as st

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_ATEXT: Final = _LETTERS + "ABCXYZ!#$%&'*+-/=?^_`{|}~"
_QTEXT: Final = "a b.@<>,:;()[]"
_DIGITS: Final = "0123456789abcdef"


def domains() -> st.SearchStrategy[str]:
    """Domains of ASCII, two labels or more mostly; no longer than 255 octets."""
    letter = st.sampled_from(_LETTERS)
    inner = st.text(_LETTERS + "-", max_size=8)
    label = st.one_of(letter, st.tuples(letter, inner, letter).map("".join))
    named = st.lists(label, max_size=3).map(_domain)
    return st.one_of(st.just("a.test"), named, st.just("x" * 63 + ".test"))


def _domain(labels: list[str]) -> str:
    return ".".join([*labels, "test"])


def utf8_domains() -> st.SearchStrategy[str]:
    """Domains with a label of UTF-8 (RFC 6531 §3.3)."""
    labels = st.sampled_from(("dürst", "例え", "почта"))
    return st.tuples(labels, domains()).map(".".join)


def address_literals() -> st.SearchStrategy[str]:
    """Address literals, brackets included, of both kinds of IP (RFC 5321 §4.1.3)."""
    v4 = st.ip_addresses(v=4).map(str)
    v6 = st.ip_addresses(v=6).map("IPv6:{}".format)
    return st.one_of(st.just("127.0.0.1"), v4, v6).map("[{}]".format)


def local_parts(*, quoted: bool = True) -> st.SearchStrategy[str]:
    """Local-parts, dotted and quoted ones; no longer than 64 octets."""
    atom = st.text(_ATEXT, min_size=1, max_size=8)
    dotted = st.lists(atom, min_size=1, max_size=3).map(".".join)
    found = [st.just("a"), dotted, st.just("x" * 64)]
    if quoted:
        found.append(st.text(_QTEXT, max_size=8).map('"{}"'.format))
        found.append(st.sampled_from(('"\\""', '"\\\\"', '"a\\ b"')))
    return st.one_of(found)


def addresses(*, literals: bool = True) -> st.SearchStrategy[str]:
    """Mailboxes without angle brackets; no longer than 254 octets."""
    where = st.one_of(domains(), address_literals()) if literals else domains()
    return st.tuples(local_parts(), where).map("@".join)


def utf8_addresses() -> st.SearchStrategy[str]:
    """Mailboxes that need SMTPUTF8 (RFC 6531 §3.3)."""
    local = st.sampled_from(("dürst", "用户", "пользователь"))
    where = st.one_of(domains(), utf8_domains())
    return st.tuples(local, where).map("@".join)


def reverse_paths() -> st.SearchStrategy[str]:
    """Senders without angle brackets, the empty one among them (RFC 5321 §4.5.5)."""
    return st.one_of(addresses(), st.just(""))


def mail_parameters() -> st.SearchStrategy[dict[str, str | None]]:
    """Parameters of MAIL that their RFCs allow, each once."""
    return st.fixed_dictionaries(
        {},
        optional={
            "SIZE": st.integers(0, 10**9).map(str),
            "BODY": st.sampled_from(("7BIT", "8BITMIME")),
            "RET": st.sampled_from(("FULL", "HDRS")),
            "ENVID": st.text(_LETTERS, min_size=1, max_size=20),
        },
    )


def rcpt_parameters() -> st.SearchStrategy[dict[str, str | None]]:
    """Parameters of RCPT that RFC 3461 allows, each once."""
    reasons = st.lists(
        st.sampled_from(("SUCCESS", "FAILURE", "DELAY")), min_size=1, max_size=3, unique=True
    ).map(",".join)
    return st.fixed_dictionaries(
        {},
        optional={
            "NOTIFY": st.one_of(st.just("NEVER"), reasons),
            "ORCPT": st.text(_LETTERS, min_size=1, max_size=20).map("rfc822;{}".format),
        },
    )
