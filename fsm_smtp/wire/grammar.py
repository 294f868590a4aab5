"""The grammar of SMTP's lines: each rule as a regular expression under its ABNF.

All expressions are over octets and meant for ``fullmatch``. Repetitions are possessive, and what
may follow one never begins like its items, so matching takes linear time on any input. A rule that
SMTPUTF8 widens (RFC 6531 §3.3) exists twice, the wider one with the suffix ``_UTF8``. Lengths are
not grammar: see `limits`.
"""

import re
from collections.abc import Callable
from functools import cached_property
from typing import Final


class Rule:
    """A rule of the grammar. Compiled on first use: all together would double our import time.

    Attributes:
        pattern: the regular expression over octets.
    """

    def __init__(self, pattern: bytes) -> None:
        self.pattern = pattern

    @cached_property
    def regex(self) -> re.Pattern[bytes]:
        """The compiled expression."""
        return re.compile(self.pattern)

    @cached_property
    def fullmatch(self) -> Callable[[bytes], re.Match[bytes] | None]:
        """Match the whole of some octets: ``re.Pattern.fullmatch`` itself, after the first use."""
        return self.regex.fullmatch


# Octets of UTF-8 outside ASCII (RFC 3629 §4), less the C1 controls U+0080 to U+009F:
#   UTF8-non-ascii = UTF8-2 / UTF8-3 / UTF8-4
# RFC 6531 §3.3 keeps control characters out of addresses, and a terminal obeys C1 as it does C0.
_TAIL: Final = rb"[\x80-\xbf]"
_UTF8: Final = (
    rb"(?:\xc2[\xa0-\xbf]|[\xc3-\xdf]" + _TAIL + rb"|\xe0[\xa0-\xbf]" + _TAIL + rb"|[\xe1-\xec\xee"
    rb"\xef]" + _TAIL + rb"{2}|\xed[\x80-\x9f]" + _TAIL + rb"|\xf0[\x90-\xbf]" + _TAIL + rb"{2}"
    rb"|[\xf1-\xf3]" + _TAIL + rb"{3}|\xf4[\x80-\x8f]" + _TAIL + rb"{2})"
)


def _or_utf8(octets: bytes, utf8: bool) -> bytes:
    return rb"(?:" + octets + rb"|" + _UTF8 + rb")" if utf8 else octets


# RFC 5321 §4.1.2:
#   Domain     = sub-domain *("." sub-domain)
#   sub-domain = Let-dig [Ldh-str]
#   Let-dig    = ALPHA / DIGIT
#   Ldh-str    = *( ALPHA / DIGIT / "-" ) Let-dig
# RFC 6531 §3.3:
#   sub-domain =/ U-label
# Whether a U-label is a valid one (RFC 5890) is beyond a grammar of octets.
def _domain(utf8: bool) -> bytes:
    let_dig = _or_utf8(rb"[A-Za-z0-9]", utf8) + rb"++"
    sub_domain = let_dig + rb"(?:-++" + let_dig + rb")*+"
    return sub_domain + rb"(?:\." + sub_domain + rb")*+"


DOMAIN: Final = Rule(_domain(False))
DOMAIN_UTF8: Final = Rule(_domain(True))

# RFC 5321 §4.1.3:
#   IPv4-address-literal = Snum 3("." Snum)
#   Snum                 = 1*3DIGIT   ; 0 through 255
_SNUM: Final = rb"(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])"
_IPV4: Final = _SNUM + rb"(?:\." + _SNUM + rb"){3}"
IPV4: Final = Rule(_IPV4)

