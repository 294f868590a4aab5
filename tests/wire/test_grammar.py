"""The grammar, rule by rule: what each takes, what it must not, and that no input makes it slow."""

import ipaddress
import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fsm_smtp.wire import grammar as g

LITERALS = [
    b"[127.0.0.1]",
    b"[255.255.255.255]",
    b"[IPv6:::]",
    b"[IPv6:::1]",
    b"[ipv6:2001:db8::1]",
    b"[IPv6:1:2:3:4:5:6:7:8]",
    b"[IPv6:1:2:3:4:5:6::]",
    b"[IPv6:1:2:3::4:5:6]",
    b"[IPv6:::1:2:3:4:5:6]",
    b"[IPv6:::1:2:3:4:192.0.2.1]",
    b"[IPv6:::ffff:192.0.2.1]",
    b"[IPv6:1:2:3:4:5:6:192.0.2.1]",
    b"[IPv6:1:2:3:4::192.0.2.1]",
    b"[x-tag:any!thing]",
]
NO_LITERALS = [
    b"127.0.0.1",
    b"[999.0.0.1]",
    b"[256.1.1.1]",
    b"[1.2.3]",
    b"[1.2.3.4.5]",
    b"[1.2.3.4",
    b"[]",
    b"[IPv6:]",
    b"[IPv6:1:2:3:4:5:6:7]",
    b"[IPv6:1:2:3:4:5:6:7:8:9]",
    b"[IPv6:1::2::3]",
    b"[IPv6:1:2:3:4:5:6:7::]",  # "::" stands for two groups at least
    b"[IPv6:1::2:3:4:5:6:7]",
    b"[IPv6:::1:2:3:4:5:6:7]",
    b"[IPv6:1:2:3:4:5::192.0.2.1]",
    b"[IPv6:1::2:3:4:5:192.0.2.1]",
    b"[IPv6:::1:2:3:4:5:192.0.2.1]",
    b"[IPv6:12345::]",
    b"[IPv6:fe80::1%eth0]",
    b"[IPv6::1]",
    b"[IPv6:localhost]",  # not by way of General-address-literal either
    b"[tag-:x]",
    b"[tag:a b]",
    b"[tag:a]b]",
    b"[tag:]",
]
MAILBOXES = [
    b"a@b",
    b"first.last+tag@sub.example.org",
    b"!#$%&'*+-/=?^_`{|}~@example.org",
    b'"a b"@example.org',
    b'"a\\"@\\\\"@example.org',
    b'""@example.org',
    b"a@[192.0.2.1]",
    b"a@[IPv6:::1]",
    b"a@x--y.example",
]
NO_MAILBOXES = [
    b"",
    b"a",
    b"@b",
    b"a@",
    b".a@b",
    b"a.@b",
    b"a..b@c",
    b"a b@c",
    b"a@b_c",
    b"a@-b",
    b"a@b-",
    b"a@b..c",
    b"a@b.",
    b"a@b@c",
    b'"a@b',
    b'"a"b"@c',
    b'"a\\"@b',
    b'"a\r\nb"@c',
    b"a@b\n",
    b"a@b\r\n",
    b"<a@b>",
    b"a>@b",
    b"a@b>",
    b"a\0@b",
    b"a\x7f@b",
    b"\xe9@b",
    "ä@b".encode(),
    "a@ä".encode(),
]


@pytest.mark.parametrize("literal", LITERALS)
def test_an_address_literal(literal: bytes) -> None:
    assert g.is_address_literal(literal)
    assert g.is_mailbox(b"a@" + literal)


@pytest.mark.parametrize("literal", NO_LITERALS)
def test_no_address_literal(literal: bytes) -> None:
    assert not g.is_address_literal(literal)
    assert literal == b"127.0.0.1" or not g.is_mailbox(b"a@" + literal)


# Without 0: the library refuses leading zeros in the IPv4 part, which 1*3DIGIT allows.
IPV6_PARTS = ["1", "ab", "ffff", "12345", ":", "::", ".", "1.2.3.4", "g"]


@given(st.lists(st.sampled_from(IPV6_PARTS), max_size=17))
@example(["1", "::", "2", ":", "3"])
def test_ipv6_agrees_with_the_standard_library(parts: list[str]) -> None:
    text = "".join(parts)
    try:
        ipaddress.IPv6Address(text)
        valid = True
    except ValueError:
        valid = False
    ours = g.IPV6.fullmatch(text.encode()) is not None
    # SMTP's "::" stands for two groups at least, the library's for one.
    groups = [group for group in text.split(":") if group]
    spelled = len(groups) + ("." in text)
    if valid and "::" in text and spelled == 7:
        assert not ours
    else:
        assert ours == valid


@given(st.ip_addresses(v=6))
def test_every_ipv6_address_written_out_is_one(address: ipaddress.IPv6Address) -> None:
    assert g.IPV6.fullmatch(address.exploded.encode())


def test_ipv4_numbers_are_0_to_255() -> None:
    for number in range(1000):
        assert bool(g.IPV4.fullmatch(b"1.%d.3.4" % number)) == (number <= 255)
    assert g.IPV4.fullmatch(b"001.010.100.000")  # 1*3DIGIT, RFC 5321 §4.1.3


