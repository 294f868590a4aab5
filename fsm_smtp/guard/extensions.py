"""Which EHLO keyword a parameter of MAIL or RCPT belongs to (RFC 5321 §4.1.1.11, §2.2.2)."""

from typing import Final

#: Parameter of MAIL: the keyword that offers it, and the section that says so.
MAIL: Final[dict[str, tuple[str, str]]] = {
    "SIZE": ("SIZE", "1870 §3"),
    "BODY": ("8BITMIME", "6152 §2"),
    "SMTPUTF8": ("SMTPUTF8", "6531 §3.1"),
    "AUTH": ("AUTH", "4954 §3"),
    "RET": ("DSN", "3461 §4"),
    "ENVID": ("DSN", "3461 §4"),
    "REQUIRETLS": ("REQUIRETLS", "8689 §2"),
    "BY": ("DELIVERBY", "2852 §4"),
    "HOLDFOR": ("FUTURERELEASE", "4865 §3"),
    "HOLDUNTIL": ("FUTURERELEASE", "4865 §3"),
    "MT-PRIORITY": ("MT-PRIORITY", "6710 §4"),
    "SUBMITTER": ("SUBMITTER", "4405 §3"),
    "SOLICIT": ("NO-SOLICITING", "3865 §2.2"),
    "MTRK": ("MTRK", "3885 §2"),
    "CONPERM": ("CONPERM", "4141 §4"),
    "TRANSID": ("CHECKPOINT", "1845 §3"),
}

#: Parameter of RCPT: likewise.
RCPT: Final[dict[str, tuple[str, str]]] = {
    "NOTIFY": ("DSN", "3461 §4"),
    "ORCPT": ("DSN", "3461 §4"),
    "RRVS": ("RRVS", "7293 §3"),
    "CONNEG": ("CONNEG", "4141 §3"),
}

#: What BODY=BINARYMIME needs in place of 8BITMIME.
BINARY: Final = ("BINARYMIME", "3030 §3")

#: What octets above 7F in a command need.
UTF8: Final = ("SMTPUTF8", "6531 §3.2")