# RFC 5321 §4.1.3:
#   IPv6-addr   = IPv6-full / IPv6-comp / IPv6v4-full / IPv6v4-comp
#   IPv6-hex    = 1*4HEXDIG
#   IPv6-full   = IPv6-hex 7(":" IPv6-hex)
#   IPv6-comp   = [IPv6-hex *5(":" IPv6-hex)] "::" [IPv6-hex *5(":" IPv6-hex)]
#               ; no more than 6 groups in addition to the "::"
#   IPv6v4-full = IPv6-hex 5(":" IPv6-hex) ":" IPv4-address-literal
#   IPv6v4-comp = [IPv6-hex *3(":" IPv6-hex)] "::" [IPv6-hex *3(":" IPv6-hex) ":"]
#                 IPv4-address-literal
#               ; no more than 4 groups in addition to the "::" and IPv4-address-literal
# The comments are part of the rule, so each number of groups left of "::" is an alternative.
_HEX: Final = rb"[0-9A-Fa-f]{1,4}"


def _groups(most: int) -> bytes:
    return rb"(?:%b(?::%b){0,%d})?" % (_HEX, _HEX, most - 1) if most else b""


def _exactly(count: int) -> bytes:
    return _HEX + rb"(?::%b){%d}" % (_HEX, count - 1) if count else b""


_IPV6: Final = b"(?:%b)" % b"|".join(
    [
        _exactly(8),
        _exactly(6) + b":" + _IPV4,
        *(_exactly(left) + b"::" + _groups(6 - left) for left in range(7)),
        *(_exactly(left) + rb"::(?:%b:){0,%d}" % (_HEX, 4 - left) + _IPV4 for left in range(5)),
    ]
)
IPV6: Final = Rule(_IPV6)

# RFC 5321 §4.1.2 and §4.1.3:
#   address-literal         = "[" ( IPv4-address-literal / IPv6-address-literal /
#                             General-address-literal ) "]"
#   IPv6-address-literal    = "IPv6:" IPv6-addr
#   General-address-literal = Standardized-tag ":" 1*dcontent
#   Standardized-tag        = Ldh-str
#   dcontent                = %d33-90 / %d94-126
# The tag IPv6 belongs to the second rule: what is no IPv6-addr does not slip in by the third.
_LITERAL: Final = (
    rb"\[(?:" + _IPV4 + rb"|[Ii][Pp][Vv]6:" + _IPV6 + rb"|(?![Ii][Pp][Vv]6:)"
    rb"-*+[A-Za-z0-9]++(?:-++[A-Za-z0-9]++)*+:[!-Z^-~]++)\]"
)
ADDRESS_LITERAL: Final = Rule(_LITERAL)


# RFC 5321 §4.1.2 (atext: RFC 5322 §3.2.3):
#   Local-part       = Dot-string / Quoted-string
#   Dot-string       = Atom *("." Atom)
#   Atom             = 1*atext
#   Quoted-string    = DQUOTE *QcontentSMTP DQUOTE
#   QcontentSMTP     = qtextSMTP / quoted-pairSMTP
#   quoted-pairSMTP  = %d92 %d32-126
#   qtextSMTP        = %d32-33 / %d35-91 / %d93-126
#   String           = Atom / Quoted-string
# RFC 6531 §3.3:
#   atext            =/ UTF8-non-ascii
#   qtextSMTP        =/ UTF8-non-ascii
def _atom(utf8: bool) -> bytes:
    return _or_utf8(rb"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]", utf8) + rb"++"


def _quoted_string(utf8: bool) -> bytes:
    return rb'"(?:' + _or_utf8(rb"[ !#-\[\]-~]", utf8) + rb'|\\[ -~])*+"'


def _local_part(utf8: bool) -> bytes:
    atom = _atom(utf8)
    return rb"(?:" + atom + rb"(?:\." + atom + rb")*+|" + _quoted_string(utf8) + rb")"


LOCAL_PART: Final = Rule(_local_part(False))
LOCAL_PART_UTF8: Final = Rule(_local_part(True))
STRING: Final = Rule(_atom(False) + rb"|" + _quoted_string(False))
STRING_UTF8: Final = Rule(_atom(True) + rb"|" + _quoted_string(True))


