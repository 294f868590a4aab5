"""Offers, from tidy servers and others."""

from hypothesis import given
from hypothesis import strategies as st

from fsm_smtp.wire import Reply, parse_offers


def offers_of(*lines: bytes) -> Reply:
    return Reply(250, (b"mx.example.org at your service", *lines))


def test_what_a_server_offers() -> None:
    offers = parse_offers(
        offers_of(b"SIZE 1000", b"pipelining", b"AUTH PLAIN LOGIN", b"8BITMIME", b"X-A b=c")
    )
    assert offers == {
        "SIZE": ("1000",),
        "PIPELINING": (),
        "AUTH": ("PLAIN", "LOGIN"),
        "8BITMIME": (),
        "X-A": ("b=c",),
    }
    assert offers["pipelining"] == ()
    assert "Size" in offers
    assert "STARTTLS" not in offers
    assert not offers.__contains__(8)
    assert len(offers) == 5
    assert offers.get("starttls") is None
    assert (offers.unparsed, offers.untidy) == ((), ())
    assert offers.greeting == b"mx.example.org at your service"


def test_a_server_without_extensions() -> None:
    assert parse_offers(Reply(250, (b"SIZE",))) == {}


def test_the_first_line_is_no_offer() -> None:
    assert "STARTTLS" not in parse_offers(Reply(250, (b"STARTTLS", b"SIZE")))


def test_a_line_against_the_grammar_counts_for_nothing_and_is_kept() -> None:
    lines = (b"", b"  ", b"-X", b"XSTARTTLS\x01", b"START_TLS", b"SIZE \xe9", b"SIZE\t10")
    offers = parse_offers(offers_of(*lines))
    assert offers == {}
    assert offers.unparsed == lines


def test_stray_spaces_do_not_turn_tls_off() -> None:
    offers = parse_offers(offers_of(b"STARTTLS ", b"AUTH  PLAIN"))
    assert offers == {"STARTTLS": (), "AUTH": ("PLAIN",)}
    assert offers.untidy == (b"STARTTLS ", b"AUTH  PLAIN")


def test_auth_in_the_old_form_adds_up() -> None:
    offers = parse_offers(offers_of(b"AUTH PLAIN LOGIN", b"auth=LOGIN CRAM-MD5"))
    assert offers == {"AUTH": ("PLAIN", "LOGIN", "CRAM-MD5")}
    assert offers.untidy == (b"auth=LOGIN CRAM-MD5",)
    assert parse_offers(offers_of(b"AUTH=LOGIN")) == {"AUTH": ("LOGIN",)}


def test_of_a_keyword_twice_the_first_counts() -> None:
    offers = parse_offers(offers_of(b"SIZE 10", b"size 20"))
    assert offers == {"SIZE": ("10",)}
    assert offers.unparsed == (b"size 20",)


@given(st.lists(st.binary(max_size=12) | st.sampled_from([b"SIZE 1", b"AUTH=A"]), max_size=6))
def test_every_line_is_accounted_for(lines: list[bytes]) -> None:
    offers = parse_offers(offers_of(*lines))
    assert set(offers.unparsed) <= set(lines)
    for line in lines:
        words = line.upper().replace(b"AUTH=", b"AUTH ", 1).split()
        assert line in offers.unparsed or words[0].decode() in offers
    for keyword, parameters in offers.items():
        assert keyword == keyword.upper()
        assert all(p.isascii() and p.isprintable() and " " not in p for p in parameters)