@pytest.mark.parametrize("mailbox", MAILBOXES)
def test_a_mailbox(mailbox: bytes) -> None:
    assert g.is_mailbox(mailbox)
    assert g.is_mailbox(mailbox, utf8=True)
    assert g.is_local_part(mailbox.rpartition(b"@")[0])
    assert g.is_reverse_path(b"<" + mailbox + b">")
    assert g.is_forward_path(b"<" + mailbox + b">")
    assert g.is_forward_path(b"<@x.example,@y:" + mailbox + b">")


@pytest.mark.parametrize("mailbox", NO_MAILBOXES)
def test_no_mailbox(mailbox: bytes) -> None:
    assert not g.is_mailbox(mailbox)
    assert not g.is_forward_path(b"<" + mailbox + b">")


@pytest.mark.parametrize("mailbox", ["ä@b", "a@ä.example", '"ä b"@c', "用户@例子.广告", "a.ä@b"])
def test_a_mailbox_with_smtputf8_only(mailbox: str) -> None:
    octets = mailbox.encode()
    assert g.is_mailbox(octets, utf8=True)
    assert not g.is_mailbox(octets)
    assert g.is_local_part(octets.rpartition(b"@")[0], utf8=True)
    assert g.is_domain(octets.rpartition(b"@")[2], utf8=True)
    assert g.is_reverse_path(b"<" + octets + b">", utf8=True)
    assert g.is_forward_path(b"<" + octets + b">", utf8=True)


@pytest.mark.parametrize(
    "octets",
    [
        b"\xe9@b",  # Latin-1
        b"\xc0\x8d@b",  # CR in too many octets
        b"\xe0\x80\x8a@b",  # LF in too many octets
        b"\xed\xa0\x80@b",  # a surrogate
        b"\xf4\x90\x80\x80@b",  # above U+10FFFF
        b"\xc2\x85@b",  # NEL, a control of the second set
        b"\xe4\xb8@b",  # cut off
    ],
)
def test_octets_that_are_no_utf8_text(octets: bytes) -> None:
    assert not g.is_mailbox(octets, utf8=True)


@given(st.characters(min_codepoint=0x80, exclude_categories=["Cs"]))
def test_the_utf8_rule_is_utf8_without_controls(character: str) -> None:
    expected = not 0x80 <= ord(character) <= 0x9F
    assert g.is_local_part(character.encode(), utf8=True) == expected


@given(st.binary(min_size=1, max_size=4))
def test_the_utf8_rule_takes_nothing_that_does_not_decode(octets: bytes) -> None:
    if g.is_local_part(octets, utf8=True):
        octets.decode("utf-8", "strict")


def test_paths() -> None:
    assert g.is_reverse_path(b"<>")
    assert not g.is_forward_path(b"<>")
    assert g.is_forward_path(b"<pOSTmaster>")
    assert not g.is_reverse_path(b"<Postmaster>")
    assert not g.is_reverse_path(b"a@b")
    assert g.has_source_route(b"<@a.example,@b:u@c>")
    assert not g.has_source_route(b"<u@c>")
    assert not g.has_source_route(b"<@a.example:>")


def test_base64_is_padded_and_not_empty() -> None:
    good = (b"YQ==", b"YWI=", b"YWJj", b"YWJjZA==")
    bad = (b"", b"Y", b"YQ", b"YQ=", b"=", b"YQ==YQ==", b"YW J", b"YWJj\n", b"*")
    assert all(map(g.is_base64, good))
    assert not any(map(g.is_base64, bad))


@given(st.binary())
def test_xtext_round_trip(raw: bytes) -> None:
    text = g.xtext_encode(raw)
    assert g.is_xtext(text)
    assert re.fullmatch(rb"[!-~]*", text)
    assert b"=" not in text
    assert g.xtext_decode(text) == raw


@pytest.mark.parametrize("text", [b"+", b"+4", b"+zz", b"+2b", b"a=b", b"a b", b"a\r\n", b"\xe9"])
def test_no_xtext(text: bytes) -> None:
    with pytest.raises(ValueError, match="xtext"):
        g.xtext_decode(text)


@pytest.mark.parametrize(
    ("status", "right"),
    [(b"2.1.0", 1), (b"5.7.30", 1), (b"3.1.0", 0), (b"2.01.0", 0), (b"2.1", 0), (b"2.1.1000", 0)],
)
def test_enhanced_status_code(status: bytes, right: int) -> None:
    assert bool(g.ENHANCED_STATUS.fullmatch(status)) == bool(right)


@pytest.mark.parametrize(
    "attack",
    [
        b"a" * 50_000,
        b"a." * 25_000,
        b"a-" * 25_000,
        b'"' + b"a" * 50_000,
        b'"' + b"\\a" * 25_000,
        b"a@" + b"a-" * 25_000,
        b"a@" + b"a." * 25_000,
        b"a@[IPv6:" + b"1:" * 25_000,
        b"a@[x:" + b"y" * 50_000,
        b"<" + b"@a," * 16_000,
        b"<@a" + b".a" * 25_000 + b"!",
        b"+" * 50_000,
        "ä".encode() * 25_000 + b"\xff",
        b"A" * 50_001,
        b"x" + b" y" * 25_000 + b"\n",
    ],
)
def test_no_rule_is_slow_on_any_input(attack: bytes) -> None:
    rules = [rule for rule in vars(g).values() if isinstance(rule, g.Rule)]
    assert len(rules) > 25
    for rule in rules:
        rule.fullmatch(b"")  # compiling is not matching
    started = time.process_time()
    for rule in rules:
        rule.fullmatch(attack)
    # Quadratic time would take minutes here, linear takes some milliseconds.
    assert time.process_time() - started < 1.0