# RFC 5321 §4.1.2:
#   Mailbox = Local-part "@" ( Domain / address-literal )
# Groups: local, domain (the address-literal too, with its brackets).
def _mailbox(utf8: bool) -> bytes:
    where = _domain(utf8) + rb"|" + _LITERAL
    return rb"(?P<local>" + _local_part(utf8) + rb")@(?P<domain>" + where + rb")"


MAILBOX: Final = Rule(_mailbox(False))
MAILBOX_UTF8: Final = Rule(_mailbox(True))


# RFC 5321 §4.1.2 (<Postmaster>, in any case: §4.1.1.3):
#   Reverse-path = Path / "<>"
#   Forward-path = Path
#   Path         = "<" [ A-d-l ":" ] Mailbox ">"
#   A-d-l        = At-domain *( "," At-domain )   ; must be accepted, should not be generated
#   At-domain    = "@" Domain
# Groups: route (the source route, or None), local, domain.
def _path(utf8: bool, also: bytes) -> bytes:
    at_domain = rb"@" + _domain(utf8)
    route = rb"(?:(?P<route>" + at_domain + rb"(?:," + at_domain + rb")*+):)?"
    return rb"<(?:" + route + _mailbox(utf8) + rb"|" + also + rb")>"


_POSTMASTER: Final = rb"[Pp][Oo][Ss][Tt][Mm][Aa][Ss][Tt][Ee][Rr]"
REVERSE_PATH: Final = Rule(_path(False, b""))
REVERSE_PATH_UTF8: Final = Rule(_path(True, b""))
FORWARD_PATH: Final = Rule(_path(False, _POSTMASTER))
FORWARD_PATH_UTF8: Final = Rule(_path(True, _POSTMASTER))

# RFC 5321 §4.1.2:
#   esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
#   esmtp-value   = 1*(%d33-60 / %d62-126)
# RFC 6531 §3.3:
#   esmtp-value   =/ UTF8-non-ascii
ESMTP_KEYWORD: Final = Rule(rb"[A-Za-z0-9][A-Za-z0-9-]*+")
ESMTP_VALUE: Final = Rule(rb"[!-<>-~]++")
ESMTP_VALUE_UTF8: Final = Rule(_or_utf8(rb"[!-<>-~]", True) + rb"++")

# RFC 3461 §4:
#   xtext   = *( xchar / hexchar )
#   xchar   = %d33-42 / %d44-60 / %d62-126
#   hexchar = "+" and two upper-case hexadecimal digits
XTEXT: Final = Rule(rb"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*+")

# RFC 3461 §4.2:
#   original-recipient-address = addr-type ";" xtext
# RFC 6533 §3: with SMTPUTF8 and the address type utf-8, octets of UTF-8 may stand for themselves.
ORCPT: Final = Rule(rb"[!#$%&'*\-/-9?A-Z^_`a-z{|}~]++;(?:[!-*,-<>-~]|\+[0-9A-F]{2})*+")
ORCPT_UTF8: Final = Rule(
    ORCPT.pattern + rb"|[Uu][Tt][Ff]-8;(?:[!-*,-<>-~]|\+[0-9A-F]{2}|" + _UTF8 + rb")*+"
)

# RFC 4954 §8 (RFC 4648 §4):
#   base64 = base64-terminal / ( 1*(4base64-char) [base64-terminal] )
# An empty line is a response of no octets, and not this rule.
BASE64: Final = Rule(rb"(?=.)(?:[A-Za-z0-9+/]{4})*+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?+")

# RFC 4422 §3.1; SMTP compares it without case (RFC 4954 §8):
#   sasl-mech = 1*20mech-char
#   mech-char = UPPER-ALPHA / DIGIT / "-" / "_"
SASL_MECH: Final = Rule(rb"[A-Za-z0-9_-]{1,20}+")

