"""Faithful servers of every kind that the cases ask for, and how a check meets them."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from fsm_smtp.check.engine.connection import TLSMode
from fsm_smtp.testing.server.options import EXTENSIONS
from tests.check.faults.playing import WITH_CREDENTIALS, Way, usual

#: The whole suite is played on these.
WAYS: Mapping[str, Way] = MappingProxyType(
    {
        "all offers": Way(usual()),
        "no offers": Way(usual(extensions={"HELP"}, context=None)),
        "AUTH in the clear": Way(usual(auth_in_clear=True), settings=WITH_CREDENTIALS),
        "STARTTLS and AUTH": Way(usual(), TLSMode.STARTTLS, WITH_CREDENTIALS),
        "implicit TLS and AUTH": Way(usual(implicit_tls=True), TLSMode.IMPLICIT, WITH_CREDENTIALS),
    }
)
_AUTH = ("4954-*", "6409-*", "3207-*")
#: Here policy masks much, by 530; by globs, what is played.
SUBMISSION: Mapping[str, tuple[Way, tuple[str, ...]]] = MappingProxyType(
    {
        "behind STARTTLS": (
            Way(usual(submission=True), TLSMode.STARTTLS, WITH_CREDENTIALS),
            (*_AUTH, "5321-3*", "5321-4.1.4-*"),
        ),
        "in the clear": (
            Way(usual(submission=True, auth_in_clear=True), settings=WITH_CREDENTIALS),
            _AUTH,
        ),
        "for a stranger": (
            Way(replace(usual(submission=True, auth_in_clear=True), context=None)),
            _AUTH,
        ),
    }
)
#: Servers that have something of their own to show.
SPECIAL: Mapping[str, tuple[Way, tuple[str, ...]]] = MappingProxyType(
    {
        "bare CR and LF kept": (Way(usual(keeps_bare=True)), ("5321-*",)),
        "no limit of size": (Way(usual(size=0)), ("1870-*",)),
        "ETRN": (Way(usual(extensions={*EXTENSIONS, "ETRN"})), ("5321-4.2.4-*",)),
        "8BITMIME without BINARYMIME": (
            Way(usual(extensions={"8BITMIME", "VRFY"})),
            ("6152-*", "5321-4.1.1.1-*"),
        ),
        "CRAM-MD5 in the clear": (
            Way(usual(auth_in_clear=True, mechanisms=("CRAM-MD5",))),
            ("4954-4-*",),
        ),
        "LMTP": (Way(usual(lmtp=True)), ("2033-*",)),
        "TLS required": (Way(usual(requires_tls=True)), ("3207-4-required-*",)),
        "TLS too weak": (Way(usual(weak_tls=True)), ("3207-4.1-too-weak",)),
        "no service": (Way(usual(greeting=554)), ("5321-3.1-refused-session-*",)),
        "patience": (Way(usual(patience=310.0)), ("5321-4.5.3.2.7-*",)),
    }
)
