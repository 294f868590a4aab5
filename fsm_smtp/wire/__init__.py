"""The wire: SMTP as octets. Commands, replies, offers and content; it knows no state.

`commands` builds the lines a client sends, `replies` parses what a server answers, `ehlo` what it
offers, `content` encodes messages. `grammar` holds the rules beside their ABNF, `limits` every
length and count. Nothing here does I/O or imports more than the standard library and the errors.
"""

from fsm_smtp.wire.commands import Command, parse_bdat, parse_command, parse_sasl_line
from fsm_smtp.wire.content import (
    ContentEncoder,
    Encoded,
    canonical,
    canonical_chunks,
    decode_content,
    encoded,
)
from fsm_smtp.wire.ehlo import Offers, parse_offers
from fsm_smtp.wire.parameters import envelope_path, mail_parameters
from fsm_smtp.wire.replies import Reply, ReplyParser
from fsm_smtp.wire.text import printable

__all__ = [
    "Command",
    "ContentEncoder",
    "Encoded",
    "Offers",
    "Reply",
    "ReplyParser",
    "canonical",
    "canonical_chunks",
    "decode_content",
    "encoded",
    "envelope_path",
    "mail_parameters",
    "parse_bdat",
    "parse_command",
    "parse_offers",
    "parse_sasl_line",
    "printable",
]