# RFC 3463 §2 (no leading zeros; in a reply the class is the first digit, RFC 2034 §4):
#   status-code = class "." subject "." detail
#   class       = "2" / "4" / "5"
#   subject     = 1*3DIGIT
#   detail      = 1*3DIGIT
_NUMBER: Final = rb"(0|[1-9][0-9]{0,2})"
ENHANCED_STATUS: Final = Rule(rb"([245])\." + _NUMBER + rb"\." + _NUMBER)

# RFC 5321 §4.1.1.1:
#   ehlo-line    = ehlo-keyword *( SP ehlo-param )
#   ehlo-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
#   ehlo-param   = 1*(%d33-126)
EHLO_LINE: Final = Rule(rb"[A-Za-z0-9][A-Za-z0-9-]*+(?: [!-~]++)*+")

# RFC 3030 §2, the argument of BDAT:
#   chunk-size = 1*DIGIT
#   end-marker = "LAST"
BDAT_ARGUMENT: Final = Rule(rb"([0-9]{1,20}+)(?: ([Ll][Aa][Ss][Tt]))?+")


def is_domain(name: bytes, *, utf8: bool = False) -> bool:
    """Whether *name* is a Domain (RFC 5321 §4.1.2), with *utf8* also of U-labels."""
    return (DOMAIN_UTF8 if utf8 else DOMAIN).fullmatch(name) is not None


def is_address_literal(literal: bytes) -> bool:
    """Whether *literal*, brackets included, is an address-literal (RFC 5321 §4.1.3)."""
    return ADDRESS_LITERAL.fullmatch(literal) is not None


def is_local_part(local: bytes, *, utf8: bool = False) -> bool:
    """Whether *local* is a Dot-string or Quoted-string (RFC 5321 §4.1.2)."""
    return (LOCAL_PART_UTF8 if utf8 else LOCAL_PART).fullmatch(local) is not None


def is_mailbox(mailbox: bytes, *, utf8: bool = False) -> bool:
    """Whether *mailbox*, without angle brackets, is a Mailbox (RFC 5321 §4.1.2)."""
    return (MAILBOX_UTF8 if utf8 else MAILBOX).fullmatch(mailbox) is not None


def is_reverse_path(path: bytes, *, utf8: bool = False) -> bool:
    """Whether *path*, brackets included, is a Reverse-path, source routes among them."""
    return (REVERSE_PATH_UTF8 if utf8 else REVERSE_PATH).fullmatch(path) is not None


def is_forward_path(path: bytes, *, utf8: bool = False) -> bool:
    """Whether *path*, brackets included, is a Forward-path or ``<Postmaster>``."""
    return (FORWARD_PATH_UTF8 if utf8 else FORWARD_PATH).fullmatch(path) is not None


def has_source_route(path: bytes) -> bool:
    """Whether *path*, brackets included, is a Path with a source route (RFC 5321 appendix C)."""
    match = FORWARD_PATH_UTF8.fullmatch(path)
    return match is not None and match["route"] is not None


def is_xtext(text: bytes) -> bool:
    """Whether *text* is xtext (RFC 3461 §4)."""
    return XTEXT.fullmatch(text) is not None


def is_base64(text: bytes) -> bool:
    """Whether *text* is base64 of at least one octet, padded (RFC 4954 §8)."""
    return BASE64.fullmatch(text) is not None


_NOT_XCHAR: Final = re.compile(rb"[^!-*,-<>-~]")


def xtext_encode(raw: bytes) -> bytes:
    """*raw* as xtext: what ENVID, ORCPT and AUTH carry (RFC 3461 §4)."""
    return _NOT_XCHAR.sub(lambda match: b"+%02X" % match[0][0], raw)


def xtext_decode(text: bytes) -> bytes:
    """The octets that *text* stands for.

    Raises:
        ValueError: *text* is not xtext.
    """
    if not is_xtext(text):
        msg = "not xtext (RFC 3461 §4)"
        raise ValueError(msg)
    return re.sub(rb"\+(..)", lambda match: bytes([int(match[1], 16)]), text)
