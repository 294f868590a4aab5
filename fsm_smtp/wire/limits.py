"""Lengths and counts of the wire, each with its reason. All lengths are octets, CRLF included."""

from typing import Final

# --- What we send -----------------------------------------------------------------------------

#: A command line (RFC 5321 §4.5.3.1.4). A server need not take a longer one.
MAX_COMMAND_LINE: Final = 512

#: How far each extension's parameters lengthen a MAIL line. Parameters that share a key of this
#: table's values share the growth: RET and ENVID together are the 100 octets of DSN.
MAIL_GROWTH: Final[dict[str, tuple[str, int]]] = {
    "SIZE": ("SIZE", 26),  # RFC 1870 §3
    "BODY": ("BODY", 17),  # RFC 6152 §2; RFC 3030 §3 asks for one octet less
    "SMTPUTF8": ("SMTPUTF8", 10),  # RFC 6531 §3.1
    "AUTH": ("AUTH", 500),  # RFC 4954 §3
    "REQUIRETLS": ("REQUIRETLS", 11),  # RFC 8689 §2
    "RET": ("DSN", 100),  # RFC 3461 §4
    "ENVID": ("DSN", 100),
}

#: How far each extension's parameters lengthen a RCPT line.
RCPT_GROWTH: Final[dict[str, tuple[str, int]]] = {
    "NOTIFY": ("DSN", 500),  # RFC 3461 §4
    "ORCPT": ("DSN", 500),
}

#: The SMTPUTF8 parameter of VRFY and EXPN (RFC 6531 §3.1).
VRFY_GROWTH: Final = 10

#: A line of the AUTH dialogue behind the AUTH command itself (RFC 4954 §4).
MAX_AUTH_LINE: Final = 12288

#: Local-part (RFC 5321 §4.5.3.1.1), domain (§4.5.3.1.2), path with its brackets (§4.5.3.1.3).
MAX_LOCAL_PART: Final = 64
MAX_DOMAIN: Final = 255
MAX_PATH: Final = 256

#: The name of a SASL mechanism (RFC 4422 §3.1).
MAX_MECHANISM: Final = 20

#: SIZE= has at most 20 digits (RFC 1870 §6), as 2^64 has. A BDAT size is held to the same.
MAX_SIZE_DIGITS: Final = 20

#: ENVID as xtext (RFC 3461 §4.4) and ORCPT with its address type (§4.2).
MAX_ENVID: Final = 100
MAX_ORCPT: Final = 500

#: A line of content; the dot that stuffing adds is not counted (RFC 5321 §4.5.3.1.6).
MAX_TEXT_LINE: Final = 1000

# --- What we receive --------------------------------------------------------------------------

#: A reply line (RFC 5321 §4.5.3.1.5). A longer one is borne and noted.
MAX_REPLY_LINE: Final = 512

#: A reply line that is refused. Eight times the RFC's limit: servers that quote a URL or a policy
#: stay far below, an endless line is noticed after one page of memory.
MAX_REPLY_LINE_HARD: Final = 4096

#: Lines of one reply. The longest honest ones are HELP texts and EHLO lists, of some dozens.
MAX_REPLY_LINES: Final = 256

#: Octets of one reply: what a reply may cost us in memory, whatever its lines look like. The full
#: number of lines at half the RFC's length fits.
MAX_REPLY_OCTETS: Final = 65536

#: Octets fed to a parser and not yet taken out of it as replies. Sixteen of the largest replies:
#: more than one read of a socket brings, so only a caller who never takes replies meets it.
MAX_UNREAD_OCTETS: Final = 1048576
