"""Strategies of Hypothesis for SMTP. What they make shrinks to what a person would write.

`addresses`, `commands`, `replies`, `content`, `sessions` and `streams` say more.
"""

from fsm_smtp.testing.strategies.addresses import (
    address_literals,
    addresses,
    domains,
    local_parts,
    mail_parameters,
    rcpt_parameters,
    reverse_paths,
    utf8_addresses,
    utf8_domains,
)
from fsm_smtp.testing.strategies.commands import near_misses, well_formed
from fsm_smtp.testing.strategies.content import NO_ENDS, content_lines, messages, raw_content
from fsm_smtp.testing.strategies.replies import codes, hostile_replies, replies, reply_streams
from fsm_smtp.testing.strategies.sessions import Illegal, groups, illegal_sessions, legal_sessions
from fsm_smtp.testing.strategies.streams import chunkings

__all__ = [
    "NO_ENDS",
    "Illegal",
    "address_literals",
    "addresses",
    "chunkings",
    "codes",
    "content_lines",
    "domains",
    "groups",
    "hostile_replies",
    "illegal_sessions",
    "legal_sessions",
    "local_parts",
    "mail_parameters",
    "messages",
    "near_misses",
    "raw_content",
    "rcpt_parameters",
    "replies",
    "reply_streams",
    "reverse_paths",
    "utf8_addresses",
    "utf8_domains",
    "well_formed",
]
