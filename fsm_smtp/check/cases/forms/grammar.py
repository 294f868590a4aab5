"""Grammar that the forms share, beside its ABNF."""

import re
from collections.abc import Callable, Sequence

from fsm_smtp.wire.replies import Reply

#: Takes a reply and its lines as they came; what is wrong with it, or ``None``.
Form = Callable[[Reply, Sequence[bytes]], str | None]

# Domain = sub-domain *("." sub-domain); address-literal = "[" … "]"      (RFC 5321 §4.1.2)
_LABEL = rb"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_NAME = re.compile(rb"(?:%s(?:\.%s)*|\[[\x21-\x5a\x5e-\x7e]+\])\Z" % (_LABEL, _LABEL))


def no_name(word: bytes) -> str | None:
    """What is wrong with *word* as a domain name or address literal."""
    return None if _NAME.match(word) else f"{show(word)} is no domain name or address literal"


def show(octets: bytes) -> str:
    """The first *octets*, in quotes, with escapes."""
    return ascii(octets[:60].decode("latin-1"))
